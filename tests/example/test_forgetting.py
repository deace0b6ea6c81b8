"""The demonstration: what comes next follows from what is stored, and it says "dropped" only of what was not sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lib.chat.rebuild import rebuild_request
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.example.forgetting import (
    BUDGET,
    FILLERS,
    OPENING,
    QUESTION,
    RESERVE,
    SECRET,
    Progress,
    dropped_from,
    is_demonstration,
    new_id,
    progress,
    settings_for,
)
from lib.history import valid_session_id
from lib.history.memory import InMemoryHistory
from lib.providers import Provider
from lib.providers.llama.process import INSTALL, LocalModel, LocalProvider, packaged_model
from lib.providers.scripted import Script, ScriptedProvider
from lib.turns import PlanSummary
from tests.support.counters import WordCounter

OWN = ChatSettings("local", "m", "A prompt of a person's own.", 8192, 1024, "low_water")
SMALL = replace(settings_for(OWN), max_tokens=60 + RESERVE)
"""Small enough for replies of a few words."""


def play(chat: ChatService, open_provider: Callable[[], Provider], settings: ChatSettings, most: int = 20) -> Progress:
    """Play the demonstration to its end, as the page does, or `most` turns of it."""
    for _ in range(most):
        found = progress(chat.store.load("s"), chat.store.turns("s"))
        if found.next_prompt is None:
            return found
        live = chat.send("s", found.next_prompt, settings, lambda _: open_provider())
        list(chat.follow("s", live.id))
        assert chat.store.live("s") is None
    return progress(chat.store.load("s"), chat.store.turns("s"))


def word_chat() -> ChatService:
    return ChatService(InMemoryHistory(3600), lambda settings, provider: WordCounter())


def scripted(*replies: str) -> Callable[[], Provider]:
    provider = ScriptedProvider(*(Script([reply]) for reply in replies))
    return lambda: provider


def sent_texts(chat: ChatService, number: int) -> list[str]:
    turn = chat.store.turn("s", number)
    assert turn is not None
    request = rebuild_request(turn, chat.store.load("s"))
    assert request is not None
    return [message.text for message in request.messages]


def test_it_asks_while_the_fact_is_sent_and_again_when_it_no_longer_is() -> None:
    chat = word_chat()
    end = play(chat, scripted(f"It is {SECRET}.", f"It is {SECRET}.", *["some words of a reply"] * 9), SMALL)
    assert end.dropped_at is not None
    assert end.knew is not None
    assert end.asked_again is not None
    prompts = [turn.prompt for turn in chat.store.turns("s")]
    assert prompts == [*OPENING, *FILLERS[: end.dropped_at - 2], QUESTION]
    assert (end.knew.number, end.asked_again.number) == (2, end.dropped_at + 1)
    for number in range(2, end.dropped_at):
        assert any(SECRET in text for text in sent_texts(chat, number))
    for number in (end.dropped_at, end.asked_again.number):
        assert not any(SECRET in text for text in sent_texts(chat, number))


def test_it_goes_on_as_long_as_a_reply_repeats_the_fact() -> None:
    chat = word_chat()
    plain = play(chat, scripted(*[f"It is {SECRET}."] * 2, *["some words of a reply"] * 9), SMALL).dropped_at
    chat.store.clear("s")
    echo = f"Paris, and {SECRET}."
    late = play(chat, scripted(*[f"It is {SECRET}."] * 2, echo, *["some words of a reply"] * 9), SMALL).dropped_at
    assert plain is not None
    assert late is not None
    assert late > plain


def test_a_model_that_repeats_the_fact_for_ever_is_never_said_to_have_lost_it() -> None:
    chat = word_chat()
    end = play(chat, scripted(*[f"It is {SECRET}."] * 12), SMALL)
    assert (end.next_prompt, end.dropped_at, end.asked_again) == (None, None, None)
    assert [turn.prompt for turn in chat.store.turns("s")] == [*OPENING, *FILLERS]


def test_each_message_with_the_fact_is_named_with_the_turn_that_dropped_it() -> None:
    chat = word_chat()
    end = play(chat, scripted(f"It is {SECRET}.", f"It is {SECRET}.", *["some words of a reply"] * 9), SMALL)
    lost = dropped_from(chat.store.load("s"), chat.store.turns("s"))
    assert sorted(lost) == [0, 1, 3]
    assert max(lost.values()) == end.dropped_at
    for index, number in lost.items():
        for turn in chat.store.turns("s"):
            assert turn.plan is not None
            gone = {at for start, stop, sent, _ in turn.plan.runs if not sent for at in range(start, stop)}
            assert (index in gone) == (turn.number >= number)


def test_the_turn_being_answered_counts_too() -> None:
    chat = word_chat()
    play(chat, scripted(*[f"It is {SECRET}."] * 2, "a reply"), SMALL, most=3)
    history, turns = chat.store.load("s"), chat.store.turns("s")
    plan = turns[-1].plan
    assert plan is not None
    assert progress(history, turns, plan).dropped_at is None
    without: PlanSummary = replace(plan, stored=6, runs=((0, 6, False, "over_budget"), (6, 7, True, "recent")))
    assert progress(history, turns, without).dropped_at == 4


def test_it_ends_when_a_person_says_something_else() -> None:
    chat = word_chat()
    provider = scripted(*[f"It is {SECRET}."] * 2, "Hello.", "No.")
    play(chat, provider, SMALL, most=2)
    live = chat.send("s", "Hello, I am here too", SMALL, lambda _: provider())
    list(chat.follow("s", live.id))
    assert progress(chat.store.load("s"), chat.store.turns("s")).next_prompt is None


def test_it_begins_with_the_fact() -> None:
    assert progress([], []).next_prompt == OPENING[0]
    assert not any(SECRET in filler for filler in FILLERS)


def test_its_sessions_are_known_by_their_ids() -> None:
    assert valid_session_id(new_id())
    assert is_demonstration(new_id())
    assert new_id() != new_id()
    assert not is_demonstration("0b1c-42")


def test_it_keeps_the_persons_model_and_gives_it_a_small_window() -> None:
    local = settings_for(OWN)
    assert (local.provider, local.model, local.strategy) == ("local", "m", "oldest_first")
    assert (local.window.input_budget, local.reserved_for_reply) == (BUDGET, RESERVE)
    hosted = settings_for(replace(OWN, provider="openai"))
    assert (hosted.window.input_budget, hosted.reserved_for_reply) == (BUDGET, 1024)


@pytest.mark.model
@pytest.mark.skipif(packaged_model() is None, reason=f"needs the model file: {INSTALL}")
def test_the_embedded_model_knows_the_code_while_it_is_sent_and_not_afterwards() -> None:
    model = LocalModel()
    provider = LocalProvider(model)
    try:
        chat = ChatService(InMemoryHistory(3600), lambda settings, opened: provider.counter() or WordCounter())
        end = play(chat, lambda: provider, settings_for(replace(OWN, model=model.name)))
    finally:
        model.close()
    assert end.knew is not None
    assert end.asked_again is not None
    assert SECRET not in end.asked_again.reply
    assert not any(SECRET in text for text in sent_texts(chat, end.asked_again.number))
