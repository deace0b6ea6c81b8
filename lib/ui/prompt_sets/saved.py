"""The tab with all runs of a person: open one, rename it, or delete it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lib.errors import ChatError, CorruptHistory
from lib.history.prompt_sets import StoredRun
from lib.messages import utf8_safe
from lib.prompt_sets.runs import Run, pack_run, unpack_run
from lib.ui.format import numbers
from lib.ui.format.moments import moment
from lib.ui.format.text import as_label
from lib.ui.prompt_sets import carrying_out, state
from lib.ui.shell import error_box, services
from lib.ui.shell.error_box import attempt

STATE_WORDS = {
    "running": "interrupted",
    "done": "complete",
    "stopped": "stopped",
    "capped": "stopped by a spending cap",
    "failed": "failed",
}
"""A run that is stored as running and that nobody carries out was interrupted."""


def draw() -> None:
    """The list, the newest first."""
    try:
        found = runs()
    except ChatError as error:
        error_box.show(error)
        return
    if not found:
        st.info(f"No run is saved yet. Start one under *{state.NEW}*; each is kept for 90 days after its last answer.")
        return
    for run, stored in found:
        _row(run, stored)


def runs() -> Sequence[tuple[Run, StoredRun]]:
    """The person's runs that can be read, the newest first. Raises HistoryUnavailable."""
    found = []
    for stored in services.chat().store.prompt_runs.runs(services.asking().id):
        try:
            found.append((unpack_run(stored.head), stored))
        except CorruptHistory:
            found.append((Run(stored.run_id, "A run that cannot be read", "", 0.0, (), 0, state="failed"), stored))
    return found


def facts(run: Run, stored: StoredRun) -> str:
    """Markdown. Example: "50 prompts on gpt-6-luna and mistral-9 · complete · 27 Nov 2026, 14:02" """
    how = "running" if stored.is_held else STATE_WORDS[run.state]
    answers = f"{stored.answers:,} of {run.total:,} answers"
    models = as_label(numbers.listed(run.labels), 120)
    return f"{numbers.plural(run.prompts, 'prompt')} on {models} · {answers} · {how} · {moment(run.created_at)}"


def _row(run: Run, stored: StoredRun) -> None:
    with st.container(gap=None, border=True, key=f"saved_run:{stored.run_id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                as_label(run.name, 80) or "A run",
                key=f"run_open:{stored.run_id}",
                type="tertiary",
                on_click=state.show_run,
                args=(stored.run_id,),
                help="Open its results",
            )
            panel = st.popover("Rename or delete", key=f"run_more:{stored.run_id}", type="tertiary", on_change="rerun")
        st.caption(facts(run, stored))
    if panel.open:
        with panel:
            _more(run, stored)


def _more(run: Run, stored: StoredRun) -> None:
    key = f"run_name:{stored.run_id}"
    st.text_input("Name", value=run.name, key=key, max_chars=100)
    st.button(
        "Rename",
        key=f"run_rename:{stored.run_id}",
        icon=":material/edit:",
        disabled=stored.is_held or not run.models,
        on_click=_rename,
        args=(stored.run_id, key),
    )
    st.write(f"Deleting removes the prompts and {numbers.plural(stored.answers, 'answer')}. It cannot be undone.")
    st.button(
        "Delete this run",
        key=f"run_delete:{stored.run_id}",
        type="primary",
        icon=":material/delete:",
        on_click=_delete,
        args=(stored.run_id,),
    )


def _rename(run_id: str, key: str) -> None:
    owner, store = services.asking().id, services.chat().store.prompt_runs
    name = utf8_safe(str(state.typed(key) or "").strip())

    def rename() -> None:
        stored = store.run(owner, run_id)
        if stored is not None and name and not stored.is_held:
            store.save_head(owner, run_id, pack_run(replace(unpack_run(stored.head), name=name)))

    attempt(rename)


def _delete(run_id: str) -> None:
    carrying_out.cancel(run_id)
    attempt(lambda: services.chat().store.prompt_runs.delete(services.asking().id, run_id))
    if state.open_run() == run_id:
        state.close_run()
