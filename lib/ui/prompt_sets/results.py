"""The tab with the results of a run: how far it is, the ranked answer, a chart, and every answer one click away."""

from __future__ import annotations

import streamlit as st

from lib.errors import ChatError
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_markdown
from lib.ui.prompt_sets import answer_list, carrying_out, new_run, sentences, state, summary
from lib.ui.prompt_sets.carrying_out import Opened
from lib.ui.shell import error_box
from lib.ui.shell.error_box import attempt

REFRESH_SECONDS = 1.0
INTERRUPTED = "It was interrupted: the app that carried it out has ended. Every answer that had come is kept."
CAP_AGAIN = "prompt_set_cap_again"


def draw() -> None:
    """The open run, or how to get one."""
    try:
        found = carrying_out.find(state.open_run()) if state.open_run() else None
    except ChatError as error:
        error_box.show(error)
        return
    if found is None:
        gone = "This run is gone: it was deleted, or it expired." if state.open_run() else "No run is open."
        st.info(f"{gone} Start one under *{state.NEW}*, or open one under *{state.SAVED}*.")
        return
    run = found.run
    st.markdown(f"##### {as_label(run.name, 100) or 'A run'}")
    st.caption(sentences.about(run))
    if found.is_running:
        _watch(run.id)
    else:
        _ended(found)
    if found.answers:
        summary.draw(found)
        answer_list.draw(found)


@st.fragment(run_every=REFRESH_SECONDS)
def _watch(run_id: str) -> None:
    """How far it is, with a Stop button. Redraws the whole page once the run has ended."""
    try:
        found = carrying_out.find(run_id)
    except ChatError as error:
        error_box.show(error)
        return
    if found is None or not found.is_running:
        st.rerun()
    assert found is not None
    with st.container(key="prompt_run_progress", height=110, border=True):
        settled = sum(each.error is not None or each.checked for each in found.answers.values())
        st.progress(min(1.0, settled / max(1, found.run.total)), sentences.progress(found))
        with st.container(horizontal=True):
            if found.runner is None:
                st.caption("Another process of the app carries it out.")
                return
            st.button(
                "Stop",
                icon=":material/stop_circle:",
                key="prompt_run_stop",
                on_click=carrying_out.cancel,
                args=(run_id,),
            )
            if st.button("Show the answers so far", key="prompt_run_show", type="tertiary"):
                st.rerun()


def _ended(found: Opened) -> None:
    """How it ended, and a button to go on if something is missing."""
    run = found.run
    if run.state == "running":
        st.warning(INTERRUPTED, icon=":material/error:")
    elif run.note:
        st.warning(as_markdown(run.note), icon=":material/error:")
    if not found.missing:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="prompt_run_go_on"):
        st.number_input(
            "Spending cap (USD)",
            min_value=0.0,
            max_value=new_run.HIGHEST_CAP,
            value=None if run.cap is None else float(run.cap),
            step=0.5,
            format="%.2f",
            placeholder="no cap",
            key=f"{CAP_AGAIN}:{run.id}",
            width=200,
            help="What the run has spent so far counts towards it.",
        )
        st.button(
            f"Go on with the {numbers.plural(found.missing, 'missing answer')}",
            type="primary",
            icon=":material/play_arrow:",
            key="prompt_run_on",
            on_click=_go_on,
            args=(run.id,),
        )


def _go_on(run_id: str) -> None:
    cap = new_run.typed_cap(f"{CAP_AGAIN}:{run_id}")
    attempt(lambda: carrying_out.go_on(run_id, cap))
