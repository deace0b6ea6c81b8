"""The page of who keeps the history: real adapters on real replicas, with a model behind them that counts words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.messages import Message, assistant, user
from lib.providers.openai import OpenAIProvider
from lib.replica.model import Backend
from lib.replica.server import ReplicaServer
from lib.server_history.offline import LocalReplica
from lib.server_history.reference import FACTS
from lib.settings import Endpoint
from lib.ui.shell import services
from lib.ui.threads import columns, places, reference, view
from tests.support.counters import WordCounter
from tests.support.pages import SESSION, exchange, page, written_elsewhere
from tests.support.waiting import wait_until as wait
from tests.support.word_model import KEY, WordModel

PATH = "pages/threads.py"
WAYS = "threads_ways:replica"


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch, chat: ChatService) -> Iterator[WordModel]:
    """Two replicas and the control, all on one model that counts words."""
    with WordModel() as model:
        control = OpenAIProvider(Endpoint("local", "openai", "This machine", base_url=model.url, model="words-1"), KEY)
        servers = tuple(
            ReplicaServer(lambda: Backend(model.url, KEY, "words-1"), window=400, reply_tokens=50) for _ in range(2)
        )
        replicas = tuple(LocalReplica(server, control, "words-1") for server in servers)
        monkeypatch.setattr(services, "replicas", lambda: replicas)
        monkeypatch.setattr(columns, "counter_of", lambda side: WordCounter())
        yield model
        for server in servers:
            server.close()


def opened(tab: str = view.LIVE, **state: object) -> AppTest:
    at = page(PATH, state={"threads_tab": tab, **state})
    assert not at.exception, at.exception
    return at


def done(at: AppTest) -> AppTest:
    """Until no column is being answered, and drawn once more."""
    wait(lambda: not any(side.busy for side in services.sides().values()))
    at.run()
    assert not at.exception, at.exception
    return at


def say(at: AppTest, text: str) -> AppTest:
    at.text_input(key="threads_text").set_value(text)
    next(button for button in at.button if button.label == "Send").click().run()
    return done(at)


def test_opening_it_starts_no_server_and_stores_nothing(chat: ChatService, words: WordModel) -> None:
    before = chat.store.about(SESSION)
    at = opened()
    assert not any(server.running for server in services.replicas())
    assert words.bodies == []
    assert chat.store.about(SESSION) == before
    assert any("not OpenAI" in option for option in at.selectbox(key="threads_where").options)


def test_one_question_goes_to_every_column_and_the_ledger_settles_the_argument(
    chat: ChatService, words: WordModel
) -> None:
    at = opened(**{WAYS: ["manual", "conversations", "responses", "assistants", "claude"]})
    for text in (
        "please remember the number 4711 and my name Ada",
        "what is the number that I told you",
        "and what is my name",
    ):
        say(at, text)
    frame = next(frame.value for frame in at.dataframe if "bytes uploaded" in frame.value.columns)
    assert list(frame["turns"]) == [3] * 5
    assert len(set(frame["input tokens"])) == 1
    by_way = dict(zip(frame["way"], frame["bytes uploaded"], strict=True))
    assert by_way["Sent again every turn"] > by_way["Conversations"]
    assert any("saves upload, not tokens" in markdown.value for markdown in at.markdown)
    assert any("held" in markdown.value for markdown in at.markdown)
    assert set(chat.store.about(SESSION).handles) == {f"replica:{way}" for way in places.APPROACHES}


def test_ids_are_kept_with_the_session_and_another_page_goes_on(chat: ChatService, words: WordModel) -> None:
    say(opened(**{WAYS: ["conversations"]}), "I am Ada")
    at = opened(**{WAYS: ["conversations"]})
    assert any("goes on from where it was" in caption.value for caption in at.caption)
    say(at, "who am I")
    assert [text for role, text in words.last if role == "user"] == ["I am Ada", "who am I"]


def test_the_messages_of_a_chat_are_run_as_a_script(chat: ChatService, words: WordModel) -> None:
    exchange(chat, "first question", "first answer")
    exchange(chat, "second question", "second answer")
    at = opened(**{WAYS: ["manual"]})
    at.button(key="threads_own").click().run()
    done(at)
    assert [text for role, text in words.last if role == "user"] == ["first question", "second question"]


@pytest.mark.parametrize(
    ("way", "label", "said"),
    [
        ("conversations", "Delete it, with proof", "asked again, the server has none of them"),
        ("conversations", "Expire it", "It expired at the server"),
        ("claude", "Expire it", "It expired at the server"),
        ("responses", "Turn store off", "store is off from this turn on"),
        ("assistants", "Switch the provider", "Another account answers from here on"),
        ("manual", "Switch the provider", "Another account answers from here on"),
        ("conversations", "Two writers at once", "Two writers at once."),
        ("responses", "Overflow", "A message larger than the window"),
    ],
)
def test_drills_do_what_they_say_and_the_page_shows_what_came_of_it(
    chat: ChatService, words: WordModel, way: str, label: str, said: str
) -> None:
    say(opened(**{WAYS: [way]}), "please remember the number 4711")
    at = opened(view.DRILLS, **{WAYS: [way], "drill_column": way, **_sides()})
    at.button(key=f"drill:{label}").click().run()
    done(at)
    shown = [element.value for kind in (at.markdown, at.caption, at.success, at.info, at.warning) for element in kind]
    assert any(said in words for words in shown), shown


def _sides() -> dict[str, object]:
    """The columns of the page before: a browser keeps them in its session."""
    return {f"side:{SESSION}:replica": next(iter(services.sides()))}


def test_what_is_gone_at_one_server_is_an_error_in_its_column_only(chat: ChatService, words: WordModel) -> None:
    say(opened(**{WAYS: ["manual", "conversations"]}), "please remember the number 4711")
    at = opened(view.DRILLS, **{WAYS: ["manual", "conversations"], "drill_column": "conversations", **_sides()})
    at.button(key="drill:Expire it").click().run()
    done(at)
    assert len(at.warning) == 1
    side = next(iter(services.sides().values()))
    manual, conversations = side.states(["manual", "conversations"])
    assert conversations.done[-1].error is not None
    assert all(each.error is None for each in manual.done)


def test_deleting_a_middle_response_needs_a_chain(chat: ChatService, words: WordModel) -> None:
    at = opened(**{WAYS: ["responses"]})
    for text in ("one", "two", "three"):
        say(at, text)
    at = opened(view.DRILLS, **{WAYS: ["responses"], "drill_column": "responses", **_sides()})
    at.button(key="drill:Delete a middle response").click().run()
    done(at)
    assert any("Response 1 of 3 was deleted (proven)." in caption.value for caption in at.caption)


def test_a_chat_moves_to_a_server_and_back_and_what_stays_behind_is_named(chat: ChatService, words: WordModel) -> None:
    written_elsewhere(chat, user("I am Ada"), Message("tool", "42", {"tool_call_id": "c"}), assistant("Hello Ada"))
    at = opened(view.MOVE, **{WAYS: ["conversations"]})
    assert any(
        "2 messages can move." in markdown.value and "1 message of the role tool cannot move." in markdown.value
        for markdown in at.markdown
    )
    at.button(key="move:conversations").click().run()
    assert not at.exception, at.exception
    assert "Moved 2 messages" in at.info[0].value
    at.button(key="back:conversations").click().run()
    assert any("2 messages were read from the server" in markdown.value for markdown in at.markdown)
    brought = at.session_state["brought"][0]
    assert [message.to_dict() for message in chat.store.load(brought)] == [
        {"role": "user", "content": "I am Ada"},
        {"role": "assistant", "content": "Hello Ada"},
    ]
    assert len(chat.store.load(SESSION)) == 3


def test_retired_hosts_get_a_card_and_nothing_is_sent(
    chat: ChatService, words: WordModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = Endpoint("openai", "openai", "OpenAI", None, "gpt-5", "sk-x", needs_key=True)
    monkeypatch.setattr(services, "endpoint", lambda name: official)
    at = opened(threads_where="openai", **{"threads_ways:openai": ["assistants"]})
    assert any("switched off on 2026-08-26" in info.value and "Nothing was sent." in info.value for info in at.info)
    say(at, "hello")
    state = next(iter(services.sides().values())).states(["assistants"])[0]
    assert state.done[0].error is not None
    assert state.done[0].error["kind"] == "Retired"


def test_every_statement_of_the_reference_has_its_source_and_day(chat: ChatService, words: WordModel) -> None:
    at = opened(view.REFERENCE, **{"table:reference": True})
    frame = at.dataframe[0].value
    assert len(frame) == len(FACTS) * len(reference.QUESTIONS)
    assert frame.map(bool).all().all()
    assert set(frame["read on"]) == {"2026-11-22"}
    assert any("26 August 2026" in markdown.value for markdown in at.markdown)
