"""Every page and tab on odd sessions, left by other services, older versions and accidents, never shows a traceback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lib.chat.service import ChatService
from lib.context.candidates import Summary
from lib.errors import ProviderUnavailable
from lib.messages import Message, assistant, system, user
from lib.turns import LiveTurn
from lib.ui.context_window import tabs as context_window
from lib.ui.threads import state as threads
from tests.support.pages import SESSION, exchange, overwritten, page, settings

TABS: list[tuple[str, str, str | None]] = [
    ("app.py", "", None),
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
]
NASTY = "<script>alert(1)</script> $x$ :red[y] `z` \ud83d [link](javascript:alert(1)) a"
CALL = {"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}
HISTORIES: dict[str, Sequence[Message]] = {
    "empty": (),
    "an assistant's greeting alone": (assistant("Hello"),),
    "instructions alone": (system("Be kind"),),
    "no content": (
        Message("user", None),
        Message("assistant", None, CALL),
        Message("tool", "a", {"tool_call_id": "c1"}),
    ),
    "parts": (
        Message("user", [{"type": "text", "text": NASTY}, {"type": "image_url", "image_url": {"url": "data:,"}}]),
        assistant(""),
    ),
    "text that could do harm": (user(NASTY), assistant(NASTY), user(""), assistant("a\x00b")),
    "unknown roles": (Message("critic", "no"), user("a"), Message("function", "x"), user("b")),
    "two questions in a row": (user("a"), user("b"), user("c")),
}


def open_every_tab(state: dict[str, Any] | None = None) -> None:
    """Open every tab of every page."""
    for path, key, tab in TABS:
        opened = dict(state or {}) | ({key: tab} if tab else {})
        at = page(
            path,
            state=opened | {"fact": "a", "lint": True, "break_it": True, "sent:request": True, "next:request": True},
        )
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
        {"system_prompt": NASTY},
    ],
)
def test_no_tab_fails_on_these_settings(chat: ChatService, changes: dict[str, object]) -> None:
    exchange(chat, "My sister lives in Lisbon 4711", "Noted")
    exchange(chat, "and?", "yes")
    chat.store.save_settings(SESSION, settings(**changes).to_dict())
    open_every_tab()


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
