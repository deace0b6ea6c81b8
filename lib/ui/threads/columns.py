"""The columns: what was asked and answered, as it streams, with the wire's numbers and the held-history mark under every turn.

The rule: the page looks twice a second while anything is being answered, and not at all when nothing is. Text from servers is
drawn as text.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.analysis.requests import RequestParts
from lib.errors import ChatError, describe
from lib.server_history import Approach
from lib.server_history.adapters.assistants import retirement
from lib.server_history.comparison import Comparison
from lib.server_history.lane import Done, State
from lib.server_history.ledger import LedgerRow, ledger
from lib.server_history.retention_check import Word
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.model_counters import counter_for
from lib.ui.components import window_strip
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services, session_settings
from lib.ui.threads import places

MARKS: dict[Word, str] = {
    "held": ":green-badge[:material/check: held]",
    "lost": ":red-badge[:material/close: lost]",
    "trimmed": ":orange-badge[:material/content_cut: trimmed]",
    "inflated": ":orange-badge[:material/expand: inflated]",
    "cannot tell": ":gray-badge[:material/question_mark: cannot tell]",
}
BYTES_OF_A_LINE = 1000


def draw(side: Comparison, approaches: Sequence[Approach]) -> None:
    """All columns; they draw themselves again while anything is being answered."""
    if side.busy:
        _streaming(side, tuple(approaches))
    else:
        _columns(side, approaches)


@st.fragment(run_every=0.5)
def _streaming(side: Comparison, approaches: tuple[Approach, ...]) -> None:
    if not side.busy:
        st.rerun()
    _columns(side, approaches)


def _columns(side: Comparison, approaches: Sequence[Approach]) -> None:
    counter = counter_of(side)
    for slot, state in zip(st.columns(len(approaches), gap="small"), side.states(approaches), strict=True):
        with slot:
            _column(side, state, counter)


def _column(side: Comparison, state: State, counter: TokenCounter) -> None:
    """One column."""
    st.markdown(f"**{places.NAMES[state.approach]}**")
    facts = side.column(state.approach).facts
    st.caption(facts.lives.says)
    if state.approach == "assistants" and side.where != places.REPLICA:
        retired = retirement(services.endpoint(side.where).base_url)
        if retired is not None:
            st.info(f"{retired.what} {retired.safe} {retired.next_step}", icon=":material/history_toggle_off:")
    if state.approach in side.elsewhere:
        st.caption(":material/swap_horiz: This column now asks another account.")
    entries = ledger(state, counter, side.system_prompt, lambda usage: None)
    if entries:
        _strip(side, state, entries[-1])
    with st.container(border=True, height=430, autoscroll=True, key=f"column:{state.approach}"):
        of_turn = iter(entries)
        for done in state.done:
            _turn(done, next(of_turn) if done.turn is not None else None)
        if state.asking is not None:
            st.markdown(f":gray[You:] {as_markdown(state.asking)}")
            st.markdown(as_markdown(state.text) + " ▌" if state.text else ":gray[…]")
        elif not state.done:
            begun = "It goes on from where it was." if state.handle is not None else "Nothing was asked yet."
            st.caption(begun)


def _strip(side: Comparison, state: State, entry: LedgerRow) -> None:
    """The window as the newest turn filled it: by what the server says it read, split by our counter."""
    window = _window(side)
    if window is None or entry.input_tokens is None:
        return
    history = max(0, entry.input_tokens - entry.lead - entry.newest)
    missing = max(0, entry.expected - entry.input_tokens) if entry.verdict.word in ("lost", "trimmed") else 0
    parts = RequestParts(0, entry.lead, 0, history, entry.newest, missing, 0)
    window_strip.draw(window_strip.fill_of_parts(parts, window, side.settings.max_output_tokens))


def _window(side: Comparison) -> int | None:
    """Tokens the model behind this place can hold; None where that is not known."""
    if side.where == places.REPLICA:
        return services.replicas()[0].window
    endpoint = services.endpoint(side.where)
    model = services.find_model(endpoint.name, endpoint.model)
    return model.context_window if model is not None else None


def _turn(done: Done, entry: LedgerRow | None) -> None:
    """One turn that is over."""
    if done.drill:
        st.caption(f":material/construction: {done.drill}")
    if not done.asked:
        return
    st.markdown(f":gray[You:] {as_markdown(done.asked[:BYTES_OF_A_LINE])}")
    if done.error is not None:
        what, safe, next_step = describe(done.error)
        st.warning(f"{as_markdown(what)}  \n{as_markdown(safe)} {as_markdown(next_step)}", icon=":material/error:")
        return
    if done.turn is None or entry is None:
        return
    turn = done.turn
    st.markdown(as_markdown(turn.reply) or ":gray[(no reply)]")
    if turn.status != "complete":
        st.caption(f":material/info: {turn.status}: {as_markdown(turn.reason or numbers.NOT_REPORTED)}")
    read = numbers.NOT_REPORTED if entry.input_tokens is None else f"{entry.input_tokens:,}"
    st.caption(
        f"↑ {entry.bytes_up:,} B in {numbers.plural(entry.requests, 'request')} · {read} tokens read · "
        f"{numbers.duration(None if entry.duration_ms is None else entry.duration_ms / 1000)}"
    )
    st.markdown(MARKS[entry.verdict.word], help=entry.verdict.sentence)
    for note in turn.notes:
        st.caption(f":material/info: {as_markdown(note)}")


def counter_of(side: Comparison) -> TokenCounter:
    """Our counter for the held-history check: the local model's own at the replica, else the model's tokenizer."""
    if side.where == places.REPLICA:
        try:
            return services.asked_counter(session_settings.defaults())
        except ChatError:
            return ESTIMATE
    endpoint = services.endpoint(side.where)
    return counter_for("anthropic" if endpoint.kind == "anthropic" else "openai", endpoint.model)
