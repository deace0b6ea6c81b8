"""Settings, pins and mutes tried on the next request, before they are kept.

The rule: trying writes nothing to the store; only `keep` does. A draft lives in the browser session and is lost with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.history import Mark
from lib.ui.shell import services, session
from lib.ui.shell.page import Page


@dataclass(frozen=True, slots=True)
class DraftSettings:
    """What is tried in one session: fields of its settings, and marks by the stored index of a user message."""

    page: Page
    changed: dict[str, Any] = field(default_factory=dict)
    marks: dict[int, Mark | None] = field(default_factory=dict)
    draft: str = ""

    @property
    def settings(self) -> ChatSettings:
        """The session's settings with the tried ones over them."""
        return self.page.settings.updated(self.changed)

    @property
    def pinned(self) -> frozenset[int]:
        return self._marked("pinned", self.page.about.pinned)

    @property
    def muted(self) -> frozenset[int]:
        return self._marked("muted", self.page.about.muted)

    @property
    def differs(self) -> bool:
        """Whether keeping it would change anything."""
        about = self.page.about
        return self.settings != self.page.settings or (self.pinned, self.muted) != (about.pinned, about.muted)

    def mark_of(self, index: int) -> Mark | None:
        """ "pinned", "muted" or None."""
        return "muted" if index in self.muted else "pinned" if index in self.pinned else None

    def key(self, name: str) -> str:
        """The widget of a field. It holds the tried value from now on."""
        key = f"{self.page.session_id}:try:{name}"
        st.session_state[key] = self.draft if name == "draft" else getattr(self.settings, name)
        return key

    def _marked(self, mark: str, stored: frozenset[int]) -> frozenset[int]:
        return frozenset(
            {index for index in stored if index not in self.marks}
            | {index for index, said in self.marks.items() if said == mark}
        )


def of(page: Page) -> DraftSettings:
    """The draft of this session."""
    kept = _kept(page)
    return DraftSettings(
        page,
        kept.get("changed", {}),
        {int(at): mark for at, mark in kept.get("marks", {}).items()},
        kept.get("draft", ""),
    )


def change(page: Page, name: str) -> None:
    """Take over what a widget says. For callbacks."""
    value = st.session_state.get(f"{page.session_id}:try:{name}")
    kept = _kept(page)
    if name == "draft":
        _store(page, kept | {"draft": value or ""})
    elif value is not None:
        _store(page, kept | {"changed": kept.get("changed", {}) | {name: value}})


def mark(page: Page, index: int, said: Mark | None) -> None:
    """Pin or mute an exchange, or neither. For callbacks."""
    kept = _kept(page)
    _store(page, kept | {"marks": kept.get("marks", {}) | {str(index): said}})


def forget(page: Page) -> None:
    """Back to what is stored; the draft stays. For callbacks."""
    _store(page, {"draft": _kept(page).get("draft", "")})


def keep(page: Page) -> None:
    """Store what was tried with the session. For callbacks."""
    tried, store = of(page), services.chat().store
    try:
        if tried.settings != page.settings:
            store.save_settings(page.session_id, tried.settings.to_dict())
        for index, said in tried.marks.items():
            stored = "muted" if index in page.about.muted else "pinned" if index in page.about.pinned else None
            if said != stored:
                store.mark(page.session_id, index, said)
    except ChatError as error:
        session.flash(f"{error.what} The change was not stored. {error.next_step}")
        return
    forget(page)


def _kept(page: Page) -> dict[str, Any]:
    kept: dict[str, Any] = st.session_state.get(f"{page.session_id}:draft", {})
    return kept


def _store(page: Page, kept: Mapping[str, Any]) -> None:
    st.session_state[f"{page.session_id}:draft"] = dict(kept)
