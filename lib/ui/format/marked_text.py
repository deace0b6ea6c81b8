"""Draws a text with some of its words marked, as Markdown in which nothing else of the text is Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from lib.messages import utf8_safe
from lib.ui.format.text import NBSP, plain_line

Piece = tuple[bool, str]
"""Whether it is marked, and its text."""


def marked(pieces: Iterable[Piece], colour: str) -> str:
    """Markdown of these pieces, the marked ones in bold on this colour. Line breaks are kept.

    Example: marked([(False, "a "), (True, "red"), (False, " car")], "red") -> "a :red-background[**red**] car"
    """
    return "".join(_drawn(utf8_safe(text), colour if is_marked else "") for is_marked, text in pieces)


def _drawn(text: str, colour: str) -> str:
    """The lines of one piece. Blanks at the edges stay outside of a mark, where Markdown keeps them."""
    return "  \n".join(_line(line, colour) for line in text.split("\n"))


def _line(line: str, colour: str) -> str:
    words = line.strip()
    before = line[: len(line) - len(line.lstrip())] if words else line
    after = line[len(line.rstrip()) :] if words else ""
    core = plain_line(words)
    if colour and words:
        core = f":{colour}-background[**{core}**]"
    return f"{_blanks(before)}{core}{_blanks(after)}"


def _blanks(blanks: str) -> str:
    """A single blank as it is; a run of them as Markdown would keep it."""
    return blanks if len(blanks) < 2 else NBSP * len(blanks.expandtabs(4))
