"""The edition that was built: solutions in every chapter of the instructor's, nowhere in the student's."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from .conftest import BOOK

CHAPTERS = sorted((Path(__file__).parents[2] / "book" / "chapters").glob("*.md"))
EDITION = BOOK / ".edition"
_SOLUTION = re.compile(r"^(?P<fence>[`:]{3,})\{solution\}.*?\n(?P<inside>.*?)^(?P=fence)$", re.M | re.S)
# What Markdown or the theme would turn into something else.
_MARKUP = re.compile(r"[`$*_\\\[\]()<>|\"'’“”&{}-]")
# So many letters are nobody's by chance.
LENGTH = 25
TEXT = (".html", ".js", ".json", ".md", ".ipynb", ".txt", ".py")


def only_in_solutions(text: str, outside: str) -> set[str]:
    """Pieces of the lines of a chapter's solutions, as they stand in a page too."""
    inside = "\n".join(found["inside"] for found in _SOLUTION.finditer(text))
    pieces = {piece.strip() for line in inside.splitlines() for piece in _MARKUP.split(line)}
    return {piece for piece in pieces if len(piece) >= LENGTH and piece not in outside}


def test_solutions_are_where_they_belong() -> None:
    if not EDITION.exists():
        pytest.skip("run make book first")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in CHAPTERS}
    outside = "\n".join(_SOLUTION.sub("", text) for text in texts.values())
    solutions = {name: only_in_solutions(text, outside) for name, text in texts.items()}
    assert all(len(pieces) >= 3 for pieces in solutions.values())
    found: dict[str, set[str]] = {}
    for path in BOOK.rglob("*"):
        if path.suffix not in TEXT:
            continue
        text = unescape(path.read_text(encoding="utf-8", errors="replace"))
        for chapter, pieces in solutions.items():
            if held := {piece for piece in pieces if piece in text}:
                found[f"{chapter} in {path.relative_to(BOOK).as_posix()}"] = held
    if EDITION.read_text(encoding="utf-8") == "student":
        assert found == {}
    else:
        for chapter, pieces in solutions.items():
            assert found[f"{chapter} in book/chapters/{chapter}.html"] == pieces
