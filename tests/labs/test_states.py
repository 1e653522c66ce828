"""Every lab, as it comes and solved. What a lab says about particular mistakes is in its own file."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from grader import build_labs
from tests.labs.states import LABS, Lab, graded

each_lab = pytest.mark.parametrize("lab", LABS, ids=[lab.name for lab in LABS])


@each_lab
def test_the_generated_notebooks_are_up_to_date(lab: Lab) -> None:
    assert build_labs.build(lab.source, lab.learners.parent, check=True) == []


@each_lab
def test_no_line_of_a_solution_is_left_and_solving_only_adds_lines(lab: Lab) -> None:
    learners, solution = (nbformat.read(path, as_version=4) for path in (lab.learners, lab.solved))
    text = lab.learners.read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    for cell, answer in zip(learners.cells, solution.cells, strict=True):
        kept, full = cell.source.splitlines(), iter(answer.source.splitlines())
        assert all(line in full for line in kept), f"cell {cell.id} is not the solution with lines left out"
    assert lab.to_solve()
    for cell in solution.cells:
        for part in cell.source.split(build_labs.BEGIN)[1:]:
            for line in part.split(build_labs.END)[0].splitlines():
                words = line.strip()
                assert len(words) < 6 or words in ("return;", "//") or words not in text, words


@each_lab
def test_the_skeleton_runs_and_is_told_what_to_do_first(lab: Lab) -> None:
    ok, report = graded(lab.learners)
    assert not ok
    assert ": not yet" in report
    assert "does not compile" not in report


@each_lab
def test_a_solved_copy_passes(lab: Lab, tmp_path: Path) -> None:
    ok, report = graded(lab.copy(tmp_path, *lab.to_solve()))
    assert ok, report
