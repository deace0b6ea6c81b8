"""The head of the open session: what it is, what can be done with it, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lib.access import Right
from lib.analysis.session_costs import cost_of
from lib.history.sessions import SessionRow
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.sessions import actions, row_words, state
from lib.ui.shell import menu, services

HOUR = 3600
KEEP: Mapping[str, float | None] = {
    "Keep it for a day": numbers.DAY,
    "Keep it for 7 days": 7 * numbers.DAY,
    "Keep it for ever": None,
    "Let it expire in an hour": HOUR,
    "Let it expire now": 0.0,
}
"""By what the choice is called: seconds until the session expires."""
MENU_KEY = "time_left"
PAGES = ("chat", "context_window", "tokens")


def draw(row: SessionRow, right: Right) -> None:
    """The title with the facts, the actions for its owner, and the ways to other pages."""
    title = as_label(row.title, 80) or "Untitled"
    st.markdown(f"#### {':material/push_pin: ' if row.pinned else ''}{title}")
    st.markdown(facts(row, services.settings().session_ttl))
    if row.format:
        st.caption(f":material/visibility: {as_label(row.format)} keeps this conversation. Windowseat only reads it.")
    elif right == Right.OWN:
        _actions(row)
    _ways(row.session_id)


def facts(row: SessionRow, life: float) -> str:
    """Markdown. Example: "8 messages in 4 turns · 2,740 tokens in, 320 out (billed) · $0.0012 at today's prices ·
    3.1 KB · ▰▰▰▰▱ 20 h left"."""
    turns = f" in {numbers.plural(row.turns, 'turn')}" if row.turns else ""
    messages = "messages that cannot be counted" if row.messages is None else numbers.plural(row.messages, "message")
    parts = [f"{messages}{turns}"]
    if row.turns:
        parts += [row_words.tokens(row), _price(row)]
    parts += [numbers.stored_size(row.size), row_words.time_left(row, life), row_words.happened(row)]
    return " · ".join(part.replace("$", "\\$") for part in parts if part)


def _price(row: SessionRow) -> str:
    cost = cost_of(row, services.find_model)
    words = row_words.cost_words(cost)
    return words if cost.usd is None else f"{words} at today's prices"


def _actions(row: SessionRow) -> None:
    """Rename, pin, time left, delete."""
    with st.container(horizontal=True, gap="small", key="session_actions"):
        _rename(row)
        st.button(
            "Unpin" if row.pinned else "Pin",
            icon=":material/keep_off:" if row.pinned else ":material/push_pin:",
            key="pin_session",
            help="A pinned chat stays at the top of the list in the sidebar.",
            on_click=actions.pin,
            args=(row.session_id, not row.pinned),
        )
        st.menu_button(
            "Time left",
            list(KEEP),
            icon=":material/hourglass_top:",
            key=MENU_KEY,
            help="How long the chat is kept. A new message never makes it shorter.",
            on_click=_keep,
            args=(row,),
        )
        _delete(row)


def _rename(row: SessionRow) -> None:
    panel = st.popover("Rename", icon=":material/edit:", key="rename_panel", on_change="rerun")
    if panel.open:
        with panel, st.form("rename", border=False):
            field = f"title:{row.session_id}"
            st.text_input("Title", row.title, max_chars=200, key=field)
            st.form_submit_button("Save", type="primary", on_click=actions.rename, args=(row.session_id, field))


def _delete(row: SessionRow) -> None:
    panel = st.popover("Delete", icon=":material/delete:", key="delete_panel", on_change="rerun")
    if not panel.open:
        return
    with panel:
        gone = "its messages" if row.messages is None else numbers.plural(row.messages, "message")
        st.write(
            f"This deletes {gone} and the record of every turn, for everybody who shares this chat. You can bring it"
            " back for ten seconds."
        )
        st.button(
            "Delete the chat",
            key="delete_session",
            type="primary",
            on_click=actions.delete,
            args=(row.session_id, row.title),
        )


def _keep(row: SessionRow) -> None:
    """Do what was chosen in the menu. For its callback."""
    chosen = state.text_of(MENU_KEY)
    if chosen not in KEEP:
        return
    if KEEP[chosen] == 0:
        actions.expire_now(row.session_id, row.title)
    else:
        actions.keep_for(row.session_id, KEEP[chosen])


def _ways(session_id: str) -> None:
    """Links to the pages that show this session."""
    with st.container(horizontal=True, gap="small", key="session_ways"):
        for name in PAGES:
            entry = menu.MENU[name]
            st.page_link(
                entry.path, label=entry.title, icon=entry.icon, query_params={"session": session_id}, width="content"
            )
