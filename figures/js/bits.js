// A block of a quantized format, byte by byte and value by value.
//
// data: {bytes: [0 … 255], fields: [{name, first, count}], values: [{name, parts: [[byte, bit, count], …], says}]}.
// A value's parts are the bits that it is made of.

function render({ data, root }) {
  const words = status();
  const field = (at) => data.fields.find((one) => at >= one.first && at < one.first + one.count);
  const hex = (byte) => byte.toString(16).padStart(2, "0");
  const bytes = data.bytes.map((byte, i) => element("span", { class: "mm-cell mm-byte", text: hex(byte),
    "aria-label": `byte ${i}, ${field(i).name}: ${hex(byte)}` }));
  const values = data.values.map((value) => element("span", { class: "mm-cell", text: value.name, "aria-label": `value ${value.name}` }));
  const bits = element("div", { class: "mm-bits", role: "img" });
  root.append(
    ...data.fields.map((one) => element("div", {}, element("p", { class: "mm-legend", text: `${one.name}: ${one.count === 1 ? "byte" : "bytes"} ${one.first}${one.count > 1 ? ` to ${one.first + one.count - 1}` : ""}` }),
      element("div", { class: "mm-bytes" }, ...bytes.slice(one.first, one.first + one.count)))),
    element("p", { class: "mm-legend", text: "Values" }),
    element("div", { class: "mm-bytes mm-values", role: "group", "aria-label": "Values; choose one" }, ...values), bits, words);
  let ready = false;
  const pickByte = chooser(bytes, 16, (at) => { if (ready) showByte(at); });
  const pickValue = chooser(values, 16, showValue);
  ready = true;
  bytes[0].setAttribute("aria-pressed", "false");

  function mark(usedBytes, usedValues) {
    bytes.forEach((cell, i) => cell.classList.toggle("mm-mine", usedBytes.has(i)));
    values.forEach((cell, i) => cell.classList.toggle("mm-mine", usedValues.has(i)));
  }

  function showValue(at) {
    const value = data.values[at];
    mark(new Set(value.parts.map(([byte]) => byte)), new Set([at]));
    bytes.forEach((cell) => cell.setAttribute("aria-pressed", "false"));
    draw([...new Set(value.parts.map(([byte]) => byte))], value.parts);
    words.textContent = value.says;
  }

  function showByte(at) {
    const users = data.values.flatMap((value, i) => (value.parts.some(([byte]) => byte === at) ? [i] : []));
    mark(new Set([at]), new Set(users));
    values.forEach((cell) => cell.setAttribute("aria-pressed", "false"));
    draw([at], []);
    const names = users.map((i) => data.values[i].name);
    const whom = names.length > 6 ? `${names.slice(0, 3).join(", ")}, … ${names[names.length - 1]} (${names.length} values)` : names.join(", ");
    words.textContent = `Byte ${at}, ${hex(data.bytes[at])} in hexadecimal, belongs to ${field(at).name} and is part of ${whom || "no value"}.`;
  }

  function draw(shown, parts) {
    const used = (byte, bit) => parts.some(([b, low, count]) => b === byte && bit >= low && bit < low + count);
    bits.replaceChildren(...shown.slice(0, 8).map((byte) => element("div", { class: "mm-bitrow" },
      element("span", { class: "mm-number", text: `byte ${byte}` }),
      ...[7, 6, 5, 4, 3, 2, 1, 0].map((bit) => element("span", { class: used(byte, bit) ? "mm-sector mm-mine" : "mm-sector", text: (data.bytes[byte] >> bit) & 1 })))));
    bits.setAttribute("aria-label", shown.map((byte) => `byte ${byte}: ${data.bytes[byte].toString(2).padStart(8, "0")}`).join("; "));
  }
}
