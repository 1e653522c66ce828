"""`pytest --nbval` on a learner's own file, held against the reference and not against itself.

nbval compares a cell with the output that its own file stores, and does not compare cells that were never
run. A file whose outputs were edited or stripped would pass. `labs/conftest.py` loads this hook; elsewhere:
`pytest -p grader.nbval_hook --nbval FILE`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.assemble import find_reference, grade_id, is_answer, references


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Give graded cells their reference's source and outputs; refuse a file that lacks one."""
    import nbformat

    files: dict[Path, list[Any]] = {}
    for item in items:
        if type(item).__name__ == "IPyNbCell":
            files.setdefault(Path(item.path), []).append(item)
    for path, cells in files.items():
        found = find_reference(nbformat.read(path, as_version=4), references())
        if found is None:
            continue
        theirs = {grade_id(item.cell): item for item in cells if grade_id(item.cell)}
        for cell in found[1].cells:
            name = grade_id(cell)
            if not name:
                continue
            if name not in theirs:
                raise pytest.UsageError(f"{path} lacks the cell {name!r} of {found[0].name}.")
            if not is_answer(cell):
                item = theirs[name]
                item.cell.source, item.cell.outputs = cell.source, cell.outputs
                item.cell.execution_count = cell.execution_count
                # What a right kernel spent may differ from what the reference spent: compare the words.
                item.parent.skip_compare = (*item.parent.skip_compare, "text/html")
