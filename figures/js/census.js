// A model's matmuls: shapes, operations, bytes, and what binds them.
//
// data: {models: [{name, page, matmuls: [{name, k, n, layers, held, chosen, last_only}]}], model, tokens, ridge: {chip, value}}.

function render({ data, root }) {
  let model = data.models.find((one) => one.name === data.model) || data.models[0];
  let power = Math.log2(data.tokens);
  const words = status();
  const list = scrolling("Matmuls");
  root.append(element("div", { class: "mm-controls" },
    choice("Model", data.models.map((one) => [one.name, one.name]), model.name, (name) => { model = data.models.find((one) => one.name === name); draw(); }),
    slider("tokens at once, M =", 0, 12, power, (v) => { power = v; draw(); }, (v) => (v === 0 ? "1 (decode)" : String(2 ** v)))),
    list, words);
  draw();

  function draw() {
    const tokens = 2 ** power;
    let flops = 0, bytes = 0;
    const rows = model.matmuls.map((one) => {
      const each = one.chosen * (one.last_only ? 1 : tokens);
      const calls = one.layers * Math.min(one.held, each);
      const work = 2 * one.layers * each * one.k * one.n;
      const moved = 2 * (calls * one.k * one.n + one.layers * each * (one.k + one.n));
      flops += work;
      bytes += moved;
      return [one.name, grouped(one.k), grouped(one.n), grouped(calls), prefixed(work), prefixed(moved, "B"),
        (work / moved).toPrecision(3), work / moved < data.ridge.value ? "memory" : "compute"];
    });
    list.replaceChildren(table(`${model.name}: one pass over ${tokens === 1 ? "one token" : `${tokens} tokens`}, 2 bytes a number`,
      ["matmul", "K", "N", "calls", "FLOPs", "bytes", "FLOPs a byte", "bound by"], rows));
    words.textContent = `In all ${prefixed(flops, "FLOP")} and ${prefixed(bytes, "B")}: ${(flops / bytes).toPrecision(3)} operations a byte. On ${data.ridge.chip}, whose ridge is at ${data.ridge.value.toPrecision(3)}, the pass is bound by ${flops / bytes < data.ridge.value ? "memory" : "compute"}.`;
  }
}
