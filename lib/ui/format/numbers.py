"""Formats numbers and times for people. Every token count carries its provenance, and unknown is a word, never 0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from lib.tokens import Provenance, TokenCounter, provenance_label
from lib.ui.format.text import as_markdown

NOT_REPORTED = "not reported"
NO_PRICE = "no price known"
DAY = 86_400
"""Seconds."""
BARS = 5
"""Pieces of the bar that shows how long a session is kept."""


def tokens(count: int | None, provenance: Provenance) -> str:
    """A number of tokens with its provenance.

    Example: tokens(1234, "billed") -> "1,234 (billed)"; tokens(None, "billed") -> "not reported"
    """
    if count is None:
        return NOT_REPORTED
    return f"{count:,} ({provenance_label(provenance)})"


def sized(count: int, provenance: Provenance) -> str:
    """Example: sized(68, "counted") -> "68 tokens (counted)"."""
    return f"{plural(count, 'token')} ({provenance_label(provenance)})"


def money(usd: Decimal | None) -> str:
    """USD: to the cent from a dollar up, below that with two significant digits.

    Example: money(Decimal("12.345")) -> "$12.35"; money(Decimal("0.00423")) -> "$0.0042";
    money(None) -> "no price known"
    """
    if usd is None:
        return NO_PRICE
    if not usd:
        return "$0"
    if abs(usd) >= 1:
        return f"${usd:,.2f}"
    digits = 1 - usd.copy_abs().adjusted()  # two significant digits
    return f"${usd:.{max(2, digits)}f}"


def percent(part: Decimal | float, whole: Decimal | float) -> str:
    """Example: percent(1, 3) -> "33 %"."""
    return f"{100 * float(part) / float(whole):.0f} %" if whole else "0 %"


def who_counted(provenances: Iterable[Provenance]) -> str:
    """Example: who_counted(["billed", "estimated", "billed"]) -> "billed and ~estimated"; of none: "not reported"."""
    return " and ".join(dict.fromkeys(map(provenance_label, provenances))) or NOT_REPORTED


def by(counter: TokenCounter) -> str:
    """Example: by(ESTIMATE) -> "characters / 4 (~estimated)"."""
    return f"{counter.name} ({provenance_label(counter.provenance)})"


COUNTED_BY: dict[Provenance, str] = {
    "billed": "and billed",
    "counted": "as the model itself counts",
    "reconstructed": "which was rebuilt from the provider's published counts",
    "assumed": "which this model may or may not use",
    "estimated": "which is an estimate",
}


def counted_by(counter: TokenCounter) -> str:
    """Who counted, as a sentence of Markdown.

    Example: counted_by(ESTIMATE) -> "Counted by characters / 4, which is an estimate."
    """
    return f"Counted by {as_markdown(counter.name)}, {COUNTED_BY[counter.provenance]}."


def duration(seconds: float | None) -> str:
    """Example: duration(0.84) -> "0.8 s"; duration(72) -> "1 m 12 s"; duration(7300) -> "2 h 2 m"."""
    if seconds is None:
        return NOT_REPORTED
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} m"


def ago(seconds: float) -> str:
    """Example: ago(20) -> "just now"; ago(200) -> "3 min ago"; ago(7300) -> "2 h ago"; ago(200_000) -> "2 days ago"."""
    return "just now" if seconds < 60 else f"{_largest_unit(seconds)} ago"


def left(seconds: float | None) -> str:
    """Time to live, in its largest unit. Example: left(80000) -> "expires in 22 h"; left(90) -> "expires in 1 min"."""
    if seconds is None:
        return "does not expire"
    return "expires in under a minute" if seconds < 60 else f"expires in {_largest_unit(seconds)}"


def hourglass(seconds: float | None, full: float) -> str:
    """Time to live as a small bar with words; `full` is what a session gets after each message.

    Example: hourglass(43_200, 86_400) -> "▰▰▰▱▱ 12 h left"; hourglass(None, 86_400) -> "never expires"
    """
    if seconds is None:
        return "never expires"
    bars = min(BARS, max(0, round(BARS * seconds / full))) if full > 0 else 0
    words = "under a minute" if seconds < 60 else _largest_unit(seconds)
    return f"{'▰' * bars}{'▱' * (BARS - bars)} {words} left"


def stored_size(size: int | None) -> str:
    """Example: stored_size(912) -> "912 bytes"; stored_size(4200) -> "4.1 KB"; stored_size(3_000_000) -> "2.9 MB"."""
    if size is None:
        return NOT_REPORTED
    if size < 1024:
        return f"{size:,} bytes"
    return f"{size / 1024:,.1f} KB" if size < 1024**2 else f"{size / 1024**2:,.1f} MB"


def _largest_unit(seconds: float) -> str:
    """At least a minute. Example: 90 -> "1 min"; 7300 -> "2 h"; 200_000 -> "2 days"."""
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    return f"{int(seconds // 3600)} h" if seconds < 2 * DAY else f"{int(seconds // DAY)} days"


def listed(names: Sequence[str]) -> str:
    """Example: listed(["a", "b", "c"]) -> "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def plural(count: int, noun: str) -> str:
    """Example: plural(1, "message") -> "1 message"; plural(1200, "message") -> "1,200 messages"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
