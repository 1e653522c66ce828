// Pick a threadgroup, a SIMD-group and a lane; see what it reads and what it writes.
//
// data: {threadgroups: [x, y, z], simdgroups, memories: [{name, shape: [rows, columns], kind}],
// owners: {"g,s": {memory: [[lane or each, first, step, count, length], …]}}}; runs are of elements, by lane.

function render({ data, root }) {
  let group = 0, simdgroup = 0, lane = 0;
  const words = status();
  const count = data.threadgroups[0] * data.threadgroups[1] * data.threadgroups[2];
  const cells = Array.from({ length: 32 }, (_, i) => element("span", { class: "mm-lane mm-active", text: i, "aria-label": `lane ${i}` }));
  const pictures = element("div", { class: "mm-pictures" });
  const known = [...new Set(Object.keys(data.touched).map((key) => Number(key.split(",")[0])))];
  group = known[0];
  root.append(element("div", { class: "mm-controls" },
    choice("Threadgroup", known.map((g) => [String(g), position(g)]), String(group), (v) => { group = Number(v); draw(); }),
    choice("SIMD-group", Array.from({ length: data.simdgroups }, (_, i) => [String(i), String(i)]), "0", (v) => { simdgroup = Number(v); draw(); })),
    element("div", { class: "mm-lanes", role: "group", "aria-label": "Lanes; choose one" }, ...cells), pictures, words);
  chooser(cells, 16, (index) => { lane = index; draw(); });

  function position(g) {
    const [x, y] = data.threadgroups;
    return `(${g % x}, ${Math.floor(g / x) % y}, ${Math.floor(g / x / y)})`;
  }

  function draw() {
    const touched = data.touched[`${group},${simdgroup}`] || {};
    const said = [];
    pictures.replaceChildren(...data.memories.map((memory) => {
      const [rows, columns] = memory.shape;
      const mine = new Set(), others = new Set();
      (touched[memory.name] || []).forEach((elements, i) => elements.forEach(([first, length, step]) => {
        for (let j = 0; j < length; j++) (i === lane ? mine : others).add(first + j * step);
      }));
      const list = [...mine].sort((a, b) => a - b);
      said.push(list.length ? `${memory.kind} ${list.length} of ${memory.name}'s ${grouped(rows * columns)} elements, ${few(list, memory)}` : `${memory.kind} nothing of ${memory.name}`);
      const size = Math.max(1, Math.min(8, Math.floor(300 / columns)));
      const picture = svg("svg", { viewBox: `0 0 ${columns * size} ${rows * size}`, width: columns * size, class: "mm-matrix", role: "img",
        "aria-label": `${memory.name}: the lane ${said[said.length - 1]}` });
      picture.append(svg("rect", { x: 0, y: 0, width: columns * size, height: rows * size, class: "mm-whole" }));
      for (const [set, name] of [[others, "mm-others"], [mine, "mm-own"]]) {
        let path = "";
        for (const e of set) path += `M${(e % columns) * size} ${Math.floor(e / columns) * size}h${size}v${size}h${-size}z`;
        picture.append(svg("path", { d: path, class: name }));
      }
      return element("figure", { class: "mm-memory-picture" }, element("figcaption", { text: `${memory.name} [${rows}, ${columns}]` }), picture);
    }));
    words.textContent = `Threadgroup ${position(group)}, SIMD-group ${simdgroup}, lane ${lane}: ${said.join("; ")}.`;
  }

  function few(list, memory) {
    const name = (e) => (memory.shape[0] === 1 ? `${memory.name}[${e}]` : `${memory.name}[${Math.floor(e / memory.shape[1])}, ${e % memory.shape[1]}]`);
    return list.length <= 3 ? list.map(name).join(", ") : `${name(list[0])}, ${name(list[1])}, … ${name(list[list.length - 1])}`;
  }
}
