"""Column: one of the chats side by side, as the page shows it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from lib.chat.rounds import Standing
from lib.errors import ChatError
from lib.turns import Turn
from lib.ui.compare import names, state
from lib.ui.shell import page as pages
from lib.ui.shell import services
from lib.ui.shell.page import Page


@dataclass(frozen=True, slots=True)
class Column:
    """A chat with its letter. `name` is empty while the names are hidden."""

    letter: str
    name: str
    page: Page
    turns: Sequence[Turn]
    standing: Standing

    @property
    def session_id(self) -> str:
        return self.page.session_id

    @property
    def busy(self) -> bool:
        """Whether it is being asked, or waits for its turn. Also by another process."""
        live = self.page.live
        return self.standing.busy or (live is not None and not live.interrupted)

    @property
    def heading(self) -> str:
        """Example: "A: gpt-6-luna"; "A" while the names are hidden."""
        return f"{self.letter}: {self.name}" if self.name else self.letter

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of it: it expired, or never was."""
        return not self.turns and not self.page.history and self.page.live is None and not self.busy


def load() -> list[Column]:
    """The chats side by side in the order shown. Names that are hidden are mixed, so that the order tells nothing."""
    ids = state.column_ids()
    hidden = state.is_blind() and not is_revealed(ids)
    ids = in_order(ids, blind=state.is_blind())
    shown = [pages.load(session_id) for session_id in ids]
    called = [""] * len(ids) if hidden else names.names([page.settings for page in shown])
    return [
        Column(letter, name, page, _turns(page), services.rounds().standing(page.session_id))
        for letter, name, page in zip(names.LETTERS, called, shown, strict=False)
    ]


def in_order(ids: Sequence[str], *, blind: bool) -> tuple[str, ...]:
    """The order in which chats are shown. Mixed by their hashes if blind, so that it is the same each time."""
    return tuple(sorted(ids, key=lambda each: hashlib.sha256(each.encode()).digest()) if blind else ids)


def vote_id(ids: Sequence[str]) -> str:
    """The id of the vote on these chats, whatever their order."""
    return hashlib.sha256(",".join(sorted(ids)).encode()).hexdigest()[:32]


def is_revealed(ids: Sequence[str]) -> bool:
    """Whether the person has voted on these chats."""
    try:
        return any(vote.id == vote_id(ids) for vote in services.votes().votes())
    except ChatError:  # the page says so already
        return False


def _turns(page: Page) -> Sequence[Turn]:
    if page.chat is None or page.error is not None:
        return ()
    try:
        return page.chat.store.turns(page.session_id)
    except ChatError:  # loading the chat says so
        return ()
