"""Drills: things done on purpose to a history that a server keeps, to see what comes of them.

Every button says beforehand what it does. What happened stays in the column, in the server's own words. A drill that
would cost money at a hosted provider runs on the replica only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from lib.server_history import Approach
from lib.server_history.comparison import Comparison
from lib.server_history.lane import Lane
from lib.ui.format.text import as_markdown
from lib.ui.shell import services, session
from lib.ui.shell.error_box import attempt
from lib.ui.threads import lanes, places, state

FOLLOW_UP = "What was my first question?"
TWO_WRITERS = ("I moved to Vienna.", "I moved to Linz.")


@dataclass(frozen=True, slots=True)
class Drill:
    """A button. `available` says whether the chosen lane can do it."""

    label: str
    icon: str
    explanation: str
    run: Callable[[], object]
    available: bool = True


def draw(comparison: Comparison, approaches: Sequence[Approach]) -> None:
    """The choice of a lane, its drills, then all lanes."""
    error = session.take_flash()
    if error is not None:
        st.warning(as_markdown(error), icon=":material/error:")
    approach = st.segmented_control(
        "Which column",
        approaches,
        default=_first_kept(approaches),
        required=True,
        key=state.DRILL_LANE,
        format_func=places.NAMES.__getitem__,
    )
    lane = comparison.lane(approach)
    lane_state = lane.state
    ready = lane_state.handle is not None and not comparison.busy
    if comparison.busy:
        st.caption("Wait until the columns are done.")
    elif not ready:
        st.caption(f"Ask something first (tab “{state.SIDE_BY_SIDE}”): a drill needs a history that a server keeps.")
    with st.container(horizontal=True, key="drills"):
        for drill in _drills(comparison, lane):
            st.button(
                drill.label,
                icon=drill.icon,
                help=drill.explanation,
                on_click=_run,
                args=(drill,),
                key=f"drill:{drill.label}",
                disabled=not ready or not drill.available,
            )
    if lane_state.deletion is not None:
        (st.success if lane_state.deletion.proven else st.info)(lane_state.deletion.sentence)
    if not comparison.settings.store:
        st.caption(
            ":material/construction: storage is off: from now on, servers do not keep responses in the columns that"
            " have that choice."
        )
    lanes.draw(comparison, approaches)


def _first_kept(approaches: Sequence[Approach]) -> Approach:
    """The way to try drills on: one where a server keeps the history, and which is still offered if there is one."""
    order = ("conversations", "responses", "claude", "assistants", "manual")
    return min(approaches, key=order.index)


def _run(drill: Drill) -> None:
    """Run a drill and report an error on the next rerun. For callbacks."""
    attempt(drill.run)


def _drills(comparison: Comparison, lane: Lane) -> list[Drill]:
    return [
        Drill(
            "Delete it, with proof",
            ":material/delete:",
            "Deletes what the server keeps, then asks for it again.",
            lane.delete,
        ),
        _expire(comparison, lane),
        _delete_middle_response(lane),
        _turn_store_on_or_off(comparison, lane),
        _switch_provider(comparison, lane),
        Drill(
            "Two writers at once",
            ":material/call_split:",
            f"Two turns start from the same place: “{TWO_WRITERS[0]}” and “{TWO_WRITERS[1]}”",
            partial(lane.ask_twice, TWO_WRITERS, "Two writers at once."),
        ),
        _overflow(comparison, lane),
    ]


def _expire(comparison: Comparison, lane: Lane) -> Drill:
    def run() -> None:
        handle = lane.state.handle
        id_ = handle.last(places.NEWEST_ID_KIND[lane.approach]) if handle is not None else None
        if id_ is None:
            return
        services.replicas()[1 if lane.approach in comparison.second_account else 0].expire(id_)
        lane.ask(FOLLOW_UP, "It expired at the server, as if its time were over.", "expired")

    return Drill(
        "Expire it",
        ":material/hourglass_bottom:",
        "Replica only: the server forgets it as if its time were over; then the column asks again.",
        run,
        comparison.place == places.REPLICA and lane.approach != "manual",
    )


def _delete_middle_response(lane: Lane) -> Drill:
    handle = lane.state.handle
    ids = handle.all("response") if handle is not None and lane.approach == "responses" else []
    position = len(ids) // 2

    def run() -> None:
        history = lane.open_server_history()
        if hasattr(history, "delete_one"):
            proof = " (proven)" if history.delete_one(ids[position - 1]).proven else ""
            lane.ask(FOLLOW_UP, f"Response {position} of {len(ids)} was deleted{proof}.")

    return Drill(
        "Delete a middle response",
        ":material/content_cut:",
        "Deletes one response in the middle of the chain, then continues from the last.",
        run,
        len(ids) > 2,
    )


def _turn_store_on_or_off(comparison: Comparison, lane: Lane) -> Drill:
    stored = comparison.settings.store

    def run() -> None:
        comparison.set_store(not stored)
        off = "storage is off from this turn on: ask once more to see what is missing."
        lane.ask(FOLLOW_UP, off if stored else "storage was turned on again.")

    return Drill(
        "Turn storage off" if stored else "Turn storage on",
        ":material/database_off:",
        "Asks the server not to store responses; the turn after the next one finds nothing to continue from.",
        run,
        lane.approach in ("responses", "conversations"),
    )


def _switch_provider(comparison: Comparison, lane: Lane) -> Drill:
    def run() -> None:
        comparison.switch_account(lane.approach)
        switched = lane.approach in comparison.second_account
        lane.ask(FOLLOW_UP, "Another account answers from here on." if switched else "The first account answers again.")

    return Drill(
        "Switch the provider",
        ":material/swap_horiz:",
        "From now on another account answers, which has never heard of these ids.",
        run,
        comparison.place == places.REPLICA,
    )


def _overflow(comparison: Comparison, lane: Lane) -> Drill:
    on_replica = comparison.place == places.REPLICA

    def run() -> None:
        window = services.replicas()[0].window
        filler = "again and again " * (window // 3)
        lane.ask(f"Read this: {filler}", f"A message larger than the window of {window:,} tokens.")

    return Drill(
        "Overflow",
        ":material/expand:",
        "Replica only: sends more than its window holds." if on_replica else "Replica only: elsewhere it costs money.",
        run,
        on_replica,
    )
