"""`{links}`: the table of every address outside the book that its pages and their data give as a source.

Links within the book are checked by every build: a broken one is a warning, and warnings are errors. Links to
the outside are not fetched by a build, which needs no network. They are listed, for a person or a link
checker to go through.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# Pages, labs, and the modules that carry figures with their sources.
FOLDERS = {"book": "*.md", "solutions": "*.md", "kernels": "*.py", "anymetal/checks": "*.py"}
_ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\]+")


def links() -> dict[str, list[str]]:
    """By address, the files that give it."""
    found: dict[str, list[str]] = {}
    for folder, pattern in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob(pattern)):
            text = path.read_text(encoding="utf-8")
            for address in dict.fromkeys(_trimmed(match) for match in _ADDRESS.findall(text)):
                if "localhost" not in address and "{" not in address:
                    found.setdefault(address, []).append(str(path.relative_to(ROOT)))
    return dict(sorted(found.items()))


def _trimmed(address: str) -> str:
    """Without the mark that ends a sentence, or the bracket that closes round the address."""
    address = address.rstrip(".,;:*")
    while address.endswith((")", "]", "}")) and address.count(address[-1]) > address.count(
        {")": "(", "]": "[", "}": "{"}[address[-1]]
    ):
        address = address[:-1].rstrip(".,;:*")
    return address


def table() -> list[str]:
    """The table's lines in Markdown."""
    rows = [f"| <{address}> | {', '.join(f'`{f}`' for f in files)} |" for address, files in links().items()]
    return ["| address | given in |", "|---|---|", *rows]


def _read(_app: Any, name: str, source: list[str]) -> None:
    if name.endswith("instructors"):
        source[0] = source[0].replace("```{links}\n```", "\n".join(table()))


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx. `claim_table` sees to it that the guide is read again each time."""
    app.connect("source-read", _read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
