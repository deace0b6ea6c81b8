"""The parts of a request and their colours: one colour per part, on every page.

The rule: colour is never the only signal (order, hatching and words carry the same), and every colour has a contrast of
at least 3:1 against the light and the dark background (tests/ui/test_window_strip.py). `.streamlit/config.toml` repeats them for
charts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the context window. `hatched` parts are not sent; `outlined` ones are room, not text."""

    name: str
    label: str
    colour: str
    hatched: bool = False
    outlined: bool = False


TEMPLATE = Part("template", "added by the chat template", "#8d6e63")
SYSTEM = Part("system", "system prompt", "#64748b")
PINNED = Part("pinned", "pinned", "#b7860b")
HISTORY = Part("history", "history that is sent", "#3b7dd8")
NEWEST = Part("newest", "newest message", "#0f9488")
RESERVED = Part("reserved", "reserved for the reply", "#8a8f98", outlined=True)
FREE = Part("free", "free", "transparent", outlined=True)
LEFT_OUT = Part("left_out", "left out", "#8a8f98", hatched=True)
REPLY = Part("reply", "reply", "#8b6cf0")
OVER = Part("over", "over the window", "#e0562c")
PARTS = (TEMPLATE, SYSTEM, PINNED, HISTORY, NEWEST, RESERVED, FREE, LEFT_OUT, OVER)
