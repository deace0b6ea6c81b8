"""A recorded run, shown until something is asked: the two charts that settle who should keep the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from lib.server_history import Approach
from lib.server_history.comparison import Comparison
from lib.server_history.ledger import ledger
from lib.server_history.recorded import SYSTEM_PROMPT, recorded_run
from lib.tokens import ESTIMATE
from lib.ui.format import numbers
from lib.ui.threads import lanes, places
from lib.ui.threads.ledger import charts_of


def draw(comparison: Comparison, approaches: Sequence[Approach]) -> None:
    """The recorded run in the chosen ways; nothing once one of these lanes has begun."""
    if lanes.begun(comparison, approaches):
        return
    run = recorded_run()
    states = sorted(run.lanes, key=lambda lane: places.APPROACHES.index(lane.approach))
    chosen = [lane for lane in states if lane.approach in approaches]
    st.subheader("The result of a recorded run", anchor=False)
    charts_of(
        chosen,
        {lane.approach: ledger(lane, ESTIMATE, SYSTEM_PROMPT, lambda usage: None) for lane in chosen},
        "counted",
        "threads_recorded",
    )
    day = date.fromisoformat(run.recorded_on)
    st.caption(
        f":material/history: Recorded on {day.day} {day:%B %Y} on the replica, with {run.model} answering:"
        f" {numbers.plural(len(chosen[0].turns), 'question')}, the same for each way. Nothing was sent now."
    )
    st.subheader("Run it yourself", anchor=False)
