"""The figures' JavaScript, as a page and as Jupyter want it.

Each file in `js/` but `common.js` holds one figure: a function `render({data, root})`, which draws into
`root`. It stands alone but for the functions of `common.js`. A page loads all figures as one classic script,
which works from a file as well; Jupyter takes one figure as a module, for anywidget.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

KINDS = (
    "bits",
    "census",
    "coalescing",
    "explorer",
    "fragments",
    "roofline",
    "stepper",
    "strategies",
    "tiles",
)

_MOUNT = """
function mount(root) {
  if (root.dataset.drawn) return;
  root.dataset.drawn = "yes";
  const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const place = root.querySelector(".mm-place");
  place.replaceChildren();
  kinds[root.dataset.figure]({ data, root: place });
}
const mountAll = () => document.querySelectorAll(".mm-figure[data-figure]").forEach(mount);
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mountAll);
else mountAll();
"""


@cache
def _text(name: str) -> str:
    return files("figures").joinpath("js", f"{name}.js").read_text(encoding="utf-8")


@cache
def style() -> str:
    """The figures' CSS."""
    return files("figures").joinpath("figures.css").read_text(encoding="utf-8")


@cache
def for_page() -> str:
    """One classic script that draws every figure it finds on its page."""
    kinds = "\n".join(f"kinds.{kind} = (() => {{\n{_text(kind)}\nreturn render; }})();" for kind in KINDS)
    return f'"use strict";\n(() => {{\n{_text("common")}\nconst kinds = {{}};\n{kinds}\n{_MOUNT}}})();\n'


def for_widget(kind: str) -> str:
    """A module for anywidget that draws one kind of figure from its model's `data`."""
    return (
        f"{_text('common')}\n{_text(kind)}\n"
        "export default { render({ model, el }) {\n"
        "  const draw = () => {\n"
        '    const root = element("div", { class: "mm-figure" },\n'
        '      element("p", { class: "mm-title", text: model.get("title") }));\n'
        '    const place = element("div", { class: "mm-place" });\n'
        "    root.append(place);\n"
        "    el.replaceChildren(root);\n"
        '    render({ data: model.get("data"), root: place });\n'
        "  };\n"
        '  model.on("change:data", draw);\n'
        "  draw();\n"
        "} };\n"
    )
