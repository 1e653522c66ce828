// What all figures share: making elements, a caption, buttons, a place for words that screen readers hear.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children. `on…` attributes are listeners, `text` is its text. */
function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") node.textContent = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** What lanes hold, as recorded: one value for all, a start and a step, or a list. */
function lanesOf(packed) {
  if (Array.isArray(packed)) return packed;
  if (packed && "each" in packed) return Array(32).fill(packed.each);
  if (packed && "from" in packed) return Array.from({ length: 32 }, (_, lane) => packed.from + lane * packed.step);
  return Array(32).fill(null);
}

/** A count with thin groups: 1 234 567. */
function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A number in three digits with a decimal prefix: 16.8 M. */
function prefixed(number, unit = "") {
  if (number === 0) return `0 ${unit}`.trim();
  const steps = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"]];
  for (const [size, prefix] of steps) {
    if (Math.abs(number) >= size * 0.9995 || size === 1e-9) {
      const shown = number / size;
      return `${shown >= 99.95 ? Math.round(shown) : Number(shown.toPrecision(3))} ${prefix}${unit}`.trim();
    }
  }
}

/** A labelled choice; calls `change(value)`. */
function choice(label, options, value, change) {
  const select = element("select", { onchange: () => change(select.value) });
  for (const [key, words] of options) select.append(element("option", { value: key, selected: key === value, text: words }));
  return element("label", { class: "mm-control" }, element("span", { text: label }), select);
}

/** A labelled slider over whole numbers; `show(value)` says the value in words. */
function slider(label, least, most, value, change, show = String) {
  const words = element("output", { text: show(value) });
  const input = element("input", {
    type: "range", min: least, max: most, step: 1, value, "aria-valuetext": show(value),
    oninput: () => {
      const now = Number(input.value);
      words.textContent = show(now);
      input.setAttribute("aria-valuetext", show(now));
      change(now);
    },
  });
  return element("label", { class: "mm-control" }, element("span", { text: label }), input, words);
}

/** A button that steps. */
function button(words, label, press) {
  return element("button", { type: "button", class: "mm-button", "aria-label": label, title: label, text: words, onclick: press });
}

/** A box that scrolls sideways by itself, with the keyboard as well. */
function scrolling(label) {
  return element("div", { class: "mm-scroll", tabindex: "0", role: "group", "aria-label": label });
}

/** Where a figure says what it shows now. Screen readers read it when it changes. */
function status() {
  return element("p", { class: "mm-status", role: "status", "aria-live": "polite" });
}

/** Cells of which one is chosen; arrow keys move the choice. `columns` is the length of a row. */
function chooser(cells, columns, choose, chosen = 0) {
  const pick = (index, focus) => {
    cells.forEach((cell, i) => {
      cell.setAttribute("aria-pressed", String(i === index));
      cell.setAttribute("tabindex", i === index ? "0" : "-1");
    });
    if (focus) cells[index].focus();
    choose(index);
  };
  cells.forEach((cell, index) => {
    cell.setAttribute("role", "button");
    cell.addEventListener("click", () => pick(index, true));
    cell.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: index - 1, ArrowRight: index + 1, ArrowUp: index - columns, ArrowDown: index + columns,
        Home: 0, End: cells.length - 1, Enter: index, " ": index }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      if (to >= 0 && to < cells.length) pick(to, true);
    });
  });
  pick(chosen, false);
  return pick;
}

/** A table with a head; the first cell of a row names it. */
function table(caption, head, rows) {
  return element("table", { class: "mm-table" },
    element("caption", { text: caption }),
    element("thead", {}, element("tr", {}, ...head.map((words) => element("th", { scope: "col", text: words })))),
    element("tbody", {}, ...rows.map(([first, ...rest]) => element("tr", {},
      element("th", { scope: "row", text: first }), ...rest.map((words) => element("td", { text: words }))))));
}
