"""The window strip: one bar, as wide as the context window, filled in the order of sending.

Messages that are not sent are hatched above the bar; a request over budget runs past the window's edge. Only
this module writes HTML (lib/ui/chat/not_sent.py adds a style), and it writes numbers and fixed words only, never text
from a person or a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from lib.analysis.requests import RequestParts
from lib.context.plan import ContextPlan
from lib.ui.components import palette
from lib.ui.components.palette import Part

SENT = (palette.TEMPLATE, palette.SYSTEM, palette.PINNED, palette.HISTORY, palette.NEWEST)
"""The parts of a request, in the order in which they are drawn."""


@dataclass(frozen=True, slots=True)
class Fill:
    """How many tokens each part takes, in the order drawn. All sizes are tokens; `window` is the whole context
    window."""

    window: int
    parts: tuple[tuple[Part, int], ...]
    left_out: int
    target: int | None = None
    """Tokens down to which the strategy drops in a batch; None if it drops no more than it must."""

    @property
    def over(self) -> int:
        """Tokens past the window's edge."""
        return max(0, sum(size for _, size in self.parts) - self.window)


def fill_of_plan(plan: ContextPlan) -> Fill:
    """The strip of a plan. Its last candidate is drawn as the newest message if it is a new one."""
    candidates = plan.candidates
    newest = len(candidates) - 1 if candidates.prompt is not None else len(candidates)
    sizes = dict.fromkeys(SENT, 0)
    sizes[palette.TEMPLATE] = plan.template_tokens
    for run in plan.runs:
        if run.included:
            part = palette.part_of(run.reason)
            sizes[part] += candidates.between(run.start, min(run.stop, newest))
            sizes[palette.NEWEST] += candidates.between(max(run.start, newest), run.stop) if run.stop > newest else 0
    fill = _fill(sizes, plan.window.max_tokens, plan.window.reserved_for_reply, plan.left_out_tokens)
    return replace(fill, target=plan.batch_target)


def in_batch(plan: ContextPlan) -> str:
    """What explains room that is free although messages are dropped; empty where there is nothing to explain.

    Example: ", 4 of them in a batch down to 224 tokens"
    """
    if not plan.batch_count or plan.batch_target is None:
        return ""
    which = "" if plan.batch_count == plan.left_out_count else f" {plan.batch_count:,} of them"
    return f",{which} in a batch down to {plan.batch_target:,} tokens"


def fill_of_parts(parts: RequestParts, window: int, reserved: int) -> Fill:
    """The strip of a request by its parts."""
    by_part = {
        palette.TEMPLATE: parts.template,
        palette.SYSTEM: parts.system,
        palette.PINNED: parts.pinned,
        palette.HISTORY: parts.history,
        palette.NEWEST: parts.newest,
    }
    return _fill(by_part, window, reserved, parts.left_out)


def draw(fill: Fill, *, tall: bool = False, legend: bool = False, scale: int | None = None) -> None:
    """Draw it here: thin above the chat input, tall where it is the main picture.

    Strips that are compared get the same `scale`: the tokens that are as wide as the place they are drawn in.
    """
    st.html(markup(fill, tall=tall, scale=scale))
    if legend:
        entries = [(part, size) for part, size in fill.parts if size]
        draw_legend([*entries, (palette.LEFT_OUT, fill.left_out)] if fill.left_out else entries, fill.target)


def draw_legend(entries: Sequence[tuple[Part, int]], target: int | None) -> None:
    """What each colour means, with each part's tokens, and the mark at `target` if there is one."""
    st.html(_legend(entries, target))


def sentence(fill: Fill) -> str:
    """The strip in words, for screen readers."""
    sent = sum(size for part, size in fill.parts if not part.outlined)
    words = f"{sent:,} of {fill.window:,} tokens"
    words += f", {fill.over:,} over the window" if fill.over else ""
    return words + (f"; {fill.left_out:,} tokens not sent" if fill.left_out else "")


def markup(fill: Fill, *, tall: bool = False, scale: int | None = None) -> str:
    """The strip as HTML."""
    total = fill.window + fill.over
    whole = scale or total
    height, ghost = (44, 16) if tall else (14, 7)
    segments = "".join(_segment(part, size, total) for part, size in fill.parts if size)
    edge = ""
    if fill.over:
        place = 100 * fill.window / total
        edge = (
            "<div"
            f' style="position:absolute;left:{place:.2f}%;top:-3px;bottom:-3px;width:2px;'
            f'background:{palette.OVER.colour}"></div>'
        )
    if fill.target is not None:
        edge += (
            f'<div title="{palette.TARGET}: {fill.target:,} tokens" style="position:absolute;'
            f'left:{100 * fill.target / total:.2f}%;top:-4px;bottom:-4px;border-left:2px dotted currentColor"></div>'
        )
    ghosts = ""
    if fill.left_out:
        width = min(100.0, 100 * fill.left_out / whole)
        ghosts = (
            f'<div title="not sent: {fill.left_out:,} tokens" style="width:{width:.2f}%;min-width:6px;height:{ghost}px;'
            f'margin-bottom:2px;border-radius:2px;{_hatched(palette.LEFT_OUT)}"></div>'
        )
    return (
        f'<div role="img" aria-label="Context window: {sentence(fill)}" style="width:100%">'
        f'<div style="height:{ghost + 2}px;display:flex;align-items:end">{ghosts}</div>'
        f'<div style="position:relative;display:flex;width:{100 * total / whole:.2f}%;height:{height}px;'
        "border-radius:3px;overflow:visible;"
        f'box-shadow:inset 0 0 0 1px {palette.RESERVED.colour}">{segments}{edge}</div></div>'
    )


def _fill(sizes: dict[Part, int], window: int, reserved: int, left_out: int) -> Fill:
    used = sum(sizes.values()) + reserved
    parts = (*sizes.items(), (palette.RESERVED, reserved), (palette.FREE, max(0, window - used)))
    return Fill(window, parts, left_out)


def _segment(part: Part, size: int, total: int) -> str:
    background = f"background:{part.colour}"
    if part is palette.FREE:
        background = ""
    elif part is palette.RESERVED:
        background = f"background:{part.colour}33;box-shadow:inset 0 0 0 1px {part.colour}"
    return (
        f'<div title="{part.label}: {size:,} tokens" style="width:{100 * size / total:.3f}%;height:100%;{background};'
        'border-right:1px solid rgba(127,127,127,.25);box-sizing:border-box"></div>'
    )


def _hatched(part: Part) -> str:
    return f"background:{palette.hatching(part.colour)};outline:1px solid {part.colour}"


def _legend(entries: Sequence[tuple[Part, int]], target: int | None) -> str:
    spans = []
    for part, size in entries:
        look = _hatched(part) if part.hatched else f"background:{part.colour}"
        if part.outlined:
            filling = f";background:{part.colour}33" if part is palette.RESERVED else ""
            look = f"border:1px solid {palette.RESERVED.colour}{filling}"
        shape = "display:inline-block;width:.8em;height:.8em;margin-right:.35em;border-radius:2px"
        box = f'<span style="{shape};{look}"></span>'
        spans.append(f'<span style="white-space:nowrap;margin-right:1.1em">{box}{part.label} {size:,}</span>')
    if target is not None:
        shape = "display:inline-block;height:.9em;margin-right:.4em;border-left:2px dotted currentColor"
        mark = f'<span style="{shape}"></span>'
        spans.append(f'<span style="white-space:nowrap">{mark}{palette.TARGET}: {target:,}</span>')
    return f'<div style="font-size:.85em;line-height:1.8;display:flex;flex-wrap:wrap">{"".join(spans)}</div>'
