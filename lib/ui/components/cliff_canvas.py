"""The cliff map, drawn: messages from left to right, budgets from bottom to top, and the conversation beside it.

The rule: moving the line across the map asks nobody: every budget's decision is here already, so the conversation greys at
once. Texts are put on the page with textContent, never as HTML. Drawing is all it does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from lib.ui.components import palette

CSS = """
.cliff { display: grid; grid-template-columns: minmax(0, 1.5fr) minmax(0, 1fr); gap: 16px; font-family: var(--st-font);
  color: var(--st-text-color); font-size: .86rem; line-height: 1.4; }
.map { min-width: 0; }
canvas { width: 100%; height: 340px; display: block; touch-action: pan-x; cursor: ns-resize; border-radius: 4px; }
.axis { display: flex; justify-content: space-between; opacity: .8; font-size: .8rem; margin: 2px 0 6px; }
input[type=range] { width: 100%; accent-color: var(--st-primary-color); }
.said { font-weight: 600; margin: 6px 0; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .35em; }
.talk { max-height: 470px; overflow-y: auto; display: grid; gap: 4px; align-content: start; }
.said-by { border: 1px solid var(--st-border-color); border-radius: 6px; padding: 4px 8px; overflow-wrap: anywhere; }
.said-by b { font-weight: 600; margin-right: .4em; }
.said-by.out { color: color-mix(in srgb, var(--st-text-color) 62%, transparent);
  background: repeating-linear-gradient(45deg, HATCH 0 2px, transparent 2px 8px); }
.said-by .why { font-size: .78rem; border: 1px solid currentColor; border-radius: 999px; padding: 0 .5em; float: right; margin-left: .5em;
  background: var(--st-background-color); }
