"""A text cut into tokens, drawn piece by piece in alternating colours.

The rule: pieces reach the page as data and are put there with textContent, never as HTML. Colour is not the only signal: every
piece has an edge of its own, and says its number and id to a pointer and to a screen reader.
It leaves out cutting (lib/vocabularies) and paging (lib/ui/token_panel).
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.ui.format.text import drawable

CSS = """
.tokens { font-family: var(--st-code-font, monospace); font-size: 0.9rem; line-height: 2; color: var(--st-text-color);
  overflow-wrap: anywhere; white-space: pre-wrap; }
.tokens.ids { line-height: 2.9; }
.token { display: inline; border-radius: 3px; padding: 1px 0; box-decoration-break: clone; -webkit-box-decoration-break: clone;
  border-left: 1px solid color-mix(in srgb, currentColor 45%, transparent); }
.token:hover, .token:focus-visible { outline: 2px solid var(--st-primary-color); }
.c0 { background: color-mix(in srgb, #3b7dd8 26%, transparent); }
.c1 { background: color-mix(in srgb, #b7860b 24%, transparent); }
.c2 { background: color-mix(in srgb, #0f9488 26%, transparent); }
.c3 { background: color-mix(in srgb, #8b6cf0 26%, transparent); }
.c4 { background: color-mix(in srgb, #e0562c 20%, transparent); }
.blank { opacity: .55; }
.id { font-size: .62rem; vertical-align: -0.95em; opacity: .8; margin: 0 2px 0 -1px; user-select: none;
  white-space: nowrap; overflow-wrap: normal; }
"""

JS = """
export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector("#tokens");
  const wanted = JSON.stringify(data);
  if (root.dataset.drawn === wanted) return;
  root.dataset.drawn = wanted;
  root.className = data.ids ? "tokens ids" : "tokens";
  root.setAttribute("aria-label", data.label);
  const pieces = data.pieces.map(([text, id], place) => {
    const token = document.createElement("bdi");
    token.className = "token c" + ((data.first + place) % 5);
    const words = "token " + (data.first + place + 1) + (id === null ? "" : ", id " + id);
    token.title = words;
    token.tabIndex = place === 0 ? 0 : -1;
    for (const part of text.split(/( |\\t|\\r|\\n)/)) {
      if (part === "") continue;
      const marks = { " ": "\\u00b7", "\\t": "\\u2192\\t", "\\r": "\\u240d", "\\n": "\\u23ce\\n" };
      const piece = document.createElement("span");
      if (part in marks) piece.className = "blank";
      piece.textContent = marks[part] ?? part;
      token.append(piece);
    }
    if (data.ids && id !== null) {
      const number = document.createElement("span");
      number.className = "id";
      number.textContent = id;
      token.append(number);
    }
    return token;
  });
  root.replaceChildren(...pieces);
  root.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step && pieces[pieces.indexOf(root.getRootNode().activeElement) + step];
    if (next) { next.focus(); event.preventDefault(); }
  };
}
"""

_COMPONENT = st.components.v2.component(
    "windowseat_tokens", html='<div id="tokens" class="tokens" role="group" dir="auto"></div>', css=CSS, js=JS
)


def draw(pieces: Sequence[tuple[str, int | None]], *, key: str, first: int = 0, ids: bool = False) -> None:
    """Draw pieces (text, id) here; `first` is the number of tokens before them, `ids` shows each id below its piece."""
    label = f"{len(pieces)} tokens, from number {first + 1} on"
    _COMPONENT(
        data={
            "pieces": [[drawable(text), token] for text, token in pieces],
            "first": first,
            "ids": ids,
            "label": label,
        },
        key=key,
    )
