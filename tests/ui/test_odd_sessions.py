"""Every page and tab on odd sessions, left by other services, older versions and accidents, never shows a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import streamlit as st

from lib.chat.service import ChatService
from lib.context.candidates import Summary
from lib.errors import CorruptHistory, ProviderUnavailable
from lib.messages import Message, assistant, system, user
from lib.providers.scripted import Script, ScriptedProvider
from lib.turns import LiveTurn
from lib.ui.context_window import tabs as context_window
from lib.ui.sessions import tabs as sessions
from lib.ui.shell import services
from lib.ui.threads import state as threads
from tests.support.app.pages import SESSION, exchange, overwritten, page, settings
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until

TABS: list[tuple[str, str, str | None]] = [
    ("app.py", "", None),
    ("pages/record.py", "", None),
    ("pages/providers.py", "", None),
    ("pages/compare.py", "", None),
    ("pages/prompt_sets.py", "", None),
    ("pages/lessons.py", "", None),
    *(
        ("pages/tokens.py", "tokens_tab", name)
        for name in ("Request by request", "Who counted", "Money", "Inside a message")
    ),
    *(
        ("pages/context_window.py", "context_window_tab", name)
        for name in (context_window.SENT, context_window.CHANGED, context_window.FIND, context_window.NEXT)
    ),
    *(
        ("pages/trim_lab.py", "lab_tab", name)
        for name in (
            "What is lost at which budget?",
            "Which strategy loses least?",
            "Does the model still know?",
            "What does trimming cost?",
            "Open a report",
        )
    ),
    *(("pages/threads.py", threads.TAB, name) for name in threads.TABS),
    *(("pages/sessions.py", sessions.TAB, name) for name in sessions.TABS),
    *(("pages/sessions.py", sessions.VIEW, name) for name in sessions.VIEWS),
]
READS_SETTINGS = [
    each
    for each in TABS
    if each[0] in ("app.py", "pages/compare.py", "pages/trim_lab.py")
    or each[2] in ("Request by request", context_window.NEXT, sessions.SETTINGS, *threads.TABS[:1])
]
"""The tabs that plan a request with the session's settings, or show them."""
OPENED: dict[str, Any] = {
    sessions.TAB: sessions.OPEN,
    "fact": "a",
    "lint": True,
    "break_it": True,
    "sent:request": True,
    "next:request": True,
    "sent:edit": True,
}
"""What stands open besides the tab."""
NASTY = "<script>alert(1)</script> $x$ :red[y] `z` \ud83d [link](javascript:alert(1)) a"
CALL = {"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}


def nested(levels: int) -> Any:
    """A JSON value that is nested so deep."""
    value: Any = "4711"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


HISTORIES: dict[str, Sequence[Message]] = {
    "empty": (),
    "an assistant's greeting alone": (assistant("Hello"),),
    "instructions alone": (system("Be kind"),),
    "odd messages of every kind": (
        Message("critic", "no"),
        user("a"),
        Message("function", "x"),
        user("b"),
        user("c"),
        Message("user", None),
        Message("assistant", None, CALL),
        Message("tool", "a", {"tool_call_id": "c1"}),
        Message("user", [{"type": "text", "text": NASTY}, {"type": "image_url", "image_url": {"url": "data:,"}}]),
        assistant(""),
        user(NASTY),
        assistant(NASTY),
        user(""),
        assistant("a\x00b"),
    ),
    "nested as deep as is read": (
        Message("user", nested(99)),
        Message("assistant", nested(99), {"tool_calls": nested(99), "refusal": nested(99)}),
        Message("user", [{"type": "text", "text": nested(90)}]),
    ),
}


def open_every_tab(state: dict[str, Any] | None = None, tabs: Sequence[tuple[str, str, str | None]] = TABS) -> None:
    """Open these tabs: every one of every page by default."""
    for path, key, tab in tabs:
        at = page(path, state=dict(state or {}) | OPENED | ({key: tab} if tab else {}))
        assert not at.exception, (path, tab, at.exception)


@pytest.mark.parametrize("name", list(HISTORIES))
def test_no_tab_fails_on_these_messages(chat: ChatService, name: str) -> None:
    overwritten(chat, *HISTORIES[name])
    open_every_tab()


@pytest.mark.parametrize(
    "changes",
    [
        {"strategy": "gone"},
        {"provider": "gone", "model": "gone"},
        {"max_tokens": 33, "reserved_for_reply": 8},
        {"reserved_for_reply": 9999},
        {"strategy": "summarize", "summary_provider": "gone", "summary_model": "x"},
        {"keep_first": -4, "last_exchanges": 0, "low_mark": 7.5},
        {"max_tokens": 12_345_678, "model": ""},
        {"max_tokens": 10**30, "reserved_for_reply": 10**30, "keep_first": 10**30},
        {"max_tokens": -7, "reserved_for_reply": -7, "low_mark": -1.5},
        {"system_prompt": NASTY},
    ],
)
def test_no_tab_fails_on_these_settings(chat: ChatService, changes: dict[str, object]) -> None:
    exchange(chat, "My sister lives in Lisbon 4711", "Noted")
    exchange(chat, "and?", "yes")
    chat.store.save_settings(SESSION, settings(**changes).to_dict())
    open_every_tab(tabs=READS_SETTINGS)


def test_no_tab_fails_on_an_interrupted_turn(chat: ChatService) -> None:
    exchange(chat, "one", "two")
    error = ProviderUnavailable("It went away.")
    chat.store.begin(SESSION, LiveTurn("my words", settings(), "test", 0.0, text="half", error=error))
    open_every_tab()


def test_no_tab_fails_on_marks_and_summaries_that_point_nowhere(chat: ChatService) -> None:
    exchange(chat, "one", "two")
    chat.store.mark(SESSION, 77, "pinned")
    chat.store.mark(SESSION, 1, "muted")
    chat.store.keep_summaries(SESSION, [Summary("About nothing.", ((40, 90),), NASTY)])
    chat.store.save_settings(SESSION, settings(strategy="summarize").to_dict())
    open_every_tab({"summary": True})


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer().start()
    yield server
    server.close()


@pytest.fixture
def shared_chat(monkeypatch: pytest.MonkeyPatch, typist: Typist, redis_server: RedisServer) -> Iterator[ChatService]:
    """The app on a Redis that others write to as well."""
    for name, value in {"REDIS_URL": redis_server.url, "OPENAI_BASE_URL": typist.url, "OPENAI_API_KEY": "sk-x"}.items():
        monkeypatch.setenv(name, value)
    st.cache_resource.clear()
    service = services.chat()
    service.store.save_settings(SESSION, settings().to_dict())
    yield service
    service.store.close()
    st.cache_resource.clear()


def _with(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda record: record | changes


def _planned(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda record: record | {"plan": record["plan"] | changes}


ODD_TURNS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "figures that are words": _with(usage={"input_tokens": "many", "output_tokens": [1]}),
    "negative figures": _with(usage={"input_tokens": -4, "output_tokens": -1, "cached_tokens": -9}),
    "a usage that is a list": _with(usage=[1, 2]),
    "a model that is an object": _with(model={"a": 1}, provider=["x"]),
    "a huge figure": _with(usage={"input_tokens": 10**40, "output_tokens": 10**40}),
    "a request that is text": _with(request="x", request_sha256=7),
    "a time far away": _with(started_at=1e18, duration_ms=-5, first_token_ms="soon"),
    "a reason with markup": _with(stop_reason="**:red[x]** <script>", note="a `note` <b>"),
    "a reason that is a list": _with(stop_reason=["x"], request_id={}),
    "no plan": _with(plan=None),
    "a plan that is text": _with(plan="none"),
    "runs past the end": _planned(runs=[[0, 99, True, "fits"]]),
    "a reason that nobody knows": _planned(runs=[[0, 1, True, "because"]]),
    "a strategy that is gone": _planned(strategy="gone", counter="gone"),
    "sizes that are words": _planned(input_tokens="x", max_tokens=None, stored="0"),
    "no fields": lambda record: {"id": "x"},
    "a number": lambda record: 7,
    "a list": lambda record: [record],
    "not JSON": lambda record: "rubbish",
}


def test_no_tab_fails_on_a_history_that_is_nested_too_deeply(
    shared_chat: ChatService, redis_server: RedisServer
) -> None:
    deep = "[" * 990 + "]" * 990  # json.dumps gives up at about a thousand
    value = '[{"role":"user","content":"hi"},{"role":"assistant","content":' + deep + "}]"
    with redis_server.client() as client:
        client.set(f"chat:{SESSION}", value)
    open_every_tab()
    at = page()
    assert any("nested more than 100 levels deep" in error.value for error in at.error)
    with pytest.raises(CorruptHistory):
        shared_chat.send(SESSION, "hi", settings(), lambda _: ScriptedProvider(Script(["no"])))
    with redis_server.client() as client:
        assert client.get(f"chat:{SESSION}") == value.encode()


def test_what_is_nested_as_deep_as_is_read_can_be_sent(shared_chat: ChatService, redis_server: RedisServer) -> None:
    stored = [message.to_dict() for message in HISTORIES["nested as deep as is read"]]
    with redis_server.client() as client:
        client.set(f"chat:{SESSION}", json.dumps(stored))
    at = page()
    at.chat_input[0].set_value("and now?").run()
    assert not at.exception
    wait_until(lambda: shared_chat.live(SESSION) is None)
    assert [message.role for message in shared_chat.store.load(SESSION)][-2:] == ["user", "assistant"]


def test_no_tab_fails_on_odd_turn_records(shared_chat: ChatService, redis_server: RedisServer) -> None:
    records: list[bytes] = []
    stream = f"{{chat:{SESSION}}}:turns"
    with redis_server.client() as client:
        for name, change in ODD_TURNS.items():
            exchange(shared_chat, f"Is there {name}?", "It is 4711.")
            record = json.loads(client.xrevrange(stream, count=1)[0][1][b"turn"])
            changed = change(record)
            records.append(b"rubbish" if changed == "rubbish" else json.dumps(changed).encode())
        client.delete(stream)
        for number, record in enumerate(records, start=1):
            client.xadd(stream, {"turn": record}, id=f"{number}-0")
    open_every_tab()
    for number in range(1, len(records) + 1):
        at = page("pages/context_window.py", state={"context_window_tab": context_window.SENT}, turn=str(number))
        assert not at.exception, list(ODD_TURNS)[number - 1]
    chat = page()
    captions = [caption.value for caption in chat.caption]
    assert any("values that cannot be used" in caption and "more turns" in caption for caption in captions)
    assert len(chat.chat_message) == 2 * len(records)
