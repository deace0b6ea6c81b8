"""The window strip of one request, one segment per message: a click on a segment opens the message.

The rule: it draws numbers and fixed words only; what a segment holds is a title put there as data, never HTML. The order is the
order of sending; left-out messages are hatched ghosts above the bar, in their own order. Many messages of one fate share a
segment, so that a request of thousands is drawn at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import streamlit as st

from lib.analysis.decisions import RequestView
from lib.ui.components import palette
from lib.ui.components.palette import Part

MOST_SEGMENTS = 240

CSS = """
.strip { font-family: var(--st-font); color: var(--st-text-color); font-size: .82rem; }
.ghosts { display: flex; height: 16px; margin-bottom: 3px; }
.bar { position: relative; display: flex; width: 100%; height: 38px; border-radius: 3px; box-shadow: 0 0 0 1px RESERVED; }
.segment { flex: 0 0 auto; height: 100%; min-width: 0; padding: 0; border: 0; border-right: 1px solid var(--st-background-color);
  box-sizing: border-box; cursor: default; }
button.segment { cursor: pointer; }
button.segment:hover, button.segment:focus-visible { outline: 2px solid var(--st-text-color); outline-offset: -2px; z-index: 1; }
.edge { position: absolute; top: -4px; bottom: -4px; width: 2px; background: OVER; }
.cached { height: 4px; margin-top: 3px; border: 1px solid currentColor; border-top: 0; opacity: .7; box-sizing: border-box; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-top: 6px; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .35em; vertical-align: -.05em; }
""".replace("RESERVED", palette.RESERVED.colour).replace("OVER", palette.OVER.colour)

JS = """
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector("#strip");
  const wanted = JSON.stringify(data);
  if (root.dataset.drawn === wanted) return;
  root.dataset.drawn = wanted;
  const hatch = (colour) => `repeating-linear-gradient(45deg, ${colour} 0 2px, transparent 2px 5px)`;
  const make = (name, kind = "div") => { const made = document.createElement(kind); made.className = name; return made; };
  const look = (node, part) => {
    if (part.hatched) { node.style.background = hatch(part.colour); node.style.boxShadow = "inset 0 0 0 1px " + part.colour; }
    else if (part.outlined) { node.style.background = part.colour + "33"; node.style.boxShadow = "inset 0 0 0 1px " + part.colour; }
    else node.style.background = part.colour;
    if (part.name === "free") { node.style.background = "transparent"; node.style.boxShadow = "none"; }
  };
  const segment = (one) => {
    const node = make("segment", one.index === null ? "div" : "button");
    node.style.width = (100 * one.tokens / data.scale) + "%";
    node.title = one.title;
    look(node, data.parts[one.part]);
    if (one.index !== null) {
      node.type = "button";
      node.setAttribute("aria-label", one.title);
      node.onclick = () => setTriggerValue("opened", one.index);
    }
    return node;
  };
  const ghosts = make("ghosts"), bar = make("bar");
  ghosts.append(...data.left_out.map(segment));
  bar.append(...data.sent.map(segment));
  const held = Math.max(data.window, data.used);
  bar.style.width = (100 * held / data.scale) + "%";
  for (const node of bar.children) node.style.width = (parseFloat(node.style.width) * data.scale / held) + "%";
  if (data.used > data.window) {
    const edge = make("edge");
    edge.style.left = (100 * data.window / held) + "%";
    edge.title = "the window ends here";
    bar.append(edge);
  }
  const children = data.left_out.length ? [ghosts, bar] : [bar];
  if (data.cached) {
    const cached = make("cached");
    cached.style.width = (100 * data.cached / data.scale) + "%";
    cached.title = data.cached_title;
    children.push(cached);
  }
  const legend = make("legend");
  for (const [name, words] of data.legend) {
    const item = make("", "span"), box = make("", "i");
    look(box, data.parts[name]);
    item.append(box, document.createTextNode(words));
    legend.append(item);
  }
  root.setAttribute("aria-label", data.label);
  root.replaceChildren(...children, legend);
}
"""

_COMPONENT = st.components.v2.component(
    "windowseat_request_strip", html='<div id="strip" class="strip" role="group"></div>', css=CSS, js=JS
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the strip. `index` is the stored message it opens, None where it is not one."""

    part: str
    tokens: int
    title: str
    index: int | None = None


def draw(view: RequestView, key: str, cached: int | None = None, on_open: Callable[[int], None] | None = None) -> None:
    """Draw it here; `on_open` is told the stored index of the message that was clicked."""

    def opened() -> None:
        asked = st.session_state[key].get("opened")
        if on_open is not None and asked is not None:
            on_open(int(asked))

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
            # ghosts are as long as what they stand for: where that is more than the window, the window is drawn smaller
            "scale": max(window, used, view.left_out_tokens, 1),
            "used": used,
            "window": window,
            "cached": cached or 0,
            "cached_title": f"The server says it took {cached or 0:,} tokens from its cache",
            "legend": _legend(sent, left_out),
            "label": f"Context window: {view.tokens:,} of {window:,} tokens, {view.left_out_tokens:,} left out",
        },
        key=key,
        on_opened_change=opened,
    )


def segments(view: RequestView) -> tuple[list[Segment], list[Segment]]:
    """What was sent and what was left out, one segment per message where they are few enough."""
    sent = [Segment("template", view.template, f"{palette.TEMPLATE.label}: {view.template:,} tokens")]
    sent += [Segment("system", lead.tokens, f"{lead.name}: {lead.tokens:,} tokens") for lead in view.preamble]
    left_out: list[Segment] = []
    step = max(1, -(-view.total // MOST_SEGMENTS))
    newest = view.total - 1
    for start, stop, included, reason in view.runs:
        part = palette.PINNED if reason == "pinned" else palette.SYSTEM if reason == "system" else palette.HISTORY
        into = sent if included else left_out
        older = min(stop, newest)
        for at in range(start, older, step):
            into.append(_segment(view, part if included else palette.LEFT_OUT, at, min(older, at + step)))
        if stop > newest:
            into.append(_segment(view, palette.NEWEST if included else palette.LEFT_OUT, newest, newest + 1))
    return sent, left_out


def _segment(view: RequestView, part: Part, start: int, stop: int) -> Segment:
    tokens = view.between(start, stop)
    which = f"message {start + 1}" if stop - start == 1 else f"messages {start + 1} to {stop}"
    return Segment(part.name, tokens, f"{which}, {part.label}: {tokens:,} tokens", start)


def _legend(sent: list[Segment], left_out: list[Segment]) -> list[tuple[str, str]]:
    sums: dict[str, int] = {}
    for one in (*sent, *left_out):
        sums[one.part] = sums.get(one.part, 0) + one.tokens
    return [(part.name, f"{part.label} {sums[part.name]:,}") for part in palette.PARTS if sums.get(part.name)]
