"""A lab in its states: as it comes, partly solved, and solved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat

from grader import __main__ as command_line
from grader import build_labs

ROOT = Path(__file__).parents[2]
# More than any lab may take on a loaded machine; see the tests of submissions for what happens behind it.
SECONDS = 180


@dataclass(frozen=True)
class Lab:
    """A lab by the name that its files share, as "02_textbook"."""

    name: str

    @property
    def source(self) -> Path:
        return ROOT / "solutions" / f"{self.name}.md"

    @property
    def learners(self) -> Path:
        return ROOT / "labs" / f"{self.name}.ipynb"

    @property
    def solved(self) -> Path:
        return ROOT / "solutions" / f"{self.name}.ipynb"

    def to_solve(self) -> list[str]:
        """The ids of the cells that a learner fills in."""
        cells = nbformat.read(self.solved, as_version=4).cells
        return [cell.id for cell in cells if build_labs.BEGIN in cell.source]

    def copy(self, folder: Path, *solved: str) -> Path:
        """The learner's file with the solutions of some of its cells filled in."""
        lab, solution = (nbformat.read(path, as_version=4) for path in (self.learners, self.solved))
        answers = {cell.id: cell.source for cell in solution.cells}
        for cell in lab.cells:
            if cell.id in solved:
                cell.source = answers[cell.id]
        path = folder / f"{self.name}.ipynb"
        nbformat.write(lab, path)
        return path


def graded(path: Path) -> tuple[bool, str]:
    """Whether a learner's file passes, and what it is told."""
    return command_line.grade_file(path, SECONDS)


LABS = [Lab(path.stem) for path in sorted((ROOT / "solutions").glob("*.md"))]
