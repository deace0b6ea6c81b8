// Draws the strip: what was not sent above the bar, the request in the bar, the cached prefix below.

const make = (className, kind = "div") => {
  const node = document.createElement(kind);
  node.className = className;
  return node;
};

const percent = (part, whole) => `${(100 * part) / whole}%`;

const paint = (node, part) => {
  const { style } = node;
  if (part.name === "free") {
    style.background = "transparent";
    style.boxShadow = "none";
    return;
  }
  if (part.hatched) {
    style.background = `repeating-linear-gradient(45deg, ${part.colour} 0 2px, transparent 2px 5px)`;
  } else {
    style.background = part.outlined ? `${part.colour}33` : part.colour;
  }
  if (part.hatched || part.outlined) style.boxShadow = `inset 0 0 0 1px ${part.colour}`;
};

const drawSegment = (segment, whole, data, setTriggerValue) => {
  const opens = segment.index !== null;
  const node = make("segment", opens ? "button" : "div");
  node.style.width = percent(segment.tokens, whole);
  node.title = segment.title;
  paint(node, data.parts[segment.part]);
  if (opens) {
    node.type = "button";
    node.setAttribute("aria-label", segment.title);
    node.onclick = () => setTriggerValue("opened", segment.index);
  }
  return node;
};

const drawBar = (data, setTriggerValue) => {
  const bar = make("bar");
  const length = Math.max(data.window, data.used); // a request over budget runs past the window's edge
  bar.append(...data.sent.map((segment) => drawSegment(segment, length, data, setTriggerValue)));
  if (data.used > data.window) {
    const edge = make("edge");
    edge.style.left = percent(data.window, length);
    edge.title = "the window ends here";
    bar.append(edge);
  }
  if (data.target !== null) {
    const target = make("target");
    target.style.left = percent(data.target, length);
    target.title = data.target_title;
    bar.append(target);
  }
  return bar;
};

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector("#strip");
  const stamp = JSON.stringify(data);
  if (root.dataset.drawn === stamp) return;
  root.dataset.drawn = stamp;
  const children = [];
  const ghosts = make("ghosts"); // takes its place also where everything was sent
  children.push(ghosts);
  if (data.left_out.length) {
    ghosts.append(...data.left_out.map((segment) => drawSegment(segment, data.ghost_scale, data, setTriggerValue)));
  }
  children.push(drawBar(data, setTriggerValue));
  if (data.cached) {
    const cached = make("cached");
    cached.style.width = percent(data.cached, Math.max(data.window, data.used));
    cached.title = data.cached_title;
    children.push(cached);
  }
  root.setAttribute("aria-label", data.label);
  root.replaceChildren(...children);
}
