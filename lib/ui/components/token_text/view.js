// Draws one page of tokens. Every piece is set with textContent, never as HTML.

const BLANKS = { " ": "\u00b7", "\t": "\u2192\t", "\r": "\u240d", "\n": "\u23ce\n" };

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector("#tokens");
  const drawing = JSON.stringify(data);
  if (root.dataset.drawn === drawing) return;
  root.dataset.drawn = drawing;
  root.className = data.ids ? "tokens ids" : "tokens";
  root.setAttribute("aria-label", data.label);
  const tokens = data.pieces.map(([text, id], place) => tokenOf(data, text, id, place));
  root.replaceChildren(...tokens);
  root.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step && tokens[tokens.indexOf(root.getRootNode().activeElement) + step];
    if (!next) return;
    next.focus();
    event.preventDefault();
  };
}

function tokenOf(data, text, id, place) {
  const number = data.first + place;
  const token = document.createElement("bdi");
  token.className = "token";
  token.style.setProperty("--colour", data.colours[number % data.colours.length]);
  token.title = `token ${number + 1}${id === null ? "" : `, id ${id}`}`;
  token.tabIndex = place === 0 ? 0 : -1;
  for (const part of text.split(/( |\t|\r|\n)/)) {
    if (part !== "") token.append(span(part in BLANKS ? "blank" : "", BLANKS[part] ?? part));
  }
  if (data.ids && id !== null) token.append(span("id", id));
  return token;
}

function span(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
