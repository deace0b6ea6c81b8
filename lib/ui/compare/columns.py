"""Draws the chats side by side: messages and replies as they stream, and the figures of the newest request.

The columns are drawn anew twice a second while one of them is busy, and the whole page when another answer is complete.
Their boxes have one height, so that nothing moves while the replies grow.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.analysis.requests import records_of
from lib.errors import ChatError
from lib.turns import LiveTurn
from lib.ui.compare import actions, column, figures
from lib.ui.compare.column import Column
from lib.ui.components import message_parts
from lib.ui.components.message_parts.shown import shown_with, views_of
from lib.ui.components.message_parts.views import PartView
from lib.ui.components.reasoning import line as reasoning
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_markdown, cut
from lib.ui.shell import error_box, menu

WIDTH, HEIGHT = 262, 380
"""Pixels of a column's box. Three of this width fit beside each other in a window of 1280, and one on a phone."""
FEW = 2
"""So many columns share the whole width; more of them scroll sideways where the window is narrow."""
LONGEST = 4_000
"""Characters of a message that are drawn; the chat itself shows the rest."""
NOT_ANSWERED = ChatError(
    "The reply broke off: the app that was writing it stopped.", safe="Your message is stored.", next_step=""
)


def draw(found: Sequence[Column]) -> None:
    """All columns."""
    if any(each.busy for each in found):
        _redrawn(tuple(len(each.turns) for each in found))
    else:
        _draw(found)


@st.fragment(run_every=0.5)
def _redrawn(answers: tuple[int, ...]) -> None:
    """The columns, until all are done or one has another answer, which the figures above must show."""
    found = column.load()
    if not any(each.busy for each in found) or tuple(len(each.turns) for each in found) != answers:
        st.rerun()
    _draw(found)


def _draw(found: Sequence[Column]) -> None:
    for place, each in zip(_places(len(found)), found, strict=True):
        with place:
            _column(each)


def _places(count: int) -> list[st.delta_generator.DeltaGenerator]:
    if count <= FEW:
        return list(st.columns(count, gap="small"))
    with st.container(horizontal=True, wrap=False, key="compare_columns"):
        return [st.container(width=WIDTH, key=f"compare_column:{place}") for place in range(count)]


def _column(each: Column) -> None:
    st.markdown(f"**{as_label(each.heading, 90)}**")
    with st.container(border=True, height=HEIGHT, autoscroll=True, key=f"compare_box:{each.letter}"):
        _conversation(each)
    figures.draw(each)
    _buttons(each)


def _conversation(each: Column) -> None:
    """The messages of a chat, oldest first, then the one that is being answered, then those that wait."""
    if each.page.error is not None:
        error_box.show(each.page.error)
        return
    if each.is_empty:
        st.caption("There is nothing in this chat. It may have expired.")
    shown = shown_with(each.page, each.page.history, each.turns)
    turns = {record.at + 1: record.turn for record in records_of(each.page.history, each.turns)}
    for index, message in enumerate(each.page.history):
        key = f"compare:{each.letter}:{index}"
        views = views_of(message, shown, index)
        if views is not None:
            _parts(views, message.role == "user", key)
        elif message.role in ("user", "assistant"):
            text, more = cut(message.text, LONGEST)
            _message(message.role == "user", text, f" … {more:,} more characters" if more else "")
        turn = turns.get(index)
        if turn is not None and each.name:
            reasoning.draw(turn, message, key)
    live = each.page.live
    if live is not None:
        _message(True, live.prompt[:LONGEST])
        if live.interrupted:
            _failed(live.error or NOT_ANSWERED)
        else:
            _growing(live, told=bool(each.name))
    elif each.standing.error is not None:
        _failed(each.standing.error)
    _waiting(each)


def _message(is_users: bool, text: str, more: str = "") -> None:
    st.markdown(
        f":gray[You:] {as_markdown(text)}{more}" if is_users else (as_markdown(text) or ":gray[(no reply)]") + more
    )


def _parts(views: Sequence[PartView], is_users: bool, key: str) -> None:
    """A message that is more than a text. A tool's results have the user's role with some vendors."""
    if is_users and any(view.kind != "result" for view in views):
        st.markdown(":gray[You:]")
    message_parts.draw(views, key)


def _growing(live: LiveTurn, *, told: bool) -> None:
    """The reply so far, or how much reasoning has come, if that is `told`: it could tell a name that is hidden."""
    if live.text:
        st.markdown(as_markdown(live.text[-LONGEST:]) + " ▌")
    elif live.reasoning and told:
        st.caption(reasoning.under_way(live.reasoning))
    else:
        st.markdown(":gray[…]")


def _failed(error: ChatError) -> None:
    words = f"{as_markdown(error.what)}  \n{as_markdown(error.safe)} {as_markdown(error.next_step)}"
    st.warning(words, icon=":material/error:")


def _waiting(each: Column) -> None:
    """What is still to be sent."""
    waiting = len(each.standing.waiting)
    if each.standing.waits_for_machine:
        st.caption(":material/hourglass_empty: Waits until this machine has answered the other column.")
    elif each.standing.error is not None and waiting > 1:
        st.caption(f"{numbers.plural(waiting - 1, 'message')} behind it wait.")


def _buttons(each: Column) -> None:
    """What can be done with a column now. There is always one row of buttons, so that nothing below it moves."""
    failed = each.standing.error is not None or (each.page.live is not None and each.page.live.interrupted)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"compare_do:{each.letter}"):
        if failed and not each.busy:
            _button("Retry", ":material/refresh:", f"compare_retry:{each.letter}", actions.retry, each)
            _button("Discard", ":material/delete:", f"compare_discard:{each.letter}", actions.discard, each)
        elif each.busy:
            _button("Stop", ":material/stop_circle:", f"compare_stop:{each.letter}", actions.stop, each)
        elif each.name and each.turns:
            parameters = {"session": each.session_id}
            st.page_link(
                menu.MENU["chat"].path, label="Go on with this one", icon=":material/forum:", query_params=parameters
            )
            st.page_link(
                menu.MENU["context_window"].path,
                label="What it was sent",
                icon=menu.MENU["context_window"].icon,
                query_params=parameters,
            )
        else:
            st.button("Stop", icon=":material/stop_circle:", key=f"compare_stop:{each.letter}", disabled=True)


def _button(label: str, icon: str, key: str, act: object, each: Column) -> None:
    st.button(label, icon=icon, key=key, type="tertiary", on_click=act, args=(each.session_id,))  # type: ignore[arg-type]
