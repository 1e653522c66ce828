// Lanes against 128-byte lines, for a stride and an element's size that the reader chooses.
//
// data: {stride, size, offset, most}: where the sliders start, in elements and bytes, and the largest stride.

function render({ data, root }) {
  let { stride, size, offset } = data;
  const words = status();
  const picture = element("div", { class: "mm-scroll", tabindex: "0", role: "img" });
  root.append(
    element("div", { class: "mm-controls" },
      slider("Lane i reads element i ×", 0, data.most, stride, (v) => { stride = v; draw(); }),
      slider("starting at element", 0, 31, offset, (v) => { offset = v; draw(); }),
      choice("of", [["1", "1 byte"], ["2", "2 bytes (half)"], ["4", "4 bytes (float)"], ["16", "16 bytes (float4)"]], String(size), (v) => { size = Number(v); draw(); })),
    picture, words);
  draw();

  function draw() {
    const place = (lane) => (offset + lane * stride) * size;
    const sectors = new Map();
    for (let lane = 0; lane < 32; lane++) {
      for (let s = Math.floor(place(lane) / 32); s <= Math.floor((place(lane) + size - 1) / 32); s++) {
        sectors.set(s, [...(sectors.get(s) || []), lane]);
      }
    }
    const lines = [...new Set([...sectors.keys()].map((s) => Math.floor(s / 4)))].sort((a, b) => a - b);
    const shown = lines.slice(0, 16);
    picture.replaceChildren(...shown.map((line) => element("div", { class: "mm-memline" },
      element("span", { class: "mm-number", text: `byte ${line * 128}` }),
      ...[0, 1, 2, 3].map((s) => {
        const who = sectors.get(line * 4 + s);
        return element("span", { class: who ? "mm-sector mm-touched" : "mm-sector", text: who ? label(who) : "·" });
      }))));
    if (lines.length > shown.length) picture.append(element("p", { text: `and ${lines.length - shown.length} more lines` }));
    const unique = new Set();
    for (let lane = 0; lane < 32; lane++) for (let b = 0; b < size; b++) unique.add(place(lane) + b);
    const asked = 32 * size;
    const coalescing = Math.min(1, unique.size / (sectors.size * 32));
    words.textContent = `32 lanes ask for ${asked} bytes, ${unique.size} of them distinct. They lie in ${sectors.size} sector${sectors.size > 1 ? "s" : ""} of 32 bytes, in ${lines.length} line${lines.length > 1 ? "s" : ""}: ${sectors.size * 32} bytes move, ${Math.round(coalescing * 100)} % of them asked for.`;
    picture.setAttribute("aria-label", words.textContent);
  }

  function label(who) {
    return who.length === 1 ? `${who[0]}` : who[who.length - 1] - who[0] === who.length - 1 ? `${who[0]}–${who[who.length - 1]}` : `${who.length} lanes`;
  }
}
