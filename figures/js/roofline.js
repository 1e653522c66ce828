// A chip's roof, and kernels under it.
//
// data: {chips: [{name, bandwidth, peak: {dtype: flops}, sources}], points: [{name, flops, bytes, dtype}],
// chip, dtype}. A point's place is what was counted; its height is the most that the chip allows there.

function render({ data, root }) {
  let chip = data.chips.find((one) => one.name === data.chip) || data.chips[0];
  let dtype = data.dtype;
  const words = status();
  const width = 640, height = 340, left = 62, right = 14, top = 14, bottom = 46;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "mm-plot", role: "img" });
  const list = scrolling("Kernels and their bounds");
  root.append(element("div", { class: "mm-controls" },
    choice("Chip", data.chips.map((one) => [one.name, one.name]), chip.name, (name) => { chip = data.chips.find((one) => one.name === name); draw(); }),
    choice("computing in", data.dtypes.map((one) => [one, one]), dtype, (value) => { dtype = value; draw(); })),
    picture, list, words);
  draw();

  function draw() {
    const peak = chip.peak[dtype];
    const most = peak || chip.bandwidth * 256;
    const xs = [1 / 8, 1024], ys = [chip.bandwidth / 16, most * 2];
    const x = (v) => left + (Math.log2(v / xs[0]) / Math.log2(xs[1] / xs[0])) * (width - left - right);
    const y = (v) => height - bottom - (Math.log2(v / ys[0]) / Math.log2(ys[1] / ys[0])) * (height - top - bottom);
    const reach = (intensity) => Math.min(intensity * chip.bandwidth, peak || Infinity);
    picture.replaceChildren();
    for (let tick = xs[0]; tick <= xs[1]; tick *= 4) {
      picture.append(svg("line", { x1: x(tick), x2: x(tick), y1: top, y2: height - bottom, class: "mm-rule" }),
        svg("text", { x: x(tick), y: height - bottom + 16, "text-anchor": "middle", text: tick < 1 ? `1/${1 / tick}` : tick }));
    }
    for (let tick = 2 ** Math.ceil(Math.log2(ys[0])); tick <= ys[1]; tick *= 8) {
      picture.append(svg("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: "mm-rule" }),
        svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end", text: prefixed(tick) }));
    }
    const ridge = peak ? peak / chip.bandwidth : null;
    const roof = peak ? [[xs[0], reach(xs[0])], [ridge, peak], [xs[1], peak]] : [[xs[0], reach(xs[0])], [xs[1], reach(xs[1])]];
    picture.append(
      svg("polyline", { points: roof.map(([a, b]) => `${x(a)},${Math.max(top, y(b))}`).join(" "), class: "mm-roof" }),
      svg("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle", text: "operations for each byte that must move" }),
      svg("text", { x: 14, y: (top + height - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${(top + height - bottom) / 2})`, text: "operations a second, at most" }));
    const rows = [];
    data.points.forEach((point, i) => {
      const intensity = point.flops / point.bytes, at = reach(intensity);
      const px = x(Math.min(xs[1], Math.max(xs[0], intensity))), py = y(Math.max(ys[0], at));
      picture.append(svg("circle", { cx: px, cy: py, r: 6, class: point.yours ? "mm-point mm-yours" : "mm-point" }),
        svg("text", { x: px + 9, y: py + 14, text: i + 1, class: "mm-tag" }));
      const memory = point.bytes / chip.bandwidth, compute = peak ? point.flops / peak : null;
      rows.push([`${i + 1}  ${point.name}`, intensity < 1 ? intensity.toPrecision(2) : prefixed(intensity), prefixed(Math.max(memory, compute || 0), "s"),
        compute !== null && compute > memory ? "compute" : "memory"]);
    });
    list.replaceChildren(table(`On ${chip.name}, at its best speed`, ["kernel", "operations a byte", "at least", "bound by"], rows));
    words.textContent = `${chip.name}: ${prefixed(chip.bandwidth, "B/s")}${peak ? `, ${prefixed(peak, "FLOP/s")} in ${dtype}. The ridge is at ${ridge.toPrecision(3)} operations a byte.` : `. Its peak in ${dtype} has no public source that we trust, so the roof has no ridge.`}`;
    picture.setAttribute("aria-label", words.textContent);
  }
}
