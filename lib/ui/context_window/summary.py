"""The summary in force: its text, its writer, the messages it replaces, and undoing it; and whether a new one is next.

The messages a summary replaces stay stored. Undoing it loses nothing but the summary.
"""

from __future__ import annotations

import streamlit as st

from lib.context import WantedSummary
from lib.context.candidates import Summary
from lib.errors import ChatError
from lib.messages import utf8_safe
from lib.ui.context_window import sentences
from lib.ui.context_window.draft_settings import DraftSettings
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services, session
from lib.ui.shell.page import Page


def draw(page: Page, draft: DraftSettings, wanted: WantedSummary | None) -> None:
    """Draw the summary that sending would write first, and the summary in force, if there are any."""
    summary = page.about.summary
    if wanted is not None:
        added = sum(stop - start for start, stop in wanted.added)
        writer = draft.settings.summary_writer.model
        st.info(
            f"Before it is sent, {as_markdown(writer)} writes a summary of {numbers.plural(added, 'message')}"
            f" ({sentences.ranges(wanted.added)}), in at most {wanted.room:,} tokens. That is a request of"
            " its own, billed separately.",
            icon=":material/summarize:",
        )
    if summary is None:
        return
    panel = st.expander(
        f"The summary of messages {sentences.ranges(summary.sources)}",
        icon=":material/summarize:",
        key="summary",
        on_change="rerun",
    )
    if panel.open:
        with panel:
            _show(page, summary)


def _show(page: Page, summary: Summary) -> None:
    st.code(utf8_safe(summary.text), language=None, wrap_lines=True)
    earlier = len(page.about.summaries) - 1
    words = "1 earlier summary" if earlier == 1 else f"{earlier} earlier summaries"
    st.caption(
        f"Written by {as_markdown(summary.made_by or 'an unknown model')}. The messages it replaces stay stored."
        + (f" You can go back to {words}." if earlier else "")
    )
    st.button(
        "Undo this summary",
        icon=":material/undo:",
        key="undo_summary",
        disabled=not page.may_write,
        on_click=_undo,
        args=(page.session_id,),
        help="The one before it is used again. With the summary strategy, the next message makes a new one.",
    )


def _undo(session_id: str) -> None:
    """For callbacks."""
    try:
        services.chat().undo_summary(session_id)
    except ChatError as error:
        session.flash(f"{error.what} The summary was not undone. {error.next_step}")
