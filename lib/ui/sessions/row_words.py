"""What the lists of sessions say about each one, in words."""

from __future__ import annotations

from lib.analysis.session_costs import SessionCost, unreported_turns, who_counted
from lib.history.sessions import Origin, SessionRow
from lib.ui.format import numbers
from lib.ui.format.text import as_label

ORIGINS: dict[Origin, str] = {"here": "this app", "service": "another service", "import": "imported"}
FORKS = {"fork": "fork", "edit": "fork, edited", "replay": "replay", "resend": "edited request", "app": "your app"}
TITLE = 60
"""Characters of a title in the list."""


def title_of(row: SessionRow, open_id: str = "") -> str:
    """The title on a button, as Markdown: bold if the session is open, with a pin if it is pinned."""
    title = as_label(row.title, TITLE) or "untitled"
    title = f"**{title}**" if row.session_id == open_id else title
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


def tokens(row: SessionRow) -> str:
    """Example: "189 tokens in, 36 out (billed)"; empty where no turn was recorded."""
    if not row.turns:
        return ""
    if row.input_tokens is None or row.output_tokens is None:
        return f"tokens {numbers.NOT_REPORTED}"
    return f"{row.input_tokens:,} tokens in, {row.output_tokens:,} out ({counted(row)})"
