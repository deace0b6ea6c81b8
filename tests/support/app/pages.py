"""Opens a page in AppTest, and stores the conversations it shows."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.messages import Message, assistant, user
from lib.turns import LiveTurn, PlanSummary, Turn
from lib.ui.chat import clear_chat, settings_panel
from tests.support.app.other_service import overwrite

# AppTest looks through all installed packages for components on each run, which takes ten times as long as most pages
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)

ROOT = Path(__file__).parents[3]
SESSION = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def settings(**changes: Any) -> ChatSettings:
    """Settings that choose the typist."""
    return replace(ChatSettings("openai", "typist-1", "Be brief.", 4096, 512, "oldest_first"), **changes)


def page(
    path: str = "app.py", session_id: str = SESSION, state: Mapping[str, object] | None = None, **parameters: str
) -> AppTest:
    """Run a page with this session state and these query parameters."""
    at = AppTest.from_file(ROOT / "app.py", default_timeout=20)
    if path != "app.py":
        at.switch_page(path)
    at.query_params["session"] = session_id
    for name, value in parameters.items():
        at.query_params[name] = value
    for panel in (settings_panel.SETTINGS, clear_chat.CLEAR):
        at.session_state[panel] = True  # open: a closed panel draws nothing inside
    for key, kept in (state or {}).items():
        at.session_state[key] = kept
    return at.run()


def exchange(chat: ChatService, prompt: str, reply: str, session_id: str = SESSION, **turn: Any) -> None:
    """Store an exchange as a turn would."""
    live = LiveTurn(prompt, settings(), "test", 0.0)
    chat.store.begin(session_id, live)
    stored = len(chat.store.load(session_id))
    plan = PlanSummary(
        ((0, stored + 1, True, "fits"),),
        stored,
        stored + 1,
        0,
        9,
        None,
        4096,
        512,
        "oldest_first",
        "characters / 4",
        "estimated",
        True,
    )
    record = Turn(live.id, prompt, reply, "complete", "openai", "typist-1", "Be brief.", 0.0, plan=plan, **turn)
    chat.store.commit(session_id, live.id, [user(prompt), assistant(reply)], record)


def written_elsewhere(chat: ChatService, *messages: Message) -> None:
    """Messages without turns, as another service stores them."""
    overwrite(chat.store, SESSION, [*chat.store.load(SESSION), *messages])


def overwritten(chat: ChatService, *messages: Message) -> None:
    """Another service puts these messages in place of the stored ones."""
    overwrite(chat.store, SESSION, list(messages))
