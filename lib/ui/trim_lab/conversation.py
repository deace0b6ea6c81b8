"""Lab: the conversation that the trim lab is looking at, and how its messages are called.

The rule: plain values, made anew at every rerun.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from lib.analysis.requests import MessageSizes
from lib.chat_settings import ChatSettings
from lib.context.plan import Candidates
from lib.lab.facts import suggested
from lib.messages import Message
from lib.tokens.ledger import TokenLedger
from lib.ui.format.text import drawable
from lib.ui.shell import services
from lib.ui.shell.page import Page

LABEL = 70
"""Characters of a message where one is picked."""


@dataclass(frozen=True, slots=True)
class Lab:
    """One conversation, sized by its counter; `muted` and `pinned` are stored indexes."""

    page: Page
    history: Sequence[Message]
    sizes: MessageSizes
    muted: Collection[int]
    pinned: Collection[int]
    example: bool = False

    @property
    def settings(self) -> ChatSettings:
        """The session's settings; for the example, in a window that it outgrows."""
        return (
            replace(self.page.settings, max_tokens=1024, reserved_for_reply=128) if self.example else self.page.settings
        )

    @property
    def key(self) -> str:
        """Tells the state of one conversation's widgets from another's."""
        return "example" if self.example else self.page.session_id

    def candidates(self) -> Candidates:
        """Everything the next request could hold, without a new message."""
        ledger = (
            TokenLedger(self.sizes.counter)
            if self.page.chat is None or self.example
            else self.page.chat.ledger(self.page.session_id, self.sizes.counter)
        )
        return Candidates.gather(self.settings.system_prompt, self.history, "", ledger)

    def name_of(self, index: int) -> str:
        """Example: "1 · user: My sister lives in Lisbon." """
        text = " ".join(drawable(self.history[index].text).split())
        text = text if len(text) <= LABEL else text[: LABEL - 1] + "…"
        return f"{index + 1} · {self.history[index].role}: {text}"

    def sizes_for(self, settings: ChatSettings) -> MessageSizes:
        """By the counter of other settings' model; by the conversation's own where it is the same."""
        counter = services.counter_of(settings)
        return self.sizes if counter.name == self.sizes.counter.name else MessageSizes(counter, self.history)

    def pick_facts(self, label: str = "Facts to follow") -> list[int]:
        """Stored indexes of messages to follow: suggestions at first, changed as a person likes, the same in every tab."""
        key = f"lab_facts:{self.key}"
        kept = f"{key}:kept"
        if kept not in st.session_state:
            st.session_state[kept] = list(dict.fromkeys(fact.index for fact in suggested(self.history)))[:3]
        st.session_state[key] = [at for at in st.session_state[kept] if at < len(self.history)]
        return st.multiselect(
            label,
            range(len(self.history)),
            key=key,
            format_func=self.name_of,
            on_change=_keep,
            args=(key, kept),
            help="Messages a later answer needs. Suggestions are picked; add or remove any.",
        )


def _keep(key: str, kept: str) -> None:
    st.session_state[kept] = list(st.session_state[key])
