"""The conversation that the trim lab looks at: picked from a list, with its sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lib.analysis.requests import MessageSizes
from lib.chat_settings import ChatSettings
from lib.context import NO_MARKS, Marks
from lib.context.candidates import Candidates
from lib.errors import ChatError
from lib.lab.example import EXAMPLE
from lib.messages import Message
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.ui.components import message_sizes
from lib.ui.components.message_parts.views import words_of
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown, as_option
from lib.ui.shell import services, session
from lib.ui.shell.page import Page
from lib.ui.trim_lab import state

EXAMPLE_NAME = "example"
"""The choice of the example instead of a session."""
EXAMPLE_WINDOW, EXAMPLE_RESERVE = 1024, 128
"""Tokens; the example is too long for this window."""
MOST_SESSIONS = 30
"""Stored sessions in the list."""
UNCACHED_HELP = (
    "Uncached tokens are those at which a request begins to differ from the one before it, and all after them. A prompt"
    " cache does not have them, so the model reads them, at the full price."
)
LABEL = 70
"""Characters of a message in a list."""


@dataclass(frozen=True, slots=True)
class Lab:
    """One conversation with its sizes, pins and mutes."""

    page: Page
    history: Sequence[Message]
    sizes: MessageSizes
    marks: Marks
    example: bool = False

    @property
    def settings(self) -> ChatSettings:
        """The session's settings; the example has a window that it does not fit."""
        if not self.example:
            return self.page.settings
        return self.page.settings.in_window(EXAMPLE_WINDOW, EXAMPLE_RESERVE)

    @property
    def key(self) -> str:
        """Tells the widgets of one conversation from those of another."""
        return EXAMPLE_NAME if self.example else self.page.session_id

    def candidates(self) -> Candidates:
        """Everything the next request could hold, without a new message."""
        ledger = (
            TokenLedger(self.sizes.counter)
            if self.page.chat is None or self.example
            else self.page.chat.ledger(self.page.session_id, self.sizes.counter)
        )
        return Candidates.gather(self.settings.system_prompt, self.history, "", ledger)

    def label_of(self, index: int) -> str:
        """Example: "1 · user: My sister lives in Lisbon." """
        return f"{index + 1} · {self.history[index].role}: {as_option(words_of(self.history[index]), LABEL)}"

    def sizes_for(self, settings: ChatSettings) -> MessageSizes:
        """The sizes by the counter of these settings' model."""
        counter = services.counter_of(settings)
        return self.sizes if counter.name == self.sizes.counter.name else MessageSizes(counter, self.history)


def pick(page: Page) -> str | None:
    """Let the user pick a conversation: a session's id or EXAMPLE_NAME. None if no session can be read."""
    if page.chat is None or page.error is not None:
        return None
    names: dict[str, str] = {}
    if page.history:
        names[page.session_id] = f"This chat: {as_option(page.about.title) or 'untitled'}"
    try:
        for entry in page.chat.store.sessions(MOST_SESSIONS):
            names.setdefault(entry.session_id, as_option(entry.title) or "untitled")
    except ChatError as error:
        st.caption(f":material/info: {as_markdown(error.what)}")
    names[EXAMPLE_NAME] = f"An example: planning a trip ({len(EXAMPLE)} messages)"
    key = state.seed_conversation(page.session_id, names, page.session_id if page.history else EXAMPLE_NAME)
    return st.selectbox(
        "Conversation",
        list(names),
        key=key,
        format_func=lambda name: names.get(name, name),
        on_change=_open_picked,
        args=(page.session_id,),
    )


def _open_picked(session_id: str) -> None:
    """Open the session that was picked. For callbacks."""
    picked = state.picked_conversation(session_id)
    if picked != EXAMPLE_NAME:
        session.open_session(picked)


def load(page: Page, picked: str | None) -> Lab | None:
    """The picked conversation with its sizes. Picking another session has opened it, so it is the page's own."""
    if picked is None:
        return None
    if picked == EXAMPLE_NAME:
        counter = _asked_counter(page)
        return Lab(page, EXAMPLE, MessageSizes(counter, EXAMPLE, TokenLedger(counter)), NO_MARKS, example=True)
    return Lab(page, page.history, message_sizes.own_sizes(page), page.about.marks)


def _asked_counter(page: Page) -> TokenCounter:
    """The session's counter, or the estimate if it cannot be reached."""
    try:
        return services.asked_counter(page.settings)
    except ChatError:
        return ESTIMATE


def headline(lab: Lab) -> None:
    """Draw the size of the conversation and what the lab does with it."""
    size = numbers.sized(lab.sizes.between(0, len(lab.history)), lab.sizes.provenance)
    st.markdown(
        f"**{numbers.plural(len(lab.history), 'message')}, {size}.** Nothing is sent until you press Run; your chat"
        " isn't changed."
    )
