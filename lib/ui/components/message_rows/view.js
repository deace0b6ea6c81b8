// Draws the rows. Every text is put on the page with textContent, never as HTML.
// Which messages are open is kept on the root element, so that they stay open when the page is drawn again.

const MARKS = [
  { mark: "pinned", off: "Pin", on: "Pinned", help: "Always send this exchange" },
  { mark: "muted", off: "Mute", on: "Muted", help: "Never send this exchange" },
];

const SHORT = 120; // characters of one line that need no folding

const make = (className, text, kind = "div") => {
  const node = document.createElement(kind);
  node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
};

const nameOf = (row) => `${row.stretch === null ? "message" : "stretch"} ${row.stretch ?? row.index ?? row.name}`;

const markButtons = (row, setTriggerValue) => {
  const box = make("marks");
  for (const { mark, off, on, help } of MARKS) {
    const pressed = row.mark === mark;
    const button = make("", pressed ? on : off, "button");
    button.type = "button";
    button.title = help;
    button.dataset.name = `${mark} ${row.index}`;
    button.setAttribute("aria-pressed", pressed);
    button.onclick = () => setTriggerValue("marked", { index: row.index, mark: pressed ? null : mark });
    box.append(button);
  }
  return box;
};

const figures = (part) => make("quiet figures", [part.tokens, part.again].filter(Boolean).join(" · "));

const drawArguments = (rows) => {
  const list = make("arguments", null, "dl");
  for (const [name, value] of rows) list.append(make("", name || "text", "dt"), make("", value, "dd"));
  return list;
};

const drawText = (part) => {
  if (part.kind !== "result" && part.kind !== "reasoning" && part.kind !== "other") {
    return make(part.kind === "image" ? "address" : "", part.text);
  }
  const lines = part.text.split("\n").filter((line) => line.trim());
  if (part.kind !== "other" && lines.length <= 1 && part.text.length <= SHORT) return make("", part.text);
  const folded = make("folded", null, "details");
  const first = lines[0] ?? "";
  const line = part.kind === "reasoning" ? first.replace(/^[*#_ ]+|[*#_ ]+$/g, "") : first; // a heading, in Markdown
  folded.append(make("", part.kind === "other" ? "Show it" : line, "summary"), make("whole", part.text));
  return folded;
};

const drawPart = (part) => {
  const box = make(`part ${part.kind}`);
  if (part.title) box.append(make("title", part.title));
  if (part.rows.length) box.append(drawArguments(part.rows));
  if (part.text) box.append(drawText(part));
  else if (part.kind === "result" && !part.pictures.length) box.append(make("quiet", "(empty)"));
  for (const picture of part.pictures) {
    const image = make("", null, "img");
    image.alt = "An image in this message";
    image.src = `data:image/png;base64,${picture}`; // made by the app from the data in the message, never an address
    box.append(image);
  }
  if (part.tokens) box.append(figures(part));
  return box;
};

const drawCell = (cell) => {
  const box = make(`box${cell.note && !cell.gone ? " short" : ""}`);
  box.append(make("label", cell.title));
  if (cell.note) {
    const inner = make(`cell${cell.gone ? " gone" : " same"}`);
    inner.append(make("note", cell.note, "span"));
    box.append(inner);
    return box;
  }
  const inner = make(`cell${cell.code ? " code" : ""}${cell.parts.length ? " parts" : ""}`, cell.text);
  inner.append(...cell.parts.map(drawPart));
  inner.tabIndex = 0; // so that the keyboard can scroll it
  inner.dir = "auto";
  box.append(inner);
  return box;
};

const drawDetails = (row) => {
  const details = make("details");
  if (row.why || row.running) {
    const facts = make("facts");
    if (row.why) facts.append(make("why", row.why, "span"));
    if (row.running) facts.append(make("quiet", row.running, "span"));
    details.append(facts);
  }
  const cells = make("cells");
  cells.append(...row.cells.map(drawCell));
  details.append(cells);
  return details;
};

const drawLine = (row, opens) => {
  const line = make(`line${opens ? " opens" : ""}`, null, opens ? "button" : "div");
  if (opens) {
    line.type = "button";
    line.dataset.name = nameOf(row);
  }
  const who = make("who", null, "span");
  const dot = make("dot", "", "span");
  dot.style.background = row.included ? row.colour : "transparent";
  dot.style.boxShadow = `inset 0 0 0 1px ${row.colour}`;
  who.append(make("arrow", "", "span"), dot, document.createTextNode(row.name));
  const words = make("words", row.words, "span");
  words.dir = "auto";
  line.append(who, words);
  if (row.stretch === null) {
    line.append(make("tokens", row.tokens, "span"), make(`tag${row.tag ? "" : " none"}`, row.tag, "span"));
  }
  return line;
};

const drawRow = (row, root, data, setTriggerValue) => {
  const isChosen = row.index !== null && row.index === data.chosen;
  const isStretch = row.stretch !== null;
  const opens = isStretch || row.cells.length > 0;
  const node = make(`row${row.included ? "" : " out"}${isChosen ? " chosen" : ""}${isStretch ? " stretch" : ""}`);
  node.setAttribute("role", "listitem");
  if (row.index !== null) node.dataset.index = row.index;
  const top = make("top");
  const line = drawLine(row, opens);
  top.append(line);
  if (row.markable) top.append(markButtons(row, setTriggerValue));
  else if (data.rows.some((other) => other.markable) && !isStretch) top.append(make("marks empty"));
  node.append(top);
  if (!opens) return node;
  const show = (open) => {
    line.setAttribute("aria-expanded", open);
    node.querySelector(".details")?.remove();
    if (open && !isStretch) node.append(drawDetails(row)); // only open messages have their texts on the page
  };
  show(isStretch ? row.is_open : root.openRows.has(nameOf(row)));
  line.onclick = () => {
    if (isStretch) {
      setTriggerValue("stretched", { start: row.stretch, open: !row.is_open });
      return;
    }
    const open = !root.openRows.delete(nameOf(row));
    if (open) root.openRows.add(nameOf(row));
    show(open);
  };
  return node;
};

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector("#rows");
  const stamp = JSON.stringify(data);
  if (root.dataset.drawn === stamp) return;
  root.dataset.drawn = stamp;
  root.openRows ??= new Set();
  const isNewlyChosen = data.chosen !== null && root.dataset.chosen !== String(data.chosen);
  if (isNewlyChosen) root.openRows.add(`message ${data.chosen}`);
  const focused = root.getRootNode().activeElement?.dataset?.name;
  root.replaceChildren(...data.rows.map((row) => drawRow(row, root, data, setTriggerValue)));
  const again = [...root.querySelectorAll("[data-name]")].find((node) => focused && node.dataset.name === focused);
  if (again) again.focus({ preventScroll: true });
  const chosen = root.querySelector(".chosen");
  if (chosen && isNewlyChosen) chosen.scrollIntoView({ block: "center" });
  root.dataset.chosen = String(data.chosen);
}
