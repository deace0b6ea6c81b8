"""Settings, pins and mutes that are tried on the next request before they are kept.

Trying writes nothing to the store; only `keep` does. A draft lives in the browser session and is lost with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.chat_settings import ChatSettings
from lib.context import Marks
from lib.errors import ChatError
from lib.history import Mark
from lib.ui.context_window import state
from lib.ui.shell import services, session
from lib.ui.shell.page import Page


@dataclass(frozen=True, slots=True)
class DraftSettings:
    """The draft of one session: changed settings, changed marks by the stored index of a user message, and a prompt."""

    page: Page
    changed: Mapping[str, Any] = field(default_factory=dict)
    changed_marks: Mapping[int, Mark | None] = field(default_factory=dict)
    prompt: str = ""

    @property
    def settings(self) -> ChatSettings:
        """The session's settings with the draft's changes."""
        return self.page.settings.updated(self.changed)

    @property
    def marks(self) -> Marks:
        """The session's pins, mutes and summary with the draft's pins and mutes over them."""
        about = self.page.about
        return Marks(self._marked("muted", about.muted), self._marked("pinned", about.pinned), about.summary)

    @property
    def differs(self) -> bool:
        """Whether keeping the draft would change anything."""
        return self.settings != self.page.settings or self.marks != self.page.about.marks

    def mark_of(self, index: int) -> Mark | None:
        """ "pinned", "muted" or None."""
        marks = self.marks
        return "muted" if index in marks.muted else "pinned" if index in marks.pinned else None

    def _marked(self, mark: str, stored: frozenset[int]) -> frozenset[int]:
        return frozenset(
            {index for index in stored if index not in self.changed_marks}
            | {index for index, value in self.changed_marks.items() if value == mark}
        )


def of(page: Page) -> DraftSettings:
    """The draft of this session."""
    kept = state.draft_changes(page.session_id)
    return DraftSettings(page, kept.settings, kept.marks, kept.prompt)


def change(page: Page, settings: ChatSettings) -> None:
    """Keep what differs between these settings and the session's. For callbacks."""
    _keep_changes(page, settings=settings.changes_from(page.settings))


def change_prompt(page: Page) -> None:
    """Take the typed prompt into the draft. For callbacks."""
    _keep_changes(page, prompt=state.typed_prompt(page.session_id))


def mark(page: Page, index: int, value: Mark | None) -> None:
    """Pin or mute an exchange in the draft; None undoes both. For callbacks."""
    _keep_changes(page, marks={**state.draft_changes(page.session_id).marks, index: value})


def forget(page: Page) -> None:
    """Forget changed settings and marks; the prompt stays. For callbacks."""
    _keep_changes(page, settings={}, marks={})


def keep(page: Page) -> None:
    """Store the draft's settings and marks with the session. For callbacks."""
    draft, store = of(page), services.chat().store
    try:
        if draft.settings != page.settings:
            store.save_settings(page.session_id, draft.settings.to_dict())
        for index, value in draft.changed_marks.items():
            stored = "muted" if index in page.about.muted else "pinned" if index in page.about.pinned else None
            if value != stored:
                store.mark(page.session_id, index, value)
    except ChatError as error:
        session.flash(f"{error.what} The change was not stored. {error.next_step}")
        return
    forget(page)


def _keep_changes(page: Page, **changes: Any) -> None:
    kept = state.draft_changes(page.session_id)
    state.keep_draft_changes(page.session_id, kept._replace(**changes))
