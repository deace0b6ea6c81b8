"""Names sessions in lists to choose from, so that no two of them read the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lib.history.sessions import SessionRow
from lib.ui.format import numbers
from lib.ui.format.text import as_option
from lib.ui.sessions import row_words

ID_CHARACTERS = 8
"""Characters of the id that tell sessions apart which look the same otherwise."""


def labels(rows: Iterable[SessionRow]) -> dict[str, str]:
    """The labels by session id. Streamlit takes two options with one label for one and the same.

    Example: "Refund policy (fork, gpt-5-mini, 8 messages)"; of two that look the same,
    "Refund policy (fork, gpt-5-mini, 8 messages, 1f0c9a2b)".
    """
    rows = {row.session_id: row for row in rows}.values()
    seen = Counter(label(row) for row in rows)
    return {row.session_id: label(row, with_id=seen[label(row)] > 1) for row in rows}


def label(row: SessionRow, *, with_id: bool = False) -> str:
    """The title with what tells it from others."""
    messages = "" if row.messages is None else numbers.plural(row.messages, "message")
    own_id = row.session_id[:ID_CHARACTERS] if with_id else ""
    facts = ", ".join(filter(None, (row_words.origin_of(row), as_option(row.model, 30), messages, own_id)))
    return f"{as_option(row.title, 60) or 'untitled'} ({facts})"
