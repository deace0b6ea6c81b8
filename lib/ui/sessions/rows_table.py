"""The table of sessions: one row each, and a click on a row opens that session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from lib.analysis.session_costs import SessionCost, cost_of, unreported_turns, who_counted
from lib.history.sessions import Origin, SessionRow
from lib.ui.format import numbers
from lib.ui.format.text import as_option
from lib.ui.sessions import state, tabs
from lib.ui.shell import services, session

if TYPE_CHECKING:
    import pandas as pd

ORIGINS: dict[Origin, str] = {"here": "this app", "service": "another service", "import": "imported"}
FORKS = {"fork": "fork", "edit": "fork, edited", "replay": "replay", "resend": "edited request", "app": "your app"}
TITLE = 36
"""Characters of a title in the table."""
HELP = {
    "Who counted": "Billed: the provider's own figure. Counted: by the tokenizer of the model on this machine.",
    "Cost": "All turns at today's list prices. Summaries are not included.",
    "Time left": "How long the chat is kept if nobody writes in it. Each message starts the time anew.",
    "Size": "Bytes in the store: messages, records of turns and settings.",
    "From": "Who wrote the messages: this app, another service on the same store, an import or a fork.",
}


def draw(rows: Sequence[SessionRow], open_id: str, place: int) -> None:
    """The table of these rows. `place` is the number of the page of the list, which tells its table from others."""
    st.dataframe(
        frame(rows, open_id),
        hide_index=True,
        key=f"sessions:{place}",
        column_config=_columns([row.session_id for row in rows]),
        placeholder=numbers.NOT_REPORTED,
        height="content" if len(rows) < ROWS_SHOWN else 35 * (ROWS_SHOWN + 1) + 2,
        alt="All chats, the most recently used first",
    )


ROWS_SHOWN = 14
"""Rows that are seen at once; the table scrolls to the others."""


def frame(rows: Sequence[SessionRow], open_id: str) -> pd.DataFrame:
    """One row per session, as it is drawn."""
    import pandas as pd

    life = services.settings().session_ttl
    table: dict[str, Any] = {
        "Title": [title_of(row, open_id) for row in rows],
        "Model": [as_option(row.model) or "not known" for row in rows],
        "Messages": pd.array([row.messages for row in rows], dtype="Int64"),
        "Tokens in": pd.array([row.input_tokens for row in rows], dtype="Int64"),
        "Tokens out": pd.array([row.output_tokens for row in rows], dtype="Int64"),
        "Cost": [cost_words(cost_of(row, services.find_model)) for row in rows],
        "Last used": pd.to_datetime([row.last_activity for row in rows], unit="s", utc=True),
        "Time left": [time_left(row, life) for row in rows],
        "Who counted": [counted(row) for row in rows],
        "Size": [numbers.stored_size(row.size) for row in rows],
        "From": [origin_of(row) for row in rows],
        "What happened": [happened(row) for row in rows],
    }
    return pd.DataFrame(table)


def title_of(row: SessionRow, open_id: str = "") -> str:
    """The title on a button, marked if the session is open or pinned. Icons in it are not drawn."""
    title = as_option(row.title, TITLE).replace(":material/", ":material /") or "untitled"
    if row.session_id == open_id:
        return f":material/arrow_right: {title}"
    return f":material/push_pin: {title}" if row.pinned else title


def time_left(row: SessionRow, life: float) -> str:
    """Example: "▰▰▰▱▱ 12 h left"; "kept by another service" where that service set no deadline."""
    if row.expires_in is None and row.origin == "service":
        return "kept by another service"
    return numbers.hourglass(row.expires_in, life)


def origin_of(row: SessionRow) -> str:
    """Where the session's messages come from, in a word or two."""
    if row.format:
        return row.format
    return ORIGINS[row.origin] if row.parent is None else FORKS.get(row.parent.how, "fork")


def happened(row: SessionRow) -> str:
    """Example: "dropped in 3 turns, 1 turn stopped, interrupted"; empty where nothing needs to be known."""
    dropped = f"dropped in {numbers.plural(row.turns_with_dropped, 'turn')}" if row.turns_with_dropped else ""
    stopped = f"{numbers.plural(row.stopped, 'turn')} stopped" if row.stopped else ""
    return ", ".join(filter(None, (dropped, stopped, "interrupted" if row.interrupted else "")))


def cost_words(cost: SessionCost) -> str:
    """Example: "$0.0042"; "$0.0042 for 4 of 5 turns"; "no price known"; "nothing sent" without turns."""
    if not cost.turns:
        return "nothing sent"
    words = numbers.money(cost.usd)
    return (
        f"{words} for {cost.turns - cost.unpriced} of {cost.turns} turns"
        if cost.usd is not None and cost.unpriced
        else words
    )


def counted(row: SessionRow) -> str:
    """Who counted the tokens, and how many turns are missing in the sums."""
    if not row.turns:
        return "no turns recorded"
    missing = unreported_turns(row)
    words = numbers.who_counted(who_counted(row))
    return f"{words}; {missing} of {numbers.plural(row.turns, 'turn')} not" if 0 < missing < row.turns else words


def _columns(ids: Sequence[str]) -> dict[str, Any]:
    column = st.column_config
    texts = ("Model", "Who counted", "Cost", "Time left", "Size", "From", "What happened")
    counts = ("Messages", "Tokens in", "Tokens out")
    return {
        "Title": column.ButtonColumn(
            "Title",
            pinned=True,
            width=260,
            alignment="left",
            type="tertiary",
            key=state.CLICKED,
            on_click=_open,
            args=(ids,),
            help="Click a title to open the chat.",
        ),
        **{name: column.TextColumn(name, help=HELP.get(name)) for name in texts},
        **{name: column.NumberColumn(name, format="localized", width=88) for name in counts},
        "Last used": column.DatetimeColumn("Last used", format="distance"),
    }


def _open(ids: Sequence[str]) -> None:
    """Open the session whose title was clicked. For callbacks."""
    row = state.clicked_row()
    if row is not None and row < len(ids):
        session.open_session(ids[row])
        state.show_tab(tabs.OPEN)
