"""Messages in three aligned columns, row by row: what you see, what is stored, what was sent.

The rule: every text reaches the page as data and is put there with textContent, never as HTML. What was left out stays in its
place, hatched, with its reason. Drawing is all it does: which rows there are, and what a click on a pin means, is decided by
whoever draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from lib.history import Mark
from lib.ui.components import palette

CSS = """
.rows { display: grid; gap: 6px; font-size: 0.86rem; line-height: 1.45; color: var(--st-text-color); font-family: var(--st-font); }
.head, .row { display: grid; grid-template-columns: 11.5rem repeat(3, minmax(0, 1fr)); gap: 8px; }
.head { font-weight: 600; padding: 4px 9px 0; }
.row { border: 1px solid var(--st-border-color); border-radius: 6px; padding: 6px 8px; }
.row.chosen { outline: 2px solid var(--st-primary-color); }
.facts { display: flex; flex-direction: column; gap: 3px; align-items: flex-start; }
.who { font-weight: 600; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .4em; }
.quiet { opacity: .8; font-variant-numeric: tabular-nums; }
.tag { border: 1px solid currentColor; border-radius: 999px; padding: 0 .5em; font-size: .78rem; }
.marks { display: flex; gap: 4px; }
.marks button { font: inherit; font-size: .78rem; color: inherit; background: transparent; border: 1px solid var(--st-border-color);
  border-radius: 5px; padding: 2px 8px; min-height: 28px; cursor: pointer; }
.marks button:hover, .marks button:focus-visible { outline: 2px solid var(--st-primary-color); }
.marks button[aria-pressed=true] { background: var(--st-primary-color); color: #fff; border-color: var(--st-primary-color); }
.cell { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 11rem; overflow: auto; border-radius: 4px; padding: 2px 4px; }
.cell:focus-visible { outline: 2px solid var(--st-primary-color); }
.code { font-family: var(--st-code-font, monospace); font-size: .78rem; }
.gone { background: repeating-linear-gradient(45deg, HATCH 0 2px, transparent 2px 7px); min-height: 2.4em; }
.note { background: var(--st-background-color); padding: 1px 6px; border-radius: 4px; font-family: var(--st-font); font-size: .82rem;
  box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.label { display: none; font-size: .72rem; opacity: .75; }
@media (max-width: 800px) {
  .head { display: none; }
  .row { grid-template-columns: minmax(0, 1fr); }
  .facts { flex-direction: row; flex-wrap: wrap; gap: 8px; align-items: center; }
  .label { display: block; }
}
""".replace("HATCH", palette.LEFT_OUT.colour + "88")

JS = """
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector("#rows");
  const wanted = JSON.stringify(data);
  if (root.dataset.drawn === wanted) return;
  root.dataset.drawn = wanted;
  const make = (name, text, kind = "div") => {
    const made = document.createElement(kind);
    made.className = name;
    if (text !== undefined && text !== null) made.textContent = text;
    return made;
  };
  const marks = (row) => {
    const box = make("marks");
    for (const [mark, on, off] of [["pinned", "Pin", "Pinned"], ["muted", "Mute", "Muted"]]) {
      const pressed = row.mark === mark;
      const button = make("", pressed ? off : on, "button");
      button.type = "button";
      button.title = mark === "pinned" ? "Always send this exchange" : "Never send this exchange";
      button.setAttribute("aria-pressed", pressed);
      button.onclick = () => setTriggerValue("marked", { index: row.index, mark: pressed ? null : mark });
      box.append(button);
    }
    return box;
  };
  const draw = (row) => {
    const line = make("row" + (row.included ? "" : " out") + (row.index !== null && row.index === data.chosen ? " chosen" : ""));
    line.setAttribute("role", "listitem");
    line.dataset.index = row.index;
    const facts = make("facts");
    const who = make("who");
    const dot = make("dot", "", "span");
    dot.style.background = row.included ? row.colour : "transparent";
    dot.style.boxShadow = "inset 0 0 0 1px " + row.colour;
    who.append(dot, document.createTextNode(row.name));
    facts.append(who, make("quiet", row.tokens));
    if (row.tag) facts.append(make("tag", row.tag));
    if (row.running) facts.append(make("quiet", row.running));
    if (row.markable) facts.append(marks(row));
    line.append(facts);
    row.cells.forEach((text, place) => {
      const box = make("box");
      box.append(make("label", data.columns[place]));
      const inner = make("cell" + (data.code[place] ? " code" : "") + (text === null ? " gone" : ""), text);
      if (text === null) inner.append(make("note", row.why, "span"));
      inner.tabIndex = 0;
      inner.dir = "auto";
      box.append(inner);
      line.append(box);
    });
    return line;
  };
  const head = make("head");
  head.setAttribute("aria-hidden", "true");
  head.append(make("", ""), ...data.columns.map((name) => make("", name)));
  const rows = data.rows.map(draw);
  root.replaceChildren(head, ...rows);
  const chosen = root.querySelector(".chosen");
  if (chosen && root.dataset.chosen !== String(data.chosen)) chosen.scrollIntoView({ block: "center" });
  root.dataset.chosen = String(data.chosen);
}
"""

_COMPONENT = st.components.v2.component(
    "windowseat_message_rows",
    html='<div id="rows" class="rows" role="list" aria-label="Messages"></div>',
    css=CSS,
    js=JS,
)


@dataclass(frozen=True, slots=True)
class Columns:
    """The heads of the columns, and which of them show code."""

    names: tuple[str, str, str]
    code: tuple[bool, bool, bool]


SEEN_STORED_NEXT = Columns(("What you see", "What is stored", "What would be sent"), (False, True, True))
SEEN_STORED_SENT = Columns(("What you see", "What is stored", "What was sent"), (False, True, True))


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message. `tokens` and `running` are words with their provenance; a cell is None where it was left out, and `why`
    says why. `index` is None for what is not a stored message."""

    index: int | None
    name: str
    colour: str
    cells: tuple[str | None, ...]
    tokens: str
    included: bool
    tag: str = ""
    running: str = ""
    why: str = ""
    markable: bool = False
    mark: str | None = None


def draw(
    rows: Sequence[MessageRow],
    key: str,
    columns: Columns = SEEN_STORED_SENT,
    chosen: int | None = None,
    on_mark: Callable[[int, Mark | None], None] | None = None,
) -> None:
    """Draw them here. `chosen` is the stored index to bring into view; `on_mark` is told (index, "pinned", "muted" or None)."""

    def marked() -> None:
        asked = st.session_state[key].get("marked")
        if on_mark is not None and asked:
            on_mark(int(asked["index"]), asked["mark"])

    _COMPONENT(
        data={
            "columns": list(columns.names),
            "code": list(columns.code),
            "chosen": chosen,
            "rows": [asdict(row) for row in rows],
        },
        key=key,
        on_marked_change=marked,
    )
