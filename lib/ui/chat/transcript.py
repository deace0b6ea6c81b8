"""Draws the conversation: the newest messages, from a start that moves in steps.

Every message keeps its slot from one rerun to the next, so a conversation of 5,000 messages costs the browser no more
than one of ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.context.plan import ContextPlan
from lib.messages import Message
from lib.recorded_requests import prompt_of
from lib.tokens.counted import text_of
from lib.turns import Turn
from lib.ui.chat import actions, not_sent, turn_line, versions
from lib.ui.chat.not_sent import NotSent
from lib.ui.components import message_parts, odd_turns, whole_text
from lib.ui.components.message_parts.shown import shown_with, views_of
from lib.ui.components.message_parts.views import PartView
from lib.ui.components.reasoning import line as reasoning
from lib.ui.format.text import as_markdown, cut
from lib.ui.shell import session
from lib.ui.shell.page import Page

STEP = 20
"""Messages. The first one drawn is at a multiple of this, so 20 to 39 are drawn and the start moves once in twenty."""
AVATARS = {"user": ":material/person:", "assistant": ":material/auto_awesome:", "tool": ":material/build:"}


def draw(page: Page, plan: ContextPlan | None, notes: Mapping[int, str]) -> None:
    """Draw the newest messages. `plan` is that of the next request. `notes` are lines under messages, by stored
    index."""
    history = page.history
    start, turns, odd, found = _window(page)
    _offer_earlier(page, start)
    gone = NotSent.of(plan)
    drawn = list(versions.drawn(page.session_id, history, start, found))
    shown = shown_with(page, [history[each.index] for each in drawn], turns.values())
    cut = max((place for place, each in enumerate(drawn) if each.place < gone.cut_at), default=None)
    for place, each in enumerate(drawn):
        muted = each.exchange in page.about.muted
        with message(
            history[each.index],
            note=_why_muted(each, muted),
            grey=muted or each.index in gone,
            key=f"message-{each.index}",
            views=views_of(history[each.index], shown, each.index),
        ):
            if each.index == each.exchange and each.index in page.about.pinned and not muted:
                st.caption(":material/push_pin: Pinned: always sent")
            if each.index in notes:
                st.caption(notes[each.index])
            if each.index - 1 in turns:
                reasoning.draw(turns[each.index - 1], history[each.index], f"message-{each.index}")
            if each.exchange in turns and each.index == each.exchange + 1:
                end = versions.messages(history, each.exchange).stop
                turn_line.draw(turns[each.exchange], page.session_id, end if len(history) > 2 else None)
            if each.last and each.newest is not None and each.newest in found.of:
                versions.leaf(page.session_id, found, each.newest)
            if place == cut:
                st.caption(f":material/keyboard_double_arrow_up: {gone.line}")
    not_sent.style()
    odd_turns.draw(odd)
    last_exchange_actions(page, found)


def _why_muted(each: versions.Drawn, muted: bool) -> str:
    if each.replaced:
        return "Replaced: kept, but no longer sent"
    return "Replaced or muted: kept, but no longer sent" if muted else ""


def _offer_earlier(page: Page, start: int) -> None:
    """A button for the messages before the first one that is drawn."""
    if start:
        earlier = min(2 * STEP, start)
        st.button(
            f"Show earlier messages ({start:,} more are stored)",
            type="tertiary",
            icon=":material/expand_less:",
            key="earlier",
            on_click=session.draw_from,
            args=(page.session_id, start - earlier),
        )


def window_start(size: int) -> int:
    """Index of the first message drawn. Example: window_start(30) -> 0, window_start(5000) -> 4980 - 4980 % 20 =
    4980."""
    return max(0, (size - STEP) // STEP * STEP)


def message(
    entry: Message, *, note: str = "", grey: bool = False, key: str, views: Sequence[PartView] | None = None
) -> st.delta_generator.DeltaGenerator:
    """One message; returns its container, for what belongs below the text. A long message is drawn in part. The text is
    `grey` where it is not sent; `note` is drawn below it. `views` are the parts of a message that is more than a
    text."""
    role = _drawn_role(entry, views or ())
    container = st.chat_message(role, avatar=AVATARS.get(role, ":material/settings:"))
    with container:
        box = not_sent.text_box(key, grey=grey)
        if views is None:
            _text(entry.text, box, key)
        else:
            with box:
                message_parts.draw(views, key)
        if note:
            st.caption(note)
    return container


def _drawn_role(entry: Message, views: Sequence[PartView]) -> str:
    """Whose message it is: Claude's tool results have the user's role, and reasoning alone one of its own."""
    kinds = {view.kind for view in views}
    return "tool" if kinds == {"result"} else "assistant" if kinds == {"reasoning"} else entry.role


def _text(text: str, box: st.delta_generator.DeltaGenerator, key: str) -> None:
    beginning, rest = cut(text)
    box.markdown(as_markdown(beginning) if text else ":gray[(empty)]")
    if rest:
        panel = st.popover(f"{rest:,} more characters", key=f"{key}-all", on_change="rerun")
        if panel.open:
            whole_text.draw(panel, text, f"{key}-all", 400)


def last_exchange_actions(page: Page, found: versions.Versions) -> None:
    """Copy, retry and edit for the newest exchange; copy alone while an earlier version of it is shown."""
    prompt_at = next((i for i in range(len(page.history) - 1, -1, -1) if page.history[i].role == "user"), None)
    if prompt_at is None or prompt_at in page.about.muted or page.live is not None or page.chat is None:
        return
    prompt = page.history[prompt_at]
    shown = versions.messages(page.history, versions.shown(page.session_id, found, prompt_at))
    with st.container(horizontal=True, gap="small", key="last_actions"):
        _copy([page.history[at] for at in dict.fromkeys((shown[0], shown[-1]))])
        if isinstance(prompt.content, str) and shown[0] == prompt_at and page.may_write:
            st.button(
                "Retry",
                icon=":material/refresh:",
                type="tertiary",
                key="retry_last",
                on_click=actions.send_text,
                args=(page.session_id, prompt.content, page.settings),
                kwargs={"replaces": prompt_at},
                help="Ask again. This reply is kept, but no longer sent.",
            )
            st.button(
                "Edit",
                icon=":material/edit:",
                type="tertiary",
                key="edit_last",
                on_click=actions.edit_last,
                args=(prompt_at, prompt.content),
                help="Change your last message and send it again.",
            )


def _copy(texts: Sequence[Message]) -> None:
    """A button that opens the texts of these messages, to be copied."""
    panel = st.popover("Copy", icon=":material/content_copy:", type="tertiary", key="copy", on_change="rerun")
    if panel.open:
        with panel:
            st.caption("The texts exactly as they are stored. The copy button is at the top right of each.")
            for each in texts:
                text = each.text if isinstance(each.content, str) else text_of(each)
                whole_text.draw(panel, text, f"copy-{each.role}", 160)


def _window(page: Page) -> tuple[int, dict[int, Turn], list[Turn], versions.Versions]:
    """Index of the first message to draw; turn records by the stored index of their user message; odd ones that belong
    to no reply; and the versions of what is drawn.

    Reads as many turns as are drawn, and more only where the versions of an exchange go further back.
    """
    size = len(page.history)
    start = session.first_drawn(page.session_id, window_start(size))
    replaced_now = page.live.replaces if page.live is not None else None
    if page.chat is None or not size:
        return start, {}, [], versions.Versions()
    newest = (size - start) // 2 + 2
    while True:
        turns = page.chat.store.turns(page.session_id, newest=newest)
        places = [(turn, place_of(turn, page)) for turn in turns]
        stored = {at: turn for turn, at in places if at is not None and at + 1 < size}
        odd = [turn for turn, at in places if turn.note and at not in stored]
        found = versions.find(stored, page.about.muted, replaced_now)
        while start and versions.own_places(page.history, start, found) < STEP:
            start = max(0, start - STEP)
        needed = (size - start) // 2 + 2
        if found.earliest is not None and found.earliest < min(start, *stored):
            needed = max(needed, 2 * newest)
        if needed <= newest or len(turns) < newest:
            return start, stored, odd, found
        newest = needed


def place_of(turn: Turn, page: Page) -> int | None:
    """Stored index of the turn's prompt: where it was planned to go, or a little later if another service wrote
    meanwhile."""
    expected = turn.plan.stored if turn.plan is not None else None
    if expected is None:
        return None
    near = range(expected, min(expected + 8, len(page.history)))
    return next((at for at in near if _said(page.history[at], turn) == turn.prompt), None)


def _said(entry: Message, turn: Turn) -> Any:
    """What a turn has as its prompt if this message is it: an app's own may be of several parts."""
    return entry.content if turn.recorded is None else prompt_of(entry)
