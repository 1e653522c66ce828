// Which lane holds what of an 8×8 matrix.
//
// data: {owner: 64 lanes, row by row; element: 64 indices into thread_elements()}.

function render({ data, root }) {
  const words = status();
  const cells = data.owner.map((lane, i) => element("span", { class: "mm-cell", text: lane,
    "aria-label": `row ${Math.floor(i / 8)}, column ${i % 8}: lane ${lane}, its element ${data.element[i]}` }));
  const grid = element("div", { class: "mm-grid8", role: "group", "aria-label": "The 8 × 8 matrix; choose an element" }, ...cells);
  root.append(grid, words);
  chooser(cells, 8, (chosen) => {
    const lane = data.owner[chosen];
    const places = data.owner.flatMap((owner, i) => (owner === lane ? [i] : []));
    cells.forEach((cell, i) => cell.classList.toggle("mm-mine", data.owner[i] === lane));
    words.textContent = `Row ${Math.floor(chosen / 8)}, column ${chosen % 8} is element ${data.element[chosen]} of lane ${lane}. Lane ${lane} holds ${places.map((i) => `(${Math.floor(i / 8)}, ${i % 8})`).join(" and ")}.`;
  });
}
