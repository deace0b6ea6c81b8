"""What every page shows of the open chat: its title, model and window, and how much the next request drops."""

from __future__ import annotations

import streamlit as st

from lib.access import Right
from lib.context.plan import ContextPlan
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.shell import menu
from lib.ui.shell.page import Page

SHARED = {
    False: ":material/visibility: shared with you to read",
    True: ":material/group: shared with you, you may write",
}
"""What the line says of another person's chat, by whether one may write."""


def draw(page: Page, plan: ContextPlan | None, name: str) -> None:
    """One line at the top of the page `name`, with the ways to the chat and to the reasons for what is dropped."""
    if page.error is not None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="frame"):
        st.caption(sentence(page, plan), width="content")
        if name != "chat" and page.history:
            _link("chat", "Back to chat", page.session_id)
        if plan is not None and plan.left_out_count and name != "context_window":
            _link("context_window", "What is dropped?", page.session_id)


def sentence(page: Page, plan: ContextPlan | None) -> str:
    """Markdown. Example: "**A week in Lisbon** · gpt-6-luna · window 2,048 tokens · next: 12 of
    38 messages won't be sent"."""
    settings = page.settings
    title = as_label(page.about.title, 48) or ("New chat" if not page.history else "Untitled chat")
    library = f":material/visibility: {page.library}, read-only" if page.library else ""
    shared = "" if page.right == Right.OWN else SHARED[page.may_write]
    fork = ":material/call_split: fork" if page.about.parent is not None else ""
    parts = [
        f"**{title}**",
        library,
        shared,
        fork,
        as_label(settings.model, 40),
        f"window {settings.max_tokens:,} tokens",
        as_label(settings.generation.summary, 60),
    ]
    if page.history:
        parts.append(_dropped(plan, len(page.history)))
    return " · ".join(part for part in parts if part)


def _dropped(plan: ContextPlan | None, stored: int) -> str:
    """How many stored messages the next request does not send."""
    if plan is None:
        return numbers.plural(stored, "message")
    if not plan.left_out_count:
        return f"all {numbers.plural(stored, 'message')} sent" if stored > 1 else "1 message, sent"
    about = "about " if plan.provenance == "estimated" else ""
    return f"next: {about}{plan.left_out_count:,} of {numbers.plural(stored, 'message')} won't be sent"


def _link(name: str, label: str, session_id: str) -> None:
    entry = menu.MENU[name]
    st.page_link(entry.path, label=label, icon=entry.icon, query_params={"session": session_id}, width="content")
