"""Draws the lanes as columns: prompts and replies as they stream, and the figures of every turn.

The columns redraw twice a second while a lane is busy, and not at all otherwise. Text from servers is drawn as text.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.analysis.requests import RequestParts
from lib.errors import describe
from lib.server_history import Approach
from lib.server_history.adapters.retirement import retirement
from lib.server_history.comparison import Comparison
from lib.server_history.lane import LaneState
from lib.server_history.lane_turn import LaneTurn
from lib.server_history.ledger import LedgerRow, ledger
from lib.server_history.retention_check import VerdictWord
from lib.tokens import ESTIMATE, TokenCounter
from lib.ui.components import window_strip
from lib.ui.components.message_parts.views import words_of
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services
from lib.ui.shell.error_box import attempt
from lib.ui.threads import places, state

BADGES: dict[VerdictWord, str] = {
    "held": ":green-badge[:material/check: held]",
    "lost": ":red-badge[:material/close: lost]",
    "trimmed": ":orange-badge[:material/content_cut: trimmed]",
    "inflated": ":orange-badge[:material/expand: inflated]",
    "deleted": ":gray-badge[:material/delete: deleted]",
    "expired": ":gray-badge[:material/hourglass_bottom: expired]",
    "cannot tell": ":gray-badge[:material/question_mark: cannot tell]",
}
MOST_PROMPT_CHARACTERS = 1000
MOST_TURNS_UNSCROLLED = 2
"""A column with more turns scrolls within itself."""
WIDTH, HEIGHT = 262, 430
"""Pixels of a column: three fit beside each other in a window of 1280, and one on a phone, with a part of the next."""
FEW = 2
"""So many columns share the whole width; on a phone they stand below each other."""


def draw(comparison: Comparison, approaches: Sequence[Approach]) -> None:
    """All lanes side by side, once something was asked; before that only what keeps a lane from being asked."""
    if not begun(comparison, approaches):
        for approach in approaches:
            _retirement_card(comparison, approach)
    elif comparison.busy:
        _redrawn(comparison, tuple(approaches))
    else:
        _columns(comparison, approaches)


def begun(comparison: Comparison, approaches: Sequence[Approach]) -> bool:
    """Whether any of these lanes has something to show."""
    return any(lane.turns or lane.busy or lane.handle is not None for lane in comparison.states(approaches))


@st.fragment(run_every=0.5)
def _redrawn(comparison: Comparison, approaches: tuple[Approach, ...]) -> None:
    if not comparison.busy:
        st.rerun()
    _columns(comparison, approaches)


def _columns(comparison: Comparison, approaches: Sequence[Approach]) -> None:
    lanes = places.seen(comparison, approaches)
    answered = any(turn.result is not None for lane in lanes for turn in lane.turns)
    counter = (
        places.counter(comparison.place) if answered else ESTIMATE
    )  # which may have to wait for the model to start
    if len(lanes) <= FEW:
        columns = list(st.columns(len(lanes), gap="small"))
    else:
        with st.container(horizontal=True, wrap=False, key="threads_lanes"):  # scrolls sideways where it is narrow
            columns = [st.container(width=WIDTH) for _ in lanes]
    for column, lane in zip(columns, lanes, strict=True):
        with column:
            _lane(comparison, lane, counter)


def _lane(comparison: Comparison, lane: LaneState, counter: TokenCounter) -> None:
    st.markdown(f"**{places.NAMES[lane.approach]}**")
    st.caption(comparison.lane(lane.approach).facts.location.says)
    _retirement_card(comparison, lane.approach)
    if lane.approach in comparison.second_account:
        st.caption(":material/swap_horiz: This column now uses another account.")
    rows = ledger(lane, counter, comparison.system_prompt, lambda usage: None)
    if rows:
        _window_strip(comparison, rows[-1])
    _restored(comparison, lane)
    scrolls = comparison.busy or len(lane.turns) > MOST_TURNS_UNSCROLLED or len(lane.earlier) > MOST_TURNS_UNSCROLLED
    with st.container(
        border=True, height=HEIGHT if scrolls else "content", autoscroll=scrolls, key=state.lane_key(lane.approach)
    ):
        for message in lane.earlier:
            who = "You" if message.role == "user" else "Reply"
            st.markdown(f":gray[{who}, earlier:] {as_markdown(words_of(message)[:MOST_PROMPT_CHARACTERS])}")
        rows_left = iter(rows)
        for turn in lane.turns:
            _turn(turn, next(rows_left) if turn.result is not None else None, timed=comparison.place != places.REPLICA)
        if lane.pending_prompt is not None:
            st.markdown(f":gray[You:] {as_markdown(lane.pending_prompt)}")
            st.markdown(as_markdown(lane.partial_reply) + " ▌" if lane.partial_reply else ":gray[…]")
        elif not lane.turns and not lane.earlier:
            st.caption("Nothing has been asked yet." if lane.handle is None else "Its earlier turns are not shown.")


def _retirement_card(comparison: Comparison, approach: Approach) -> None:
    """Say that this way no longer exists at this place, if so."""
    if approach == "assistants" and comparison.place != places.REPLICA:
        retired = retirement(services.endpoint(comparison.place).base_url)
        if retired is not None:
            st.info(
                as_markdown(f"{retired.what} {retired.safe} {retired.next_step}"), icon=":material/history_toggle_off:"
            )


def _restored(comparison: Comparison, lane: LaneState) -> None:
    """Say what there is from before this page was opened, and whether the server still has it."""
    asked = sum(1 for turn in lane.turns[: lane.stored_before] if turn.prompt)
    if asked:
        gone = any(turn.gone for turn in lane.turns)
        after = "“Start over” begins a new one." if gone else "The next one goes on from there."
        st.caption(
            f":material/history: {numbers.plural(asked, 'turn')} from before this page was opened, stored with the"
            f" chat. {after}"
        )
    elif lane.handle is not None and not lane.earlier_known and not lane.busy:
        st.caption(":material/history: Earlier turns are on the server.")
        st.button(
            "Read them back",
            key=f"read_back:{lane.approach}",
            icon=":material/download:",
            on_click=_read_back,
            args=(comparison, lane.approach),
        )


def _read_back(comparison: Comparison, approach: Approach) -> None:
    """Read what the server holds, and report an error on the next rerun. For callbacks."""
    attempt(comparison.lane(approach).read_back)


def _window_strip(comparison: Comparison, row: LedgerRow) -> None:
    """The window as the newest turn filled it: the tokens the server read, split by our counter."""
    window = places.window(comparison.place)
    if window is None or row.input_tokens is None:
        return
    history = max(0, row.input_tokens - row.preamble - row.newest)
    missing = max(0, row.expected - row.input_tokens) if row.verdict.word in ("lost", "trimmed") else 0
    parts = RequestParts(0, row.preamble, 0, history, row.newest, missing, 0)
    window_strip.draw(window_strip.fill_of_parts(parts, window, comparison.settings.max_output_tokens))


def _turn(turn: LaneTurn, row: LedgerRow | None, *, timed: bool) -> None:
    """One finished turn, or the note of a drill. `timed` says whether its time can be compared with other lanes'."""
    if turn.drill:
        st.caption(f":material/construction: {turn.drill}")
    if not turn.prompt:
        return
    st.markdown(f":gray[You:] {as_markdown(turn.prompt[:MOST_PROMPT_CHARACTERS])}")
    if turn.error is not None:
        what, safe, next_step = describe(turn.error)
        st.warning(f"{as_markdown(what)}  \n{as_markdown(safe)} {as_markdown(next_step)}", icon=":material/error:")
    elif turn.result is not None and row is not None:
        result = turn.result
        st.markdown(as_markdown(result.reply) or ":gray[(no reply)]")
        if result.status != "complete":
            reason = as_markdown(result.reason or numbers.NOT_REPORTED)
            st.caption(f":material/info: {result.status}: {reason}")
        read = numbers.NOT_REPORTED if row.input_tokens is None else f"{row.input_tokens:,}"
        took = f" · {numbers.duration(row.duration_ms / 1000)}" if timed else ""
        st.caption(f"↑ {row.bytes_up:,} B in {numbers.plural(row.requests, 'request')} · {read} tokens read{took}")
        st.markdown(BADGES[row.verdict.word], help=row.verdict.sentence)
        for note in result.notes:
            st.caption(f":material/info: {as_markdown(note)}")
