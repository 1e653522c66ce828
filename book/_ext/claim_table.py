"""`{coverage}`: the table of every claim that a chapter makes and of the cell that holds it.

A code cell says in its metadata which claims it establishes (`claims:`), and asserts them. The table is made
from the chapters' sources each time the book is built. The cells ran in the same build, or it would have
failed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

CHAPTERS = Path(__file__).parents[1] / "chapters"


@dataclass(frozen=True)
class Claim:
    """One sentence of a chapter, the number of the code cell that holds it, and how."""

    chapter: str
    says: str
    cell: int
    asserts: tuple[str, ...]


def claims(page: Path) -> list[Claim]:
    """The claims of a chapter, in its order.

    Raises:
        ValueError: a cell claims something and asserts nothing.
    """
    found = []
    cells = [cell for cell in jupytext.read(page).cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells, 1):
        said = cell.metadata.get("claims", [])
        held = tuple(
            ast.unparse(node.test)
            for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, ast.Assert)
        )
        if said and not held:
            raise ValueError(f"{page.name}, code cell {number}: claims {said} and asserts nothing.")
        found += [Claim(page.stem, text, number, held) for text in said]
    return found


def table() -> list[str]:
    """The table's lines in Markdown, chapter by chapter."""
    lines = ["| chapter | claim | held by | which asserts |", "|---|---|---|---|"]
    for page in sorted(CHAPTERS.glob("*.md")):
        for claim in claims(page):
            shown = "; ".join(f"`{_short(text)}`" for text in claim.asserts)
            link = f"[{int(claim.chapter[:2])}](chapters/{claim.chapter})"
            lines.append(f"| {link} | {claim.says} | cell {claim.cell} | {shown} |")
    return lines


def _short(text: str, most: int = 80) -> str:
    text = " ".join(text.split()).replace("|", "\\|")
    return text if len(text) <= most else text[: most - 1] + "…"


def _read(_app: Any, name: str, source: list[str]) -> None:
    if name.endswith("instructors"):
        source[0] = source[0].replace("```{coverage}\n```", "\n".join(table()))


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", _read)
    app.connect(
        "env-before-read-docs",
        # The chapters are not this page's own text: read it again each time.
        lambda _app, env, docnames: docnames.extend(
            name for name in env.found_docs if name.endswith("instructors") and name not in docnames
        ),
    )
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
