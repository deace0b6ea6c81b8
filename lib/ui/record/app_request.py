"""One request that an app of one's own sent, on the context-window page: the body, its proof, and the rules it breaks.

The body is written again from the stored messages and the records of the turns; looking sends and stores nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.context.plan import ContextWindow
from lib.messages import Message
from lib.providers.export import Address
from lib.recorded_requests import RecordedRequest
from lib.recorder.rebuild import elements_as_sent, messages_sent, rebuilt
from lib.request_rules import RuleProvider
from lib.turns import Turn
from lib.ui.components import rule_verdict
from lib.ui.context_window import request_body
from lib.ui.format import numbers
from lib.ui.shell import menu
from lib.ui.shell.page import Page

SAME_VALUES = (
    ":material/verified: The request written again from the stored messages has the same values as the one that was"
    " sent. Your app wrote its JSON in a way that is not kept, so the bytes differ."
)


@dataclass(frozen=True, slots=True)
class AppWire:
    """Renders messages as an app sent them: by stored index where they were not sent as they are stored."""

    as_sent: Mapping[int, tuple[Any, ...]]

    def of(self, message: Message, index: int | None = None) -> str:
        """The elements of the body's list that the message was."""
        elements = None if index is None else self.as_sent.get(index)
        return "\n".join(json.dumps(each, ensure_ascii=False) for each in elements or (message.to_dict(),))


def wire_of(page: Page, turn: Turn) -> AppWire:
    """How the messages of this turn were sent."""
    return AppWire(elements_as_sent(turn, _turns(page)))


def draw_proof(page: Page, turn: Turn) -> None:
    """Whether the body written again is what was sent, and what became of its session."""
    body = rebuilt(turn, _turns(page), page.history)
    if body is not None and body.proof == "values":
        st.caption(SAME_VALUES)
    else:
        request_body.proof(body is not None and body.proof == "bytes", turn.request_sha256)
    assert turn.recorded is not None
    _lineage(turn.recorded)


def draw(page: Page, turn: Turn) -> None:
    """Where it went, what the app changed, the rules, and the body."""
    recorded = turn.recorded
    assert recorded is not None
    answer = "no answer came" if recorded.status is None else f"the answer had the status {recorded.status}"
    st.caption(f"Your app sent it through the recorder to `{recorded.url.replace('`', '')}`; {answer}.")
    if recorded.changed:
        which = ", ".join(str(index + 1) for index in recorded.changed[:20])
        st.caption(
            f":material/edit: Your app sent {numbers.plural(len(recorded.changed), 'message')} ({which}) with other"
            " words than before. What is stored stays as it was; open the line to see what was sent."
            f"{_size_as_sent(turn)}"
        )
    turns = _turns(page)
    if turn.plan is not None:
        window = ContextWindow(turn.plan.max_tokens, turn.plan.reserved_for_reply)
        messages = messages_sent(turn, turns, page.history)
        rule_verdict.of_sent(_rules(recorded), messages, turn.plan.input_tokens, window)
    body = rebuilt(turn, turns, page.history)
    if body is not None:
        request_body.draw(_address(recorded), body.data, body.sha256, turn.request_sha256, "sent")


def _size_as_sent(turn: Turn) -> str:
    """The size of the request, where those of the stored messages do not add up to it."""
    if turn.plan is None:
        return ""
    size = numbers.sized(turn.plan.input_tokens, turn.plan.provenance)
    return f" The sizes here are those of the stored words; as it was sent, the request had {size}."


def _lineage(recorded: RecordedRequest) -> None:
    """The session that this one would have continued."""
    if not recorded.parent:
        return
    shared = numbers.plural(recorded.parent_messages, "message")
    st.caption(
        f":material/fork_right: It begins like another recorded session ({shared} the same), which cannot show it:"
        " your app put something between its messages, changed more than it kept, or a turn there was not finished."
    )
    entry, where = menu.MENU["context_window"], {"session": recorded.parent}
    st.page_link(entry.path, label="Open that session", icon=entry.icon, query_params=where)


def _rules(recorded: RecordedRequest) -> RuleProvider:
    return "anthropic" if recorded.path == "/v1/messages" else "openai"


def _address(recorded: RecordedRequest) -> Address:
    if recorded.path == "/v1/messages":
        return Address(recorded.url, "x-api-key: ", "ANTHROPIC_API_KEY", ("anthropic-version: 2023-06-01",))
    return Address(recorded.url, "Authorization: Bearer ", "OPENAI_API_KEY")


def _turns(page: Page) -> list[Turn]:
    """All turns of the session: how a message was sent is said once, by the first turn that sent it so."""
    return [] if page.chat is None else page.chat.store.turns(page.session_id)
