"""Interactive figures on the book's pages: their script and style, on the pages that hold one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from figures import scripts
from figures.figure import PAGE
from kernels.progress import VARIABLE as PROGRESS

MARK = "data-figure="


def _write(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir, "_static")
        (folder / "figures.js").write_text(scripts.for_page(), encoding="utf-8")
        (folder / "figures.css").write_text(scripts.style(), encoding="utf-8")


def _add(app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    if MARK in context.get("body", ""):
        app.add_js_file("figures.js", loading_method="defer")
        app.add_css_file("figures.css")


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    # The kernels that execute the chapters inherit both: figures come as HTML, and bars that pass not at all.
    os.environ[PAGE] = "yes"
    os.environ[PROGRESS] = "off"
    app.connect("html-page-context", _add)
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
