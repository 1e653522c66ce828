// The decision tree for a problem, beside the counted cost of each alternative.
//
// data: {formats: [name], rules: {format: [{condition, strategy, why}]}, unit,
// problems: [{format, m, n, k, says, rule, costs: [{name, title, cost, refuses}]}]}; rule is an index.

function render({ data, root }) {
  let format = data.formats[0];
  let at = 0;
  const words = status();
  const costs = scrolling("Strategies and what they cost");
  const rules = scrolling("The rules");
  const controls = element("div", { class: "mm-controls" });
  const mine = () => data.problems.filter((one) => one.format === format);
  root.append(controls, costs, rules, words);
  build();

  function build() {
    at = Math.min(at, mine().length - 1);
    const show = (i) => `${mine()[i].m} (N = ${mine()[i].n}, K = ${mine()[i].k})`;
    controls.replaceChildren(
      choice("Weights", data.formats.map((name) => [name, name]), format, (name) => { format = name; build(); controls.querySelector("select").focus(); }),
      slider("M =", 0, mine().length - 1, at, (value) => { at = value; draw(); }, show));
    draw();
  }

  function draw() {
    const problem = mine()[at];
    const best = Math.min(...problem.costs.filter((one) => one.cost !== null).map((one) => one.cost));
    const chosen = data.rules[format][problem.rule];
    costs.replaceChildren(table(`${data.unit}, counted`, ["strategy", data.unit, "of the best", ""],
      problem.costs.map((one) => [one.title, one.cost === null ? "–" : grouped(one.cost),
        one.cost === null ? "–" : (one.cost / best).toFixed(2), one.name === chosen.strategy ? "← taken" : one.refuses || ""])));
    rules.replaceChildren(table("Rules, the first that fits decides", ["condition", "strategy", "because", ""],
      data.rules[format].map((rule, i) => [rule.condition, rule.strategy, rule.why, i === problem.rule ? "← decides" : ""])));
    words.textContent = problem.says;
  }
}
