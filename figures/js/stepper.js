// The SIMT stepper: one SIMD-group of a recorded run, step by step.
//
// data: {sources: {name: text}, steps: [{file, line, mask, variables, accesses, barrier}], types, simdgroup,
// simdgroups, threadgroup, complete}. Lanes' values are packed as `lanesOf` reads them.

function render({ data, root }) {
  let at = 0;
  let lane = 0;
  const states = [{}];
  for (const step of data.steps) {
    const next = { ...states[states.length - 1] };
    for (const [name, packed] of Object.entries(step.variables || {})) {
      if (packed === null) { delete next[name]; continue; }
      const old = next[name] ? next[name].values : Array(32).fill(null);
      next[name] = { values: lanesOf(packed).map((v, i) => (v === null ? old[i] : v)), fresh: states.length };
    }
    states.push(next);
  }

  const words = status();
  const range = element("input", { type: "range", min: 0, max: data.steps.length - 1, value: 0, class: "mm-steps",
    "aria-label": "Step", oninput: () => show(Number(range.value)) });
  const controls = element("div", { class: "mm-controls" },
    button("|◀", "First step", () => show(0)), button("◀", "One step back", () => show(at - 1)),
    button("▶", "One step on", () => show(at + 1)), button("▶|", "Last step", () => show(data.steps.length - 1)), range);

  const files = [...new Set(data.steps.map((step) => step.file))];
  const lines = {};
  const code = element("div", { class: "mm-code", tabindex: "0", role: "group", "aria-label": "The kernel's text" });
  for (const file of files) {
    lines[file] = data.sources[file].replace(/\s+$/, "").split("\n").map((text, i) => {
      const line = element("div", { class: "mm-line" }, element("span", { class: "mm-number", text: i + 1 }), element("code", { text: text || " " }));
      code.append(line);
      return line;
    });
  }
  const cells = Array.from({ length: 32 }, (_, i) => element("span", { class: "mm-lane", text: i }));
  const pick = chooser(cells, 16, (index) => { lane = index; if (range.isConnected) draw(); });
  const lanes = element("div", { class: "mm-lanes", role: "group", "aria-label": "Lanes; choose one to see its values" }, ...cells);
  const variables = scrolling("Variables");
  const memory = element("div", { class: "mm-memory" });

  root.append(controls, words,
    element("div", { class: "mm-row" }, code, element("div", { class: "mm-side" }, lanes, variables, memory)));
  root.addEventListener("keydown", (event) => {
    if (event.target === range) return;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: data.steps.length - 1 }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(to);
  });
  pick(0, false);
  show(0);

  function show(step) {
    at = Math.max(0, Math.min(data.steps.length - 1, step));
    range.value = at;
    draw();
  }

  function draw() {
    const step = data.steps[at];
    const active = (i) => ((step.mask >>> i) & 1) === 1;
    const count = cells.filter((_, i) => active(i)).length;
    for (const all of Object.values(lines)) for (const line of all) line.classList.remove("mm-now");
    const line = lines[step.file][step.line - 1];
    if (line) {
      line.classList.add("mm-now");
      // Only within its own box: the page must not jump.
      code.scrollTop = line.offsetTop - code.clientHeight / 2;
    }
    cells.forEach((cell, i) => {
      cell.classList.toggle("mm-active", active(i));
      cell.setAttribute("aria-label", `lane ${i}, ${active(i) ? "active" : "not active"}`);
    });
    const state = states[at + 1];
    const rows = Object.entries(state).map(([name, { values, fresh }]) => [
      name, data.types[name] || "", text(values[lane]), across(values), fresh === at + 1 ? "now" : ""]);
    variables.replaceChildren(table(`Variables after this step`, ["name", "type", `lane ${lane}`, "across lanes", "set"], rows));
    memory.replaceChildren(...(step.accesses || []).map(access));
    if (step.barrier) {
      const others = Array.from({ length: data.simdgroups }, (_, i) => i).filter((i) => i !== data.simdgroup);
      memory.append(element("p", { class: "mm-wait", text: others.length
        ? `A barrier. SIMD-group ${data.simdgroup} waits here until SIMD-group${others.length > 1 ? "s" : ""} ${others.join(", ")} ${others.length > 1 ? "have" : "has"} come.`
        : "A barrier. The threadgroup has this one SIMD-group, so nobody has to wait." }));
    }
    words.textContent = `Step ${at + 1} of ${data.steps.length}${data.complete ? "" : " recorded"}: line ${step.line}, ${count === 32 ? "all 32 lanes" : `${count} of 32 lanes`}.`;
  }

  function access(one) {
    const offsets = lanesOf(one.offset);
    const touched = new Map();
    offsets.forEach((offset, i) => {
      if (offset === null) return;
      for (let sector = Math.floor(offset / 32); sector <= Math.floor((offset + one.bytes - 1) / 32); sector++) {
        const line = Math.floor(sector / 4);
        if (!touched.has(line)) touched.set(line, [[], [], [], []]);
        touched.get(line)[sector % 4].push(i);
      }
    });
    const shown = [...touched.keys()].sort((a, b) => a - b);
    const verb = { read: "reads", write: "writes", atomic: "updates" }[one.kind];
    const box = element("div", { class: "mm-access" }, element("p", {
      text: `${verb} ${one.memory} (${one.space}): ${shown.length} line${shown.length > 1 ? "s" : ""} of 128 bytes` }));
    for (const line of shown.slice(0, 6)) {
      box.append(element("div", { class: "mm-memline" }, element("span", { class: "mm-number", text: `byte ${line * 128}` }),
        ...touched.get(line).map((who) => element("span", { class: who.length ? "mm-sector mm-touched" : "mm-sector",
          text: who.length ? span(who) : "·" }))));
    }
    if (shown.length > 6) box.append(element("p", { text: `and ${shown.length - 6} more lines` }));
    return box;
  }

  function span(who) {
    const contiguous = who[who.length - 1] - who[0] === who.length - 1;
    if (who.length === 1) return `${who[0]}`;
    return contiguous ? `${who[0]}–${who[who.length - 1]}` : who.length <= 4 ? who.join(" ") : `${who.length} lanes`;
  }

  function text(value) {
    if (value === null || value === undefined) return "–";
    return Array.isArray(value) ? `(${value.map(text).join(", ")})` : typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)).toString() : String(value);
  }

  function across(values) {
    const known = values.filter((v) => v !== null);
    if (!known.length) return "–";
    if (new Set(known.map(String)).size === 1) return known.length === 32 ? "the same in all" : `the same in ${known.length}`;
    return `${text(known[0])}, ${text(known[1])}, … ${text(known[known.length - 1])}`;
  }
}
