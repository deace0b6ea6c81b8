"""One colour and one short label for each part of a request and for each reason, the same on every page.

Colour is never the only signal: order, hatching and words say the same. Every colour has a contrast of at least 3:1
against the light and the dark background (tests/ui/test_window_strip.py). `.streamlit/config.toml` repeats the parts'
colours for charts.
"""

from __future__ import annotations

from dataclasses import dataclass

from lib.context.reasons import Reason


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
LEFT_OUT = Part("left_out", "not sent", "#8a8f98", hatched=True)
REPLY = Part("reply", "reply", "#8b6cf0")
OVER = Part("over", "over the window", "#e0562c")
NOT_SENT_TEXT = 65
"""Percent of the text colour in text that is not sent: grey, and 4.5:1 on every background."""
TARGET = "a batch drops down to here"
"""What the dotted mark on a strip means, where the strategy drops in batches."""
PARTS = (TEMPLATE, SYSTEM, PINNED, HISTORY, NEWEST, RESERVED, FREE, LEFT_OUT, OVER)

REASON_TAGS: dict[Reason, str] = {
    "system": "instructions",
    "pinned": "pinned",
    "recent": "recent",
    "fits": "fits",
    "over_budget": "over budget",
    "batch": "in a batch",
    "outside_window": "too old",
    "middle": "in the middle",
    "summarized": "summarized",
    "muted": "muted",
    "partner_left_out": "partner missing",
    "app_sent": "by your app",
    "app_changed": "changed by your app",
    "app_dropped": "dropped by your app",
    "server_kept": "kept by the server",
}
"""The reason in a word or two, where a sentence (REASON_TEXT) has no room."""

REASON_COLOURS: dict[Reason, str] = {
    "system": SYSTEM.colour,
    "pinned": PINNED.colour,
    "recent": HISTORY.colour,
    "fits": HISTORY.colour,
    "over_budget": f"{LEFT_OUT.colour}44",
    "batch": f"{LEFT_OUT.colour}22",
    "outside_window": f"{TEMPLATE.colour}77",
    "middle": "#b0508f66",
    "summarized": f"{REPLY.colour}55",
    "muted": f"{LEFT_OUT.colour}aa",
    "partner_left_out": OVER.colour,
    "app_sent": HISTORY.colour,
    "app_changed": PINNED.colour,
    "app_dropped": "#b0508f",
    "server_kept": f"{SYSTEM.colour}77",
}
"""One colour per reason, for pictures that distinguish reasons, such as the cliff map."""

STRATEGY_COLOURS: dict[str, str] = {
    "low_water": HISTORY.colour,
    "oldest_first": OVER.colour,
    "head_and_tail": NEWEST.colour,
    "sliding_window": PINNED.colour,
    "summarize": REPLY.colour,
    "none": SYSTEM.colour,
    "source_trim": "#b0508f",
}
"""One colour per strategy, for the lines of charts."""

CSS_VARIABLES = f"""
:host {{
  --windowseat-left-out: {LEFT_OUT.colour};
  --windowseat-pinned: {PINNED.colour};
  --windowseat-reserved: {RESERVED.colour};
  --windowseat-over: {OVER.colour};
}}
"""
"""Put before the style.css of a component, which then uses var(--windowseat-left-out) and so on."""


def part_of(reason: Reason, *, newest: bool = False, included: bool = True) -> Part:
    """The part of the request that a message with this reason is drawn as."""
    if not included:
        return LEFT_OUT
    return NEWEST if newest else {"system": SYSTEM, "pinned": PINNED}.get(reason, HISTORY)


def hatching(colour: str) -> str:
    """The CSS background of what is not sent."""
    return f"repeating-linear-gradient(45deg,{colour} 0 2px,transparent 2px 5px)"