.said-by.fact { border-color: FACT; box-shadow: inset 3px 0 0 FACT; }
@media (max-width: 800px) { .cliff { grid-template-columns: minmax(0, 1fr); } .talk { max-height: 320px; } }
""".replace("HATCH", palette.LEFT_OUT.colour + "55").replace("FACT", palette.PINNED.colour)

JS = """
export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector("#cliff");
  if (root.dataset.drawn === data.stamp) return;
  root.dataset.drawn = data.stamp;
  const make = (name, kind = "div", text) => {
    const made = document.createElement(kind); made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const map = make("map"), canvas = make("", "canvas"), range = make("", "input"), said = make("said"), axis = make("axis");
  canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", data.label);
  axis.append(make("", "span", "first message"), make("", "span", "newest"));
  range.type = "range"; range.min = 0; range.max = data.rows.length - 1; range.setAttribute("aria-label", "Budget in tokens");
  const legend = make("legend");
  for (const [, name, colour] of data.kinds) {
    const item = make("", "span"), box = make("", "i"); box.style.background = colour;
    item.append(box, document.createTextNode(name)); legend.append(item);
  }
  map.append(canvas, axis, range, said, legend);
  const talk = make("talk");
  talk.setAttribute("aria-label", "The conversation at this budget"); talk.tabIndex = 0;
  const lines = data.messages.map((message) => {
    const line = make("said-by" + (message.fact ? " fact" : ""));
    const why = make("why", "span");
    line.append(why, make("", "b", message.name), make("", "span", message.text));
    line.why = why;
    return line;
  });
  talk.append(...lines);
  if (data.more) talk.append(make("", "div", data.more));
  root.replaceChildren(map, talk);
  const kinds = new Map(data.kinds.map(([key, name, colour]) => [key, { name, colour }]));
  const fate = (row, at) => row.runs.find((run) => at >= run[0] && at < run[1]);
  let chosen = Math.min(data.rows.length - 1, Math.max(0, data.start));
  const paint = () => {
    const ratio = window.devicePixelRatio || 1, wide = canvas.clientWidth, high = canvas.clientHeight;
    if (!wide) return;
    canvas.width = wide * ratio; canvas.height = high * ratio;
    const pen = canvas.getContext("2d"); pen.scale(ratio, ratio);
    const step = high / data.rows.length, unit = wide / data.size;
    data.rows.forEach((row, place) => {
      const top = Math.round(high - (place + 1) * step), tall = Math.round(high - place * step) - top;
      for (const [start, stop, kind] of row.runs) {
        const from = Math.round(start * unit), to = Math.max(from + 1, Math.round(stop * unit));
        pen.fillStyle = kinds.get(kind).colour;
        pen.fillRect(from, top, to - from, tall);
      }
      if (!row.fits) { pen.fillStyle = data.over; pen.fillRect(0, top, 3, tall); }
    });
    for (const mark of data.marks) {
      const x = (mark.index + .5) * unit, y = high - (mark.row + 1) * step;
      pen.beginPath(); pen.moveTo(x - 5, y - 7); pen.lineTo(x + 5, y - 7); pen.lineTo(x, y); pen.closePath();
      pen.fillStyle = mark.colour; pen.fill(); pen.lineWidth = 1.5; pen.strokeStyle = data.paper; pen.stroke();
    }
    const y = high - (chosen + .5) * step;
    pen.fillStyle = data.line; pen.fillRect(0, y - 1, wide, 2);
  };
  const show = () => {
    const row = data.rows[chosen];
    range.value = chosen;
    range.setAttribute("aria-valuetext", row.words);
    said.textContent = row.words;
    lines.forEach((line, at) => {
      const run = fate(row, data.messages[at].index), kind = kinds.get(run[2]);
      line.classList.toggle("out", !data.sent.includes(run[2]));
      line.why.textContent = kind.name;
    });
    paint();
  };
  range.oninput = () => { chosen = Number(range.value); show(); };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    chosen = Math.min(data.rows.length - 1, Math.max(0, Math.floor((1 - (event.clientY - box.top) / box.height) * data.rows.length)));
    show();
  };
  canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); at(event); };
  canvas.onpointermove = (event) => { if (event.buttons || event.pointerType === "mouse") at(event); };
  new ResizeObserver(paint).observe(canvas);
  show();
}
"""

_COMPONENT = st.components.v2.component(
    "windowseat_cliff_map", html='<div id="cliff" class="cliff"></div>', css=CSS, js=JS
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A fate: its key, what people call it, its colour, and whether it means sent."""

    key: str
    name: str
    colour: str
    sent: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A budget: runs (start, stop, key of a kind), whether the request fits, and a sentence for people."""

    runs: list[tuple[int, int, str]]
    fits: bool
    words: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message of the conversation beside the map."""

    index: int
    name: str
    text: str
    fact: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A triangle: below this line something breaks."""

    index: int
    row: int
    colour: str


def draw(
    lines: Sequence[Line],
    messages: Sequence[Spoken],
    kinds: Sequence[Kind],
    marks: Sequence[Mark],
    *,
    size: int,
    start: int,
    more: str,
    label: str,
    key: str,
) -> None:
    """Draw it here: `size` messages across, the line at first on `start`; `more` says what is not listed beside it."""
    data: dict[str, Any] = {
        "rows": [asdict(line) for line in lines],
        "messages": [asdict(message) for message in messages],
        "kinds": [(kind.key, kind.name, kind.colour) for kind in kinds],
        "sent": [kind.key for kind in kinds if kind.sent],
        "marks": [asdict(mark) for mark in marks],
        "size": size,
        "start": start,
        "more": more,
        "label": label,
        "line": palette.OVER.colour,
        "over": palette.OVER.colour,
        "paper": "#ffffff",
    }
    _COMPONENT(data=data | {"stamp": stamp(data)}, key=key)


def stamp(data: Mapping[str, Any]) -> str:
    """Tells one drawing from another, so that a rerun does not move the line."""
    import hashlib

    return hashlib.sha256(json.dumps(data, default=str).encode()).hexdigest()[:16]
