"""Who keeps the history: the same chat through several approaches, side by side."""

import streamlit as st

from lib.ui import setup
from lib.ui.threads import ask, choices, drills, example, lanes, ledger, move, places, reference, state

page = setup("threads")
if page.chat is None or page.error is not None:
    st.stop()

choices.introduce()
narrow, wide = st.columns([1, 2])
with narrow:
    place = choices.choose_place()
with wide:
    approaches = choices.choose_approaches(place)
choices.explain_place(place)
if not approaches:
    st.info("Choose at least one way to keep the history.")
    st.stop()

comparison = places.comparison_of(page, place)
side_by_side, drilling, moving, knowing = st.tabs(state.TABS, key=state.TAB, on_change="rerun", bind="query-params")

if side_by_side.open:
    with side_by_side:
        with st.container():  # so that what follows stays in its place when the example goes
            example.draw(comparison, approaches)
        ask.draw(page, comparison, approaches)
        lanes.draw(comparison, approaches)
        ledger.draw(comparison, approaches)

if drilling.open:
    with drilling:
        drills.draw(comparison, approaches)

if moving.open:
    with moving:
        move.draw(page, comparison, approaches)

if knowing.open:
    with knowing:
        reference.draw()
