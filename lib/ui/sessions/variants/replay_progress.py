"""The replays of the open session: how far each has come, with buttons to stop it, go on, and compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lib.chat.replays import Progress, questions_of
from lib.history.sessions import SessionRow
from lib.ui.format.text import as_label, as_markdown
from lib.ui.sessions import actions, state
from lib.ui.shell import services
from lib.ui.shell.page import Page

SHOWN = 8
"""Replays that are listed, the newest first."""


@dataclass(frozen=True, slots=True)
class Line:
    """One replay. `done` of `total` questions were answered; `total` is None if the original is gone."""

    session_id: str
    source_id: str
    title: str
    done: int
    total: int | None
    progress: Progress | None

    @property
    def is_running(self) -> bool:
        return self.progress is not None and self.progress.state == "running"


def draw(page: Page) -> None:
    """The open session if it is a replay, and the replays of it. Drawn anew every second while one runs."""
    if any(line.is_running for line in lines(page.session_id)):
        _watch(page.session_id)
    else:
        _draw(lines(page.session_id))


@st.fragment(run_every=1)
def _watch(session_id: str) -> None:
    found = lines(session_id)
    if not any(line.is_running for line in found):
        st.rerun()
    _draw(found)


def lines(session_id: str) -> Sequence[Line]:
    """What is known of each replay. One that was begun just now is listed before anything of it is stored."""
    store = services.chat().store
    own = store.row(session_id)
    rows = [] if own is None else [own, *reversed(store.children(session_id))]
    replays = [row for row in rows if row.parent is not None and row.parent.how == "replay"][:SHOWN]
    begun = state.begun_replay(session_id)
    progress = services.replays().find(begun)
    is_listed = any(row.session_id == begun for row in replays)
    new = [_of_progress(progress, "")] if progress is not None and not is_listed else []
    return [*new, *map(_line, replays)]


def _line(row: SessionRow) -> Line:
    progress = services.replays().find(row.session_id)
    if progress is not None:
        return _of_progress(progress, row.title)
    assert row.parent is not None
    store, source = services.chat().store, row.parent.session_id
    questions = questions_of(store.load(source)[: row.parent.messages], store.about(source).muted)
    return Line(row.session_id, source, row.title, row.turns, len(questions) or None, None)


def _of_progress(progress: Progress, title: str) -> Line:
    return Line(progress.session_id, progress.source_id, title, progress.done, progress.total, progress)


def _draw(found: Sequence[Line]) -> None:
    for line in found:
        with st.container(border=True, gap="small", key=f"replay:{line.session_id}"):
            st.markdown(f"**{as_label(line.title, 80) or 'Replay'}** · {state_words(line)}")
            if line.total:
                st.progress(min(1.0, line.done / line.total))
            error = line.progress.error if line.progress is not None else None
            if error is not None:
                st.warning(as_markdown(f"{error.what} {error.next_step}"))
            _buttons(line)


def state_words(line: Line) -> str:
    """Example: "3 of 4 questions answered, running"."""
    if line.total is None:
        return f"{line.done:,} questions answered; the chat that it replays is gone"
    words = f"{line.done:,} of {line.total:,} questions answered"
    if line.progress is not None and line.progress.state != "done":
        return f"{words}, {line.progress.state}"
    return words


def _buttons(line: Line) -> None:
    session_id = line.session_id
    with st.container(horizontal=True, gap="small"):
        if line.is_running:
            st.button(
                "Stop",
                icon=":material/stop_circle:",
                key=f"replay_stop:{session_id}",
                on_click=actions.stop_replay,
                args=(session_id,),
            )
            return
        if line.total is not None and line.done < line.total:
            st.button(
                "Go on",
                icon=":material/play_arrow:",
                key=f"replay_on:{session_id}",
                on_click=actions.go_on_with_replay,
                args=(session_id,),
            )
        _compare_and_open(line)


def _compare_and_open(line: Line) -> None:
    session_id = line.session_id
    st.button(
        "Compare",
        icon=":material/compare_arrows:",
        key=f"replay_compare:{session_id}",
        on_click=actions.compare,
        args=(line.source_id, session_id),
    )
    st.button(
        "Open it",
        icon=":material/open_in_full:",
        key=f"replay_open:{session_id}",
        on_click=actions.open_here,
        args=(session_id,),
    )
