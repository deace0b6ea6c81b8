"""The page of who keeps the history: real adapters on real replicas, with a model that counts words behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.messages import Message, assistant, user
from lib.providers.openai import OpenAIProvider
from lib.replica.model import Backend
from lib.replica.server import ReplicaServer
from lib.server_history import Approach, Handle
from lib.server_history.comparison import Comparison
from lib.server_history.offline import LocalReplica
from lib.server_history.reference import FACTS
from lib.settings import Endpoint
from lib.ui.shell import services
from lib.ui.threads import places, reference, state
from tests.support.app.pages import SESSION, exchange, page, written_elsewhere
from tests.support.counters import WordCounter
from tests.support.servers.word_model import KEY, WordModel
from tests.support.waiting import wait_until

PATH = "pages/threads.py"
APPROACHES = state.approaches_key(places.REPLICA)


@pytest.fixture
def word_model(monkeypatch: pytest.MonkeyPatch, chat: ChatService) -> Iterator[WordModel]:
    """One model that counts words, behind two replicas and the manual approach."""
    with WordModel() as model:
        endpoint = Endpoint("local", "openai", "This machine", base_url=model.url, model="words-1")
        direct = OpenAIProvider(endpoint, KEY)
        servers = [
            ReplicaServer(lambda: Backend(model.url, KEY, "words-1"), window=400, reply_tokens=50) for _ in range(2)
        ]
        replicas = tuple(LocalReplica(server, direct, "words-1") for server in servers)
        monkeypatch.setattr(services, "replicas", lambda: replicas)
        monkeypatch.setattr(places, "counter", lambda place: WordCounter())
        yield model
        for server in servers:
            server.close()


def comparison() -> Comparison:
    """The only comparison of this process."""
    (only,) = services.sides().values()
    return only


def same_browser() -> dict[str, object]:
    """The state by which a browser session finds its comparison again."""
    (id_,) = services.sides()
    return {state.comparison_key(SESSION, places.REPLICA): id_}


def opened(
    *approaches: Approach, tab: str = state.SIDE_BY_SIDE, session_state: Mapping[str, object] | None = None
) -> AppTest:
    """The page with these approaches at the replica; with the default ones if none are given."""
    chosen = {APPROACHES: list(approaches)} if approaches else {}
    at = page(PATH, state={state.TAB: tab, **chosen, **(session_state or {})})
    assert not at.exception, at.exception
    return at


def drill(approach: Approach, label: str, *others: Approach) -> AppTest:
    """Open the drills in the same browser session, and run one on this lane."""
    at = opened(*others, approach, tab=state.DRILLS, session_state={state.DRILL_LANE: approach, **same_browser()})
    at.button(key=f"drill:{label}").click().run()
    return finished(at)


def finished(at: AppTest) -> AppTest:
    """Wait until no lane is busy, and draw the page once more."""
    wait_until(lambda: not any(each.busy for each in services.sides().values()))
    at.run()
    assert not at.exception, at.exception
    return at


def lines(at: AppTest, part: str) -> list[str]:
    """Every text on the page with this part."""
    kinds = (at.markdown, at.caption, at.success, at.info, at.warning)
    return [element.value for kind in kinds for element in kind if part in element.value]


def ask(at: AppTest, text: str) -> AppTest:
    at.text_input(key=state.PROMPT).set_value(text)
    next(button for button in at.button if button.label == "Send").click().run()
    return finished(at)


def test_opening_it_starts_no_server_and_stores_nothing(chat: ChatService, word_model: WordModel) -> None:
    before = chat.store.about(SESSION)
    at = opened()
    assert not any(replica.running for replica in services.replicas())
    assert word_model.bodies == []
    assert chat.store.about(SESSION) == before
    assert any("not OpenAI" in option for option in at.selectbox(key=state.PLACE).options)


def test_one_question_goes_to_every_lane_and_the_ledger_compares_them(chat: ChatService, word_model: WordModel) -> None:
    at = opened(*places.APPROACHES)
    for text in (
        "please remember the number 4711 and my name Ada",
        "what is the number that I told you",
        "and what is my name",
    ):
        ask(at, text)
    totals = next(frame.value for frame in at.dataframe if "bytes uploaded" in frame.value.columns)
    assert list(totals["turns"]) == [3] * 5
    assert len(set(totals["input tokens"])) == 1
    bytes_uploaded = dict(zip(totals["way"], totals["bytes uploaded"], strict=True))
    assert bytes_uploaded["Sent again every turn"] > bytes_uploaded["Conversations"]
    assert lines(at, "A server that keeps the history saves upload")
    assert lines(at, "not tokens")
    assert any("held" in markdown.value for markdown in at.markdown)
    assert set(chat.store.about(SESSION).handles) == {f"replica:{approach}" for approach in places.APPROACHES}


def test_another_page_shows_what_was_asked_and_goes_on(chat: ChatService, word_model: WordModel) -> None:
    first = ask(opened("manual", "conversations"), "I am Ada")
    before = chat.store.about(SESSION)
    at = opened("manual", "conversations")
    assert lines(at, "1 turn from before this page was opened")
    assert lines(at, "I am Ada")
    assert [frame.value.to_dict() for frame in at.dataframe] == [frame.value.to_dict() for frame in first.dataframe]
    assert chat.store.about(SESSION) == before  # looking writes nothing
    ask(at, "who am I")
    assert word_model.last_prompts == ["I am Ada", "who am I"]


def test_a_page_opened_after_a_restart_says_that_the_replica_forgot(
    chat: ChatService, word_model: WordModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(opened("conversations"), "I am Ada")
    first = services.replicas()[0]
    endpoint = Endpoint("local", "openai", "This machine", base_url=word_model.url, model="words-1")
    with ReplicaServer(lambda: Backend(word_model.url, KEY, "words-1")) as server:
        anew = LocalReplica(server, OpenAIProvider(endpoint, KEY), "words-1")
        monkeypatch.setattr(services, "replicas", lambda: (anew, first))
        services.sides().clear()
        _see_that_it_forgot(chat)


def _see_that_it_forgot(chat: ChatService) -> None:
    at = opened("conversations")
    assert lines(at, "The replica was started anew since, and no longer holds this.")
    assert lines(at, "I am Ada")
    assert lines(at, "expired]")
    at = ask(at, "who am I")
    assert len(at.warning) == 1  # it does not know the conversation
    assert lines(at, "no longer holds this")
    (stored,) = chat.store.about(SESSION).handles.values()
    assert [turn["gone"] for turn in stored["turns"]] == ["", ""]  # what the page says is not stored as a fact


def test_turns_that_were_not_stored_are_read_from_the_server_on_request(
    chat: ChatService, word_model: WordModel
) -> None:
    ask(opened("conversations"), "I am Ada")
    (stored,) = chat.store.about(SESSION).handles.values()
    chat.store.keep_handles(SESSION, {"replica:conversations": Handle.from_dict(stored).to_dict()})
    at = opened("conversations")
    assert lines(at, "Earlier turns are on the server.")
    assert not lines(at, "I am Ada")
    at.button(key="read_back:conversations").click().run()
    assert not at.exception, at.exception
    assert lines(at, "I am Ada")
    assert not lines(at, "Earlier turns are on the server.")


def test_until_something_is_asked_the_page_shows_a_recorded_run_and_no_empty_column(
    chat: ChatService, word_model: WordModel
) -> None:
    at = opened()
    assert lines(at, "Recorded on")
    assert lines(at, "After 6 turns")
    assert not lines(at, "Nothing has been asked yet")
    at = ask(at, "I am Ada")
    assert not lines(at, "Recorded on")
    assert lines(at, "After 1 turn")


def test_the_drills_begin_with_a_way_that_still_exists(chat: ChatService, word_model: WordModel) -> None:
    ask(opened("manual", "conversations", "assistants"), "I am Ada")
    at = opened("manual", "conversations", "assistants", tab=state.DRILLS, session_state=same_browser())
    assert at.session_state[state.DRILL_LANE] == "conversations"


def test_a_deletion_stays_on_record_and_no_badge_says_held_any_more(chat: ChatService, word_model: WordModel) -> None:
    at = opened("conversations")
    for text in ("please remember the number 4711 and my name Ada", "what is the number that I told you"):
        at = ask(at, text)
    assert lines(at, "check: held")
    at = drill("conversations", "Delete it, with proof")
    assert not lines(at, "check: held")
    at.button(key="drill:Two writers at once").click().run()
    at = finished(at)
    assert lines(at, "Deleted 1 object; server confirms it is gone.")
    assert not lines(at, "check: held")


def test_starting_over_empties_the_lanes(chat: ChatService, word_model: WordModel) -> None:
    at = ask(opened("conversations"), "I am Ada")
    at.button(key="threads_restart").click().run()
    assert not at.exception, at.exception
    assert comparison().states(["conversations"])[0].turns == ()
    assert chat.store.about(SESSION).handles == {}


def test_the_messages_of_a_chat_are_run_as_a_script(chat: ChatService, word_model: WordModel) -> None:
    exchange(chat, "first question", "first answer")
    exchange(chat, "second question", "second answer")
    at = opened("manual")
    at.button(key="threads_own").click().run()
    finished(at)
    assert word_model.last_prompts == ["first question", "second question"]


@pytest.mark.parametrize(
    ("approach", "label", "sentence"),
    [
        ("conversations", "Delete it, with proof", "Deleted 1 object; server confirms it is gone."),
        ("assistants", "Delete it, with proof", "Deleted 2 objects; server confirms both are gone."),
        ("conversations", "Expire it", "It expired at the server"),
        ("claude", "Expire it", "It expired at the server"),
        ("responses", "Turn storage off", "storage is off from this turn on"),
        ("assistants", "Switch the provider", "Another account answers from here on"),
        ("manual", "Switch the provider", "Another account answers from here on"),
        ("conversations", "Two writers at once", "Two writers at once."),
        ("responses", "Overflow", "A message larger than the window"),
    ],
)
def test_a_drill_does_what_it_says_and_the_page_shows_the_result(
    chat: ChatService, word_model: WordModel, approach: Approach, label: str, sentence: str
) -> None:
    ask(opened(approach), "please remember the number 4711")
    at = drill(approach, label)
    assert lines(at, sentence)


def test_a_conversation_that_is_gone_is_an_error_in_its_lane_only(chat: ChatService, word_model: WordModel) -> None:
    approaches: list[Approach] = ["manual", "conversations"]
    ask(opened(*approaches), "please remember the number 4711")
    at = drill("conversations", "Expire it", "manual")
    assert len(at.warning) == 1
    manual, conversations = comparison().states(approaches)
    assert conversations.turns[-1].error is not None
    assert all(turn.error is None for turn in manual.turns)


def test_a_middle_response_of_a_chain_is_deleted(chat: ChatService, word_model: WordModel) -> None:
    at = opened("responses")
    for text in ("one", "two", "three"):
        ask(at, text)
    at = drill("responses", "Delete a middle response")
    assert any("Response 1 of 3 was deleted (proven)." in caption.value for caption in at.caption)


def test_a_chat_moves_to_a_server_and_back_and_what_stays_behind_is_named(
    chat: ChatService, word_model: WordModel
) -> None:
    written_elsewhere(chat, user("I am Ada"), Message("tool", "42", {"tool_call_id": "c"}), assistant("Hello Ada"))
    at = opened("conversations", tab=state.MOVE)
    assert any(
        "2 messages can be moved." in markdown.value and "1 message of the role tool cannot move." in markdown.value
        for markdown in at.markdown
    )
    at.button(key="move:conversations").click().run()
    assert not at.exception, at.exception
    assert "Moved 2 messages" in at.info[0].value
    at.button(key="back:conversations").click().run()
    assert any("2 messages were read from the server" in markdown.value for markdown in at.markdown)
    at.button(key="threads_open_imported").click().run()
    new_session = at.session_state["session_id"]
    assert new_session != SESSION
    assert [message.to_dict() for message in chat.store.load(new_session)] == [
        {"role": "user", "content": "I am Ada"},
        {"role": "assistant", "content": "Hello Ada"},
    ]
    assert len(chat.store.load(SESSION)) == 3
    assert chat.store.turns(new_session) == []
    (imported,) = chat.store.about(new_session).imports
    assert (imported.first, imported.count, imported.source) == (0, 2, f"“{places.NAMES['conversations']}”")


def test_a_retired_host_gets_a_card_and_nothing_is_sent(
    chat: ChatService, word_model: WordModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = Endpoint("openai", "openai", "OpenAI", None, "gpt-5", "sk-x", needs_key=True)
    monkeypatch.setattr(services, "endpoint", lambda name: official)
    at = opened(session_state={state.PLACE: "openai", state.approaches_key("openai"): ["assistants"]})
    assert any("switched off on 2026-08-26" in info.value and "Nothing was sent." in info.value for info in at.info)
    ask(at, "hello")
    (lane,) = comparison().states(["assistants"])
    assert lane.turns[0].error is not None
    assert lane.turns[0].error["kind"] == "Retired"


def test_every_statement_of_the_reference_has_its_source_and_date(chat: ChatService, word_model: WordModel) -> None:
    at = opened(tab=state.REFERENCE, session_state={"table:reference": True})
    table = at.dataframe[0].value
    assert len(table) == len(FACTS) * len(reference.QUESTIONS)
    assert table.map(bool).all().all()
    shown = at.table[0].value
    assert list(shown.index) == list(reference.QUESTIONS.values())
    assert list(shown.columns) == [places.NAMES[approach] for approach in reference.FIRST_SHOWN]
    sources = next(caption.value for caption in at.caption if caption.value.startswith("Sources, read on 22 November"))
    for approach in reference.FIRST_SHOWN:
        for field, question in reference.QUESTIONS.items():
            fact = getattr(FACTS[approach], field)
            says, number = str(shown.loc[question, places.NAMES[approach]]).rsplit(" [", 1)
            assert says == fact.says
            assert f"[{number} {fact.source}" in sources
    assert set(table["read on"]) == {"2026-11-22"}
    assert any("26 August 2026" in markdown.value for markdown in at.markdown)
