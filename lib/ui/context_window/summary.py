"""The summary in force: what it says, what it stands for, who wrote it, and taking it back; and whether a new one comes next.

The rule: the messages a summary stands for are stored and shown as ever; taking it back loses nothing but the summary.
"""

from __future__ import annotations

import streamlit as st

from lib.context import WantedSummary
from lib.context.plan import Summary
from lib.errors import ChatError
from lib.ui.context_window import request_rows
from lib.ui.context_window.draft_settings import DraftSettings
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown, drawable
from lib.ui.shell import services, session
from lib.ui.shell.page import Page


def draw(page: Page, tried: DraftSettings, wanted: WantedSummary | None) -> None:
    """Draw the summary that sending would write first, and the summary in force, if there are any."""
    summary = page.about.summary
    if wanted is not None:
        added = sum(stop - start for start, stop in wanted.added)
        writer = tried.settings.summary_writer.model
        st.info(
            f"Before it is sent, {as_markdown(writer)} writes a summary of {numbers.plural(added, 'message')}"
            f" ({request_rows.stretches(wanted.added)}), in at most {wanted.room:,} tokens. That is a request of"
            " its own, billed on its own.",
            icon=":material/summarize:",
        )
    if summary is None:
        return
    panel = st.expander(
        f"The summary of messages {request_rows.stretches(summary.sources)}",
        icon=":material/summarize:",
        key="summary",
        on_change="rerun",
    )
    if panel.open:
        with panel:
            _show(page, summary)


def _show(page: Page, summary: Summary) -> None:
    st.code(drawable(summary.text), language=None, wrap_lines=True)
    earlier = len(page.about.summaries) - 1
    before = (
        f" {numbers.plural(earlier, 'earlier summary') if earlier == 1 else f'{earlier} earlier summaries'} can be gone"
        " back to."
        if earlier
        else ""
    )
    st.caption(
        f"Written by {as_markdown(summary.made_by or 'an unknown model')}. The messages it stands for stay"
        f" stored.{before}"
    )
    st.button(
        "Undo this summary",
        icon=":material/undo:",
        key="undo_summary",
        on_click=_undo,
        args=(page.session_id,),
        help=(
            "The one before it is in force again. Under “Replace the oldest by a summary”, the next message makes a new"
            " one."
        ),
    )


def _undo(session_id: str) -> None:
    try:
        services.chat().undo_summary(session_id)
    except ChatError as error:
        session.message_of_the_moment(f"{error.what} The summary was not undone. {error.next_step}")
