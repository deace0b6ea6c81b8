"""Which stored messages the next request does not send, and how the chat shows their text: grey, with a hatched edge,
because colour is never the only signal."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from lib.context.plan import ContextPlan
from lib.ui.components import palette

DROPPED_FOR_AGE = ("over_budget", "batch", "outside_window", "middle", "summarized")
"""Reasons that follow from a message's age. The transcript draws its line after the newest of these."""
KEY = "not-sent-"
"""How the keys of the containers begin whose text is drawn like this."""
STYLE = f"""<style>
[class*="st-key-{KEY}"] {{
  position: relative;
  color: color-mix(in srgb, currentColor {palette.NOT_SENT_TEXT}%, transparent);
}}
[class*="st-key-{KEY}"] * {{ color: inherit !important; }}
[class*="st-key-{KEY}"]::before {{
  content: ""; position: absolute; left: -6px; top: 2px; bottom: 2px; width: 4px;
  background: {palette.hatching(palette.LEFT_OUT.colour)};
}}
</style>"""
"""Fixed words and colours only."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """What a request leaves out, by stored index.

    `cut_at` is the index of the first message after those dropped for their age, 0 where none are. `some_sent_above` is
    whether a message before it is sent all the same, because it is pinned or at the beginning.
    """

    ranges: tuple[range, ...] = ()
    cut_at: int = 0
    some_sent_above: bool = False

    @classmethod
    def of(cls, plan: ContextPlan | None) -> NotSent:
        """What this request leaves out; nothing where there is no plan. O(runs)."""
        if plan is None:
            return cls()
        first = plan.candidates.preamble  # what comes before it has no stored index
        out = tuple(range(max(0, run.start - first), run.stop - first) for run in plan.runs if not run.included)
        cut = max((run.stop for run in plan.runs if not run.included and run.reason in DROPPED_FOR_AGE), default=first)
        sent_above = any(run.included and run.start < cut and run.stop > first for run in plan.runs)
        return cls(out, max(0, cut - first), sent_above)

    def __contains__(self, index: int) -> bool:
        return any(index in out for out in self.ranges)

    @property
    def line(self) -> str:
        """What is said where the messages dropped for their age end."""
        return f"{'Grey messages' if self.some_sent_above else 'Messages'} above won't be sent"


def text_box(key: str, *, grey: bool) -> st.delta_generator.DeltaGenerator:
    """A container for the text of a message. It is there for every message, so that a message which is dropped keeps
    its place."""
    return st.container(key=f"{KEY}{key}" if grey else None)


def style() -> None:
    """Put the style into the page, where it takes no room."""
    st.html(STYLE)
