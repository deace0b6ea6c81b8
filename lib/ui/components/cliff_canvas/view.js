// Draws the cliff map on a canvas, with the conversation beside it. All texts are set with textContent, never as HTML.

const MARK_HEIGHT = 7; // height of a marker's triangle in CSS pixels
const OVER_EDGE = 3; // width of the edge that marks a request over budget, in CSS pixels

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector("#cliff");
  if (root.dataset.drawn === data.stamp) return; // the same map: keep the line where the reader put it
  root.dataset.drawn = data.stamp;

  const map = mapOf(data);
  const conversation = conversationOf(data);
  root.replaceChildren(map.element, conversation.element);

  let chosen = clamp(data.start, data.rows);
  const choose = (place) => {
    chosen = clamp(place, data.rows);
    map.show(chosen);
    conversation.show(data.rows[chosen]);
    paint(map.canvas, data, chosen);
  };
  map.range.oninput = () => choose(Number(map.range.value));
  followPointer(map.canvas, data.rows, choose);
  root.resizing?.disconnect();
  root.resizing = new ResizeObserver(() => paint(map.canvas, data, chosen));
  root.resizing.observe(map.canvas);
  choose(chosen);
}

function element(className, tag = "div", text) {
  const created = document.createElement(tag);
  created.className = className;
  if (text !== undefined) created.textContent = text;
  return created;
}

function clamp(place, rows) {
  return Math.min(rows.length - 1, Math.max(0, place));
}

// The canvas with its axis, slider, sentence and legend.
function mapOf(data) {
  const canvas = element("", "canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", data.label);
  const plot = plotOf(canvas, data.axes);
  const range = element("", "input");
  range.type = "range";
  range.min = 0;
  range.max = data.rows.length - 1;
  range.setAttribute("aria-label", "Budget in tokens");
  const summary = element("summary");
  const map = element("map");
  map.append(plot, range, summary, legendOf(data.fates));
  const show = (place) => {
    range.value = place;
    range.setAttribute("aria-valuetext", data.rows[place].summary);
    summary.textContent = data.rows[place].summary;
  };
  return { element: map, canvas, range, show };
}

// The canvas with a tick for each number beside and below it, the axes' names, and a line at the present budget.
function plotOf(canvas, axes) {
  const plot = element("plot");
  const beside = element("beside");
  for (const tick of axes.budgets) beside.append(tickAt(tick, "bottom"));
  const below = element("below");
  for (const tick of axes.messages) below.append(tickAt(tick, "left"));
  const present = element("present");
  present.style.bottom = `${100 * axes.present.at}%`;
  present.append(element("", "span", axes.present.label));
  const picture = element("picture");
  picture.append(canvas, present);
  const corner = element("");
  plot.append(element("name", "div", axes.budget_name), beside, picture, corner, below);
  plot.append(element("", "div"), element("name last", "div", axes.message_name));
  return plot;
}

function tickAt(tick, side) {
  const label = element("tick", "span", tick.label);
  label.style[side] = `${100 * tick.at}%`;
  return label;
}

function legendOf(fates) {
  const legend = element("legend");
  for (const fate of fates) {
    const item = element("", "span");
    const box = element("", "i");
    box.style.background = fate.colour;
    item.append(box, document.createTextNode(fate.name));
    legend.append(item);
  }
  return legend;
}

// The messages in a list; `show` greys those that a budget drops, and says why.
function conversationOf(data) {
  const fates = new Map(data.fates.map((fate) => [fate.key, fate]));
  const lines = data.messages.map((message) => {
    const line = element(message.fact ? "message fact" : "message");
    const reason = element("reason", "span");
    line.append(reason, element("", "b", message.name), element("", "span", message.text));
    return { index: message.index, line, reason };
  });
  const list = element("conversation");
  list.tabIndex = 0;
  list.setAttribute("aria-label", "The conversation at this budget");
  list.append(...lines.map(({ line }) => line));
  if (data.more) list.append(element("", "div", data.more));
  const show = (row) => {
    for (const { index, line, reason } of lines) {
      const [, , key] = row.runs.find(([start, stop]) => index >= start && index < stop);
      const fate = fates.get(key);
      line.classList.toggle("dropped", !fate.sent);
      reason.textContent = fate.name;
    }
  };
  return { element: list, show };
}

function followPointer(canvas, rows, choose) {
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    choose(Math.floor((1 - (event.clientY - box.top) / box.height) * rows.length));
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    place(event);
  };
  canvas.onpointermove = (event) => {
    if (event.buttons || event.pointerType === "mouse") place(event);
  };
}

// One row of rectangles per budget from bottom to top, the markers, and the line at the chosen budget.
function paint(canvas, data, chosen) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const [rowHeight, unit] = [height / data.rows.length, width / data.size];
  const colours = new Map(data.fates.map((fate) => [fate.key, fate.colour]));
  data.rows.forEach((row, place) => {
    const top = Math.round(height - (place + 1) * rowHeight);
    const tall = Math.round(height - place * rowHeight) - top;
    for (const [start, stop, key] of row.runs) {
      const left = Math.round(start * unit);
      pen.fillStyle = colours.get(key);
      pen.fillRect(left, top, Math.max(left + 1, Math.round(stop * unit)) - left, tall);
    }
    if (!row.fits) {
      pen.fillStyle = data.colours.over;
      pen.fillRect(0, top, OVER_EDGE, tall);
    }
  });
  for (const mark of data.marks) {
    triangle(pen, (mark.index + 0.5) * unit, height - (mark.row + 1) * rowHeight, mark.colour, data.colours.outline);
  }
  pen.fillStyle = data.colours.line;
  pen.fillRect(0, height - (chosen + 0.5) * rowHeight - 1, width, 2);
}

// A triangle that points down at (x, y).
function triangle(pen, x, y, colour, outline) {
  pen.beginPath();
  pen.moveTo(x - 5, y - MARK_HEIGHT);
  pen.lineTo(x + 5, y - MARK_HEIGHT);
  pen.lineTo(x, y);
  pen.closePath();
  pen.fillStyle = colour;
  pen.fill();
  pen.lineWidth = 1.5;
  pen.strokeStyle = outline;
  pen.stroke();
}
