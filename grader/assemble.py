"""Put a learner's answers into the reference notebook.

A learner's file is theirs: outputs may be edited or stripped, and graded cells changed or deleted. So what is
judged is the reference notebook with the learner's answer cells in it, matched by nbgrader's `grade_id`, and
with the cells that the learner added, each behind the cell that it followed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def references(folders: Iterable[Path] = (ROOT / "solutions", ROOT / "labs")) -> list[Path]:
    """The reference notebooks: executed solutions, or, where an edition ships none, the labs."""
    for folder in folders:
        found = sorted(folder.glob("*.ipynb"))
        if found:
            return found
    return []


def ids(notebook: Any) -> set[str]:
    """The grade_ids of a notebook."""
    return {each for cell in notebook.cells if (each := grade_id(cell))}


def grade_id(cell: Any) -> str:
    """nbgrader's name of a cell; empty for a cell that has none."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def is_answer(cell: Any) -> bool:
    """Whether the learner writes in this cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution", False))


def find_reference(notebook: Any, paths: Iterable[Path]) -> tuple[Path, Any] | None:
    """The reference that shares the most grade_ids with a notebook; None where none shares any."""
    import nbformat

    mine, best = ids(notebook), None
    most = 0
    for path in paths:
        candidate = nbformat.read(path, as_version=4)
        shared = len(mine & ids(candidate))
        if shared > most:
            most, best = shared, (path, candidate)
    return best


def assemble(submission: Any, reference: Any) -> tuple[Any, list[str]]:
    """The reference with the submission's answers.

    Returns:
        The notebook, without outputs, and the grade_ids of answer cells that the submission lacks: they are
        left empty.
    """
    answers = {grade_id(cell): cell.source for cell in submission.cells if grade_id(cell)}
    known = {cell.id for cell in reference.cells}
    added: dict[str, list[Any]] = {}
    after = ""
    for cell in submission.cells:
        name = grade_id(cell) or cell.get("id", "")
        if name in known:
            after = name
        elif cell.cell_type == "code":
            added.setdefault(after, []).append(copy.deepcopy(cell))
    made = copy.deepcopy(reference)
    missing: list[str] = []
    cells = list(added.get("", []))
    for cell in made.cells:
        if is_answer(cell):
            if grade_id(cell) not in answers:
                missing.append(grade_id(cell))
            cell.source = answers.get(grade_id(cell), "")
        cells += [cell, *added.get(cell.id, [])]
    for number, cell in enumerate(cells):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if cell.get("id") not in known:
            cell["id"] = f"added-{number}"
    made.cells = cells
    return made, missing
