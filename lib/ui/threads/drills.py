"""Drills: things an educator does on purpose to a history that a server keeps, and what comes of them.

The rule: a drill says beforehand what it does, and what happened stays in the column, in the server's own words. What costs money at
a hosted provider says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from lib.errors import ChatError
from lib.server_history import Approach, Handle
from lib.server_history.comparison import Comparison
from lib.server_history.lane import Lane
from lib.ui.shell import services, session
from lib.ui.shell.page import Page
from lib.ui.threads import columns, places

AGAIN = "What was my first question?"
WRITERS = ("I moved to Vienna.", "I moved to Linz.")
LAST_IDS: dict[Approach, tuple[str, ...]] = {
    "conversations": ("conversation",),
    "responses": ("response",),
    "assistants": ("thread",),
    "claude": ("message",),
}


def draw(page: Page, side: Comparison, approaches: Sequence[Approach]) -> None:
    """The column to drill, the buttons, then that column and its neighbours."""
    line = session.take_flash()
    if line is not None:
        st.warning(line, icon=":material/error:")
    chosen = st.segmented_control(
        "Which column",
        approaches,
        default=approaches[-1],
        required=True,
        key="drill_column",
        format_func=places.NAMES.__getitem__,
    )
    column = side.column(chosen)
    begun = column.state.handle is not None and not side.busy
    if not begun:
        st.caption(
            "Ask something first (tab “Side by side”): a drill needs a history that is kept."
            if not side.busy
            else "Wait until the columns are done."
        )
    with st.container(horizontal=True, key="drills"):
        for label, icon, words, act, possible in _drills(page, side, chosen, column):
            st.button(
                label,
                icon=icon,
                help=words,
                on_click=_done,
                args=(act,),
                key=f"drill:{label}",
                disabled=not begun or not possible,
            )
    if column.state.deletion is not None:
        (st.success if column.state.deletion.proven else st.info)(column.state.deletion.words)
    if not side.settings.store:
        st.caption(
            ":material/construction: store is off: responses are not kept from now on, in the columns that have that"
            " choice."
        )
    columns.draw(side, approaches)


Drill = tuple[str, str, str, Callable[[], object], bool]


def _drills(page: Page, side: Comparison, approach: Approach, column: Lane) -> list[Drill]:
    """Label, icon, what it does, doing it, and whether this column can."""
    handle = column.state.handle
    replica = side.where == places.REPLICA
    responses = approach == "responses" and handle is not None and len(handle.all("response")) > 2
    window = services.replicas()[0].window if replica else None
    return [
        (
            "Delete it, with proof",
            ":material/delete:",
            "Deletes what the server keeps, then asks for it again.",
            column.delete,
            True,
        ),
        (
            "Expire it",
            ":material/hourglass_bottom:",
            "Replica only: the server forgets it as if its time were over; then it is asked again.",
            partial(_expire, side, approach, column),
            replica and approach != "manual",
        ),
        (
            "Delete a middle response",
            ":material/content_cut:",
            "Deletes one response in the middle of the chain, then goes on from the last.",
            partial(_middle, column),
            responses,
        ),
        (
            "Turn store off" if side.settings.store else "Turn store on",
            ":material/database_off:",
            "Responses are asked not to be stored; the turn after the next one finds nothing to go on from.",
            partial(_store, side, approach, column),
            approach in ("responses", "conversations"),
        ),
        (
            "Switch the provider",
            ":material/swap_horiz:",
            "From now on another account answers, which has never heard of these ids.",
            partial(_switch, side, approach, column),
            replica,
        ),
        (
            "Two writers at once",
            ":material/call_split:",
            f"Two turns begin from the same place: “{WRITERS[0]}” and “{WRITERS[1]}”",
            partial(column.ask_twice, WRITERS, "Two writers at once."),
            True,
        ),
        (
            "Overflow",
            ":material/expand:",
            (
                "Replica only: sends more than its window holds."
                if replica
                else "Only at the replica: elsewhere it would cost money."
            ),
            partial(_overflow, column, window or 0),
            replica,
        ),
    ]


def _done(act: Callable[[], object]) -> None:
    """Do it; where that fails, say so. For callbacks."""
    try:
        act()
    except ChatError as error:
        session.flash(f"{error.what} {error.safe} {error.next_step}")


def _expire(side: Comparison, approach: Approach, column: Lane) -> None:
    """What is newest of this column expires at the replica, and is asked for."""
    handle = column.state.handle
    if handle is None:
        return
    replica = services.replicas()[1 if approach in side.elsewhere else 0]
    for id_ in _ids(handle, approach):
        replica.expire(id_)
    column.ask(AGAIN, "It expired at the server, as if its time were over.")


def _ids(handle: Handle, approach: Approach) -> list[str]:
    newest = [handle.last(kind) for kind in LAST_IDS.get(approach, ())]
    return [id_ for id_ in newest if id_ is not None]


def _middle(column: Lane) -> None:
    """Delete one response in the middle, and go on from the last."""
    from lib.server_history.adapters.responses import ResponsesHistory

    history, handle = column.open_server_history(), column.state.handle
    if not isinstance(history, ResponsesHistory) or handle is None:
        return
    ids = handle.all("response")
    middle = ids[len(ids) // 2 - 1] if len(ids) > 2 else ids[0]
    gone = history.delete_one(middle)
    column.ask(AGAIN, f"Response {len(ids) // 2} of {len(ids)} was deleted{' (proven)' if gone.proven else ''}.")


def _store(side: Comparison, approach: Approach, column: Lane) -> None:
    keep = not side.settings.store
    side.store(approach, keep)
    column.ask(
        AGAIN,
        (
            "store was turned on again."
            if keep
            else "store is off from this turn on: ask once more to see what is missing."
        ),
    )


def _switch(side: Comparison, approach: Approach, column: Lane) -> None:
    side.switch(approach)
    column.ask(
        AGAIN,
        "Another account answers from here on." if approach in side.elsewhere else "The first account answers again.",
    )


def _overflow(column: Lane, window: int) -> None:
    words = "again and again " * (window // 3)
    column.ask(f"Read this: {words}", f"A message larger than the window of {window:,} tokens.")
