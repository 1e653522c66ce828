"""Two editions of one book: the student's holds no solutions, anywhere.

The environment variable EDITION, "student" (the default) or "instructor", decides. In the student's, a
`{solution}` block goes before a page is parsed, so that it reaches neither the page nor the search index nor
an executed notebook; and it goes again from the copies of the sources that the theme offers for download.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

EDITIONS = ("student", "instructor")
_FENCE = re.compile(r"^(?P<fence>`{3,}|:{3,})\{solution(?:-start)?\}.*$")


def without_solutions(text: str) -> str:
    """`text` without its `{solution}` blocks, whatever their fence.

    A block ends where as many marks as opened it stand alone.

    Raises:
        ValueError: a block is not closed, or is of the gated kind (`{solution-start}`), which would leave
            what lies between its gates.
    """
    kept: list[str] = []
    closing = ""
    for number, line in enumerate(text.split("\n"), 1):
        opened = _FENCE.match(line.lstrip())
        if closing:
            marks = line.strip()
            if len(marks) >= len(closing) and set(marks) == {closing[0]}:
                closing = ""
        elif opened:
            if "solution-start" in line:
                raise ValueError(f"line {number}: use one {{solution}} block, not gates.")
            closing = opened["fence"]
        else:
            kept.append(line)
    if closing:
        raise ValueError("a {solution} block is not closed.")
    return "\n".join(kept)


def edition() -> str:
    """The edition that is asked for."""
    name = os.environ.get("EDITION") or EDITIONS[0]
    if name not in EDITIONS:
        raise ValueError(f"EDITION is {name!r}; it must be one of {', '.join(EDITIONS)}.")
    return name


def _begin(app: Any) -> None:
    # Sphinx goes on from the index it finds, and keeps words of pages that no longer hold them.
    out = Path(app.outdir)
    stamp, index = out / ".edition", out / "searchindex.js"
    if index.exists() and (not stamp.exists() or stamp.read_text() != app.config.book_edition):
        index.unlink()
    out.mkdir(parents=True, exist_ok=True)
    stamp.write_text(app.config.book_edition)


def _read(app: Any, _name: str, source: list[str]) -> None:
    if app.config.book_edition == "student":
        source[0] = without_solutions(source[0])


def _finish(app: Any, error: Exception | None) -> None:
    if error is not None or app.config.book_edition != "student":
        return
    for path in Path(app.outdir, "_sources").rglob("*.md*"):
        text = path.read_text(encoding="utf-8")
        path.write_text(without_solutions(text), encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    # "env": every page is read again when the edition changes.
    app.add_config_value("book_edition", edition(), "env", [str])
    app.connect("builder-inited", _begin)
    app.connect("source-read", _read)
    app.connect("build-finished", _finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
