"""The line under a reply: which model answered, what it was sent, and the ways to the details and to a fork."""

from __future__ import annotations

import streamlit as st

from lib.analysis.decisions import shortfall
from lib.providers import MOST_CHARACTERS
from lib.providers.repetition import REPETITION
from lib.settings import EXAMPLE
from lib.tokens import provenance_label
from lib.turns import Turn
from lib.ui.chat import actions, spending
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import menu

CUT = (
    "The server says it read far less than it was sent: some servers drop the oldest messages without saying so. See"
    " the details."
)


def draw(turn: Turn, session_id: str, end: int | None = None) -> None:
    """The line under a reply: model, tokens, time, how much of the conversation was sent; and a link to the details.

    With the stored index `end`, a button begins a new session with the messages before it.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if shortfall(turn) is not None:
            st.badge("cut by the server", icon=":material/content_cut:", color="red", help=CUT)
        if turn.note:
            st.badge("odd figures", icon=":material/warning:", color="orange", help=as_markdown(turn.note))
        st.caption(summary(turn), width="content")
        st.page_link(
            menu.MENU["context_window"].path,
            label=":small[Why did it answer this?]",
            icon=":material/chevron_right:",
            icon_position="right",
            query_params={"session": session_id, "turn": str(turn.number)},
            help="What was sent for this reply, what was dropped, and why",
        )
        if end is not None:
            st.button(
                ":material/call_split:",
                type="tertiary",
                key=f"fork:{session_id}:{end}",
                help="Fork from here: a new chat that begins with everything up to this reply",
                on_click=actions.fork,
                args=(session_id, end),
            )


def summary(turn: Turn) -> str:
    """Markdown. Example: "gpt-5-mini · 412 tokens in · 38 out (billed) · $0.0004, 82 % reused, saved $0.0001 · first
    word 0.4 s · 6 of 14 messages sent"."""
    words = [as_markdown(turn.model), *_counts(turn)[: 1 if turn.provider == EXAMPLE else 2]]
    if turn.provider != EXAMPLE and (price := spending.turn_words(turn)):
        words.append(price)
    if turn.first_token_ms is not None:
        words.append(f"first word {numbers.duration(turn.first_token_ms / 1000)}")
    if turn.plan is not None:
        system = turn.plan.system_tokens is not None
        words.append(f"{turn.plan.sent - system} of {numbers.plural(turn.plan.stored + 1, 'message')} sent")
    if turn.summarized is not None:
        summary_made = turn.summarized
        tokens = numbers.tokens(summary_made.usage.input_tokens, summary_made.provenance)
        words.append(f"a summary was made: {tokens} in")
    if turn.stop_reason == "too_long":
        words.append(f"cut off at {MOST_CHARACTERS:,} characters, the most that is kept of a reply")
    elif turn.status == "stopped":
        words.append("stopped")
    if turn.stop_reason == "length":
        words.append("cut off at the reserved length")
    if turn.stop_reason == REPETITION:
        words.append("ended early, because it began to repeat itself")
    return " · ".join(words)


def _counts(turn: Turn) -> tuple[str, str]:
    """Tokens in and out with their provenance: once where it is the same for both. Without a report, in is the
    plan's."""
    read, wrote, provenance = turn.usage.input_tokens, turn.usage.output_tokens, turn.usage_provenance
    if read is not None and wrote is not None:
        return f"{read:,} tokens in", f"{wrote:,} out ({provenance_label(provenance)})"
    if read is not None:
        words_in = f"{read:,} tokens in ({provenance_label(provenance)})"
    elif turn.plan is not None:
        words_in = f"{turn.plan.input_tokens:,} tokens in ({provenance_label(turn.plan.provenance)})"
    else:
        words_in = f"input {numbers.NOT_REPORTED}"
    words_out = f"output {numbers.NOT_REPORTED}" if wrote is None else f"{wrote:,} out ({provenance_label(provenance)})"
    return words_in, words_out
