// The walk of a threadgroup over its matrices: what it has read when it comes to each barrier.
//
// data: {memories: [{name, shape}], phases: [{reads: {memory: runs}, writes: {memory: runs}, shared: [read, written],
// products, waits}]}; runs are [first, length, step] of elements, of all lanes together. shared is in bytes.

function render({ data, root }) {
  let at = 0;
  const words = status();
  const pictures = element("div", { class: "mm-pictures" });
  const move = (to) => { at = Math.max(0, Math.min(data.phases.length - 1, to)); range.value = at; draw(); };
  const range = element("input", { type: "range", min: 0, max: data.phases.length - 1, value: 0, class: "mm-steps", "aria-label": "Phase",
    oninput: () => move(Number(range.value)) });
  root.append(element("div", { class: "mm-controls" }, button("◀", "One phase back", () => move(at - 1)),
    button("▶", "One phase on", () => move(at + 1)), range), words, pictures);
  root.addEventListener("keydown", (event) => {
    if (event.target === range) return;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: data.phases.length - 1 }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move(to);
  });
  draw();

  function elements(runs) {
    const found = [];
    for (const [first, length, step] of runs || []) for (let i = 0; i < length; i++) found.push(first + i * step);
    return found;
  }

  function draw() {
    const phase = data.phases[at];
    const said = [];
    pictures.replaceChildren(...data.memories.map(({ name, shape: [rows, columns] }) => {
      const before = new Set(), now = new Set();
      data.phases.slice(0, at).forEach((one) => [one.reads, one.writes].forEach((set) => elements(set[name]).forEach((e) => before.add(e))));
      const read = elements(phase.reads[name]), written = elements(phase.writes[name]);
      [...read, ...written].forEach((e) => now.add(e));
      if (read.length) said.push(`reads ${grouped(read.length)} elements of ${name}`);
      if (written.length) said.push(`stores ${grouped(written.length)} elements of ${name}`);
      const size = Math.max(1, Math.min(8, Math.floor(260 / columns)));
      const path = (set) => [...set].map((e) => `M${(e % columns) * size} ${Math.floor(e / columns) * size}h${size}v${size}h${-size}z`).join("");
      const picture = svg("svg", { viewBox: `0 0 ${columns * size} ${rows * size}`, width: columns * size, class: "mm-matrix", role: "img",
        "aria-label": `${name}: ${now.size} elements in this phase, ${before.size} before` },
        svg("rect", { x: 0, y: 0, width: columns * size, height: rows * size, class: "mm-whole" }),
        svg("path", { d: path(before), class: "mm-others" }), svg("path", { d: path(now), class: "mm-own" }));
      return element("figure", { class: "mm-memory-picture" }, element("figcaption", { text: `${name} [${rows}, ${columns}]` }), picture);
    }));
    const [sharedRead, sharedWritten] = phase.shared;
    if (sharedWritten) said.push(`writes ${grouped(sharedWritten)} bytes of threadgroup memory`);
    if (sharedRead) said.push(`reads ${grouped(sharedRead)} bytes from there`);
    words.textContent = `Phase ${at + 1} of ${data.phases.length}: the threadgroup ${said.join(", ") || "computes"}${phase.waits ? "; then all wait at a barrier" : "; then it is done"}.`;
  }
}
