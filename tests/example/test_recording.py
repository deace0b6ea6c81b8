"""The example that ships: it is what the real turn makes of its script, and it claims nothing that did not happen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.chat.rebuild import matches_what_was_sent, rebuild_request
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ImportRefused
from lib.example import is_example
from lib.example.make import SCRIPT, SETTINGS, exchanges, make
from lib.example.provider import MODEL, ExampleProvider
from lib.example.recording import FILE, open_as, recorded, to_json
from lib.history.memory import InMemoryHistory
from lib.providers.llama.process import INSTALL, LocalModel, LocalProvider, packaged_model
from lib.providers.scripted import Script, ScriptedProvider
from lib.settings import EXAMPLE
from lib.tokens import TokenCounter
from lib.turns import Turn

OWN = ChatSettings("local", "SmolLM2-135M-Instruct", "Be brief.", 4096, 128, "none")
KNOWN = {7: "7421"}
"""A turn that asks for a fact while it is sent, and the fact."""
LOST = {22: "1,150", 27: "shellfish", 28: "shellfish", 36: "closed on Mondays", 38: "7421", 39: "May"}
"""Turns that need a fact which is no longer sent, and the fact."""


@pytest.fixture(scope="module")
def counter() -> Iterator[TokenCounter]:
    model = LocalModel()
    found = LocalProvider(model).counter()
    assert found is not None
    yield found
    model.close()


def sent_text(turn: Turn) -> str:
    """Everything that a turn sent."""
    request = rebuild_request(turn, recorded().messages)
    assert request is not None
    return "\n".join(message.text for message in request.messages)


@pytest.mark.model
@pytest.mark.skipif(packaged_model() is None, reason=f"needs the model file: {INSTALL}")
def test_making_it_again_gives_the_same_file(counter: TokenCounter) -> None:
    again = make(exchanges(SCRIPT.read_text(encoding="utf-8")), counter)
    assert to_json(again) == FILE.read_text(encoding="utf-8")


@pytest.mark.model
@pytest.mark.skipif(packaged_model() is None, reason=f"needs the model file: {INSTALL}")
def test_every_count_holds_for_the_stored_messages(counter: TokenCounter) -> None:
    example = recorded()
    for turn in example.turns:
        request = rebuild_request(turn, example.messages)
        assert request is not None
        assert turn.plan is not None
        tokens = counter.template(True) + sum(counter.count_many(request.messages))
        assert (turn.plan.input_tokens, turn.plan.counter, turn.plan.provenance) == (tokens, counter.name, "counted")
        assert tokens <= turn.plan.max_tokens - turn.plan.reserved_for_reply
        assert turn.plan.sent == len(request.messages)


def test_every_hash_holds_for_the_stored_messages() -> None:
    example = recorded()
    assert [matches_what_was_sent(turn, example.messages, ExampleProvider()) for turn in example.turns] == [True] * 40
    assert matches_what_was_sent(example.turns[20], example.messages[1:], ExampleProvider()) is False


def test_it_has_forty_turns_and_each_is_its_two_messages() -> None:
    example = recorded()
    script = exchanges(SCRIPT.read_text(encoding="utf-8"))
    assert len(script) == len(example.turns) == 40
    assert [(message.role, message.text) for message in example.messages] == [
        each for prompt, reply in script for each in (("user", prompt), ("assistant", reply))
    ]
    assert [(turn.prompt, turn.reply) for turn in example.turns] == script
    assert [turn.number for turn in example.turns] == list(range(1, 41))
    assert [turn.plan.stored for turn in example.turns if turn.plan] == list(range(0, 80, 2))


def test_it_claims_neither_a_model_nor_a_bill_nor_a_speed() -> None:
    for turn in recorded().turns:
        assert (turn.provider, turn.model, turn.usage_provenance) == (EXAMPLE, MODEL, "counted")
        assert set(turn.usage.to_dict().values()) == {None}
        assert (turn.first_token_ms, turn.duration_ms, turn.request_id, turn.stop_reason) == (None, None, None, None)


@pytest.mark.parametrize(("number", "fact"), LOST.items())
def test_a_reply_that_does_not_know_was_not_sent_the_fact(number: int, fact: str) -> None:
    example = recorded()
    turn = example.turns[number - 1]
    assert any(fact in message.text for message in example.messages[: 2 * number - 2])
    assert fact not in sent_text(turn)


@pytest.mark.parametrize(("number", "fact"), KNOWN.items())
def test_a_reply_that_knows_was_sent_the_fact(number: int, fact: str) -> None:
    turn = recorded().turns[number - 1]
    assert fact in sent_text(turn)
    assert fact in turn.reply
    assert fact not in turn.prompt


def test_it_is_opened_as_a_session_to_go_on_with() -> None:
    store = InMemoryHistory(60)
    open_as("s", store, OWN)
    about = store.about("s")
    assert is_example(about)
    assert about.settings == {
        **OWN.to_dict(),
        "system_prompt": SETTINGS.system_prompt,
        "max_tokens": 2048,
        "reserved_for_reply": 256,
        "strategy": "oldest_first",
    }
    assert [turn.to_dict() for turn in recorded().turns] == [turn.to_dict() for turn in store.turns("s")]
    provider = ScriptedProvider(Script(["Yes."]))
    chat = ChatService(store)
    live = chat.send("s", "Still there?", OWN.updated(about.settings), lambda settings: provider)
    list(chat.follow("s", live.id))
    assert [turn.provider for turn in store.turns("s")][-2:] == [EXAMPLE, "local"]
    assert len(store.load("s")) == 82
    with pytest.raises(ImportRefused):
        open_as("s", store, OWN)


def test_a_model_that_writes_more_gets_its_room_beside_the_window() -> None:
    store = InMemoryHistory(60)
    open_as("s", store, ChatSettings("openai", "gpt-6-luna", "", 128_000, 4096, "low_water"))
    own = OWN.updated(store.about("s").settings)
    assert (own.provider, own.model) == ("openai", "gpt-6-luna")
    assert own.window.input_budget == SETTINGS.window.input_budget
    assert own.reserved_for_reply == 4096


def test_an_ordinary_session_is_not_the_example() -> None:
    assert not is_example(InMemoryHistory(60).about("s"))


def test_a_script_is_read_as_prompts_and_replies() -> None:
    assert exchanges("> One?\n\nYes.\n\n- a > b\n\n> Two?\nNo.\n") == [("One?", "Yes.\n\n- a > b"), ("Two?", "No.")]
