"""The window strip of one request, one segment per message; a click on a segment opens the message.

Segments stand in the order of sending. Messages that were not sent are hatched above the bar, in their own order. Where
there are many, neighbours with one reason share a segment, so that a request of thousands of messages is drawn quickly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from lib.analysis.request_view import RequestView
from lib.ui.components import palette, window_strip
from lib.ui.components.palette import Part
from lib.ui.shell import session

MOST_SEGMENTS = 240
"""Segments for the messages of one request, at most; a few more may come from where reasons change."""

HEIGHT = 80
"""Pixels. Fixed, so that nothing below moves when the browser draws it."""

_COMPONENT = st.components.v2.component(
    "windowseat_request_strip",
    html='<div id="strip" class="strip" role="group"></div>',
    css=palette.CSS_VARIABLES + Path(__file__).with_name("style.css").read_text("utf-8"),
    js=Path(__file__).with_name("view.js").read_text("utf-8"),
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the strip, `tokens` long. `index` is the stored message it opens, None where it opens none."""

    part: str
    tokens: int
    title: str
    index: int | None = None


def draw(view: RequestView, key: str, cached: int | None = None, on_open: Callable[[int], None] | None = None) -> None:
    """Draw it here. `cached` are tokens the server took from its cache; a click on a segment calls `on_open` with the
    stored index of its message."""

    def opened() -> None:
        index = session.triggered(key, "opened")
        if on_open is not None and index is not None:
            on_open(int(index))

    sent, left_out = segments(view)
    window = view.window.max_tokens if view.window is not None else view.tokens
    if view.window is not None:
        reserve = view.window.reserved_for_reply
        sent.append(Segment("reserved", reserve, f"{palette.RESERVED.label}: {reserve:,} tokens"))
        free = max(0, window - view.tokens - reserve)
        sent.append(Segment("free", free, f"free: {free:,} tokens"))
    used = sum(one.tokens for one in sent)
    _COMPONENT(
        data={
            "parts": {part.name: asdict(part) for part in palette.PARTS},
            "sent": [asdict(one) for one in sent if one.tokens],
            "left_out": [asdict(one) for one in left_out],
            # the bar is as wide as the window; what was not sent is drawn to its scale, and no wider than it
            "ghost_scale": max(window, used, view.left_out_tokens, 1),
            "used": used,
            "window": window,
            "target": view.batch_target,
            "target_title": f"{palette.TARGET}: {view.batch_target or 0:,} tokens",
            "cached": cached or 0,
            "cached_title": f"The server says it took {cached or 0:,} tokens from its cache",
            "label": f"Context window: {view.tokens:,} of {window:,} tokens, {view.left_out_tokens:,} not sent",
        },
        key=key,
        height=HEIGHT,
        on_opened_change=opened,
    )
    window_strip.draw_legend(_sums([*sent, *left_out]), view.batch_target)


def segments(view: RequestView) -> tuple[list[Segment], list[Segment]]:
    """What was sent and what was not, one segment per message where they are few enough."""
    sent = [Segment("template", view.template, f"{palette.TEMPLATE.label}: {view.template:,} tokens")]
    sent += [Segment("system", lead.tokens, f"{lead.name}: {lead.tokens:,} tokens") for lead in view.preamble]
    left_out: list[Segment] = []
    step = max(1, -(-view.total // MOST_SEGMENTS))
    newest = view.total - 1
    for start, stop, included, reason in view.runs:
        into = sent if included else left_out
        part = palette.part_of(reason, included=included)
        older = min(stop, newest)
        into += [_segment(view, part, at, min(older, at + step)) for at in range(start, older, step)]
        if stop > newest:
            part = palette.part_of(reason, newest=True, included=included)
            into.append(_segment(view, part, newest, newest + 1))
    return sent, left_out


def _segment(view: RequestView, part: Part, start: int, stop: int) -> Segment:
    tokens = view.between(start, stop)
    which = f"message {start + 1}" if stop - start == 1 else f"messages {start + 1} to {stop}"
    return Segment(part.name, tokens, f"{which}, {part.label}: {tokens:,} tokens", start)


def _sums(pieces: list[Segment]) -> list[tuple[Part, int]]:
    """Tokens of each part that has any, in the order of the palette."""
    sums: dict[str, int] = {}
    for one in pieces:
        sums[one.part] = sums.get(one.part, 0) + one.tokens
    return [(part, sums[part.name]) for part in palette.PARTS if sums.get(part.name)]
