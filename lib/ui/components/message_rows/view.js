// Draws the rows. Every text is put on the page with textContent, never as HTML.

const MARKS = [
  { mark: "pinned", off: "Pin", on: "Pinned", help: "Always send this exchange" },
  { mark: "muted", off: "Mute", on: "Muted", help: "Never send this exchange" },
];

const make = (className, text, kind = "div") => {
  const node = document.createElement(kind);
  node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
};

const markButtons = (row, setTriggerValue) => {
  const box = make("marks");
  for (const { mark, off, on, help } of MARKS) {
    const pressed = row.mark === mark;
    const button = make("", pressed ? on : off, "button");
    button.type = "button";
    button.title = help;
    button.setAttribute("aria-pressed", pressed);
    button.onclick = () => setTriggerValue("marked", { index: row.index, mark: pressed ? null : mark });
    box.append(button);
  }
  return box;
};

const facts = (row, setTriggerValue) => {
  const box = make("facts");
  const who = make("who");
  const dot = make("dot", "", "span");
  dot.style.background = row.included ? row.colour : "transparent";
  dot.style.boxShadow = `inset 0 0 0 1px ${row.colour}`;
  who.append(dot, document.createTextNode(row.name));
  box.append(who, make("quiet", row.tokens));
  if (row.tag) box.append(make("tag", row.tag));
  if (row.running) box.append(make("quiet", row.running));
  if (row.markable) box.append(markButtons(row, setTriggerValue));
  return box;
};

const cell = (text, row, column, isCode) => {
  const box = make("box");
  box.append(make("label", column));
  const inner = make(`cell${isCode ? " code" : ""}${text === null ? " gone" : ""}`, text);
  if (text === null) inner.append(make("note", row.why, "span"));
  inner.tabIndex = 0;
  inner.dir = "auto";
  box.append(inner);
  return box;
};

const drawRow = (row, data, setTriggerValue) => {
  const isChosen = row.index !== null && row.index === data.chosen;
  const line = make(`row${row.included ? "" : " out"}${isChosen ? " chosen" : ""}`);
  line.setAttribute("role", "listitem");
  line.dataset.index = row.index;
  line.append(facts(row, setTriggerValue));
  row.cells.forEach((text, place) => line.append(cell(text, row, data.columns[place], data.code[place])));
  return line;
};

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector("#rows");
  const stamp = JSON.stringify(data);
  if (root.dataset.drawn === stamp) return;
  root.dataset.drawn = stamp;
  const head = make("head");
  head.setAttribute("aria-hidden", "true");
  head.append(make("", ""), ...data.columns.map((name) => make("", name)));
  root.replaceChildren(head, ...data.rows.map((row) => drawRow(row, data, setTriggerValue)));
  const chosen = root.querySelector(".chosen");
  if (chosen && root.dataset.chosen !== String(data.chosen)) chosen.scrollIntoView({ block: "center" });
  root.dataset.chosen = String(data.chosen);
}
