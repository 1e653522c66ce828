"""Lab 02 as a learner meets it: as it comes, and solved."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from grader import __main__ as command_line
from tests.labs.states import ROOT, Lab, graded

LAB = Lab("02_textbook")


def nbval(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-cell-timeout=120",
        "-p",
        "no:cacheprovider",
        "-q",
    ]
    environment = os.environ | {"NO_COLOR": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    return subprocess.run(
        [*command, *more, "-c", os.devnull, path.name],
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_skeleton_runs_and_is_told_what_to_do_first() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "Its last line should store the sum" in report


def test_with_the_kernel_alone_the_launch_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "textbook-kernel"))
    assert not ok
    assert "the launch made 1 × 1 threads" in report
    assert "`grid` counts threads" in report


def test_a_solved_copy_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = LAB.copy(tmp_path, "textbook-kernel", "textbook-launch")
    assert command_line.main([str(path)]) == 0
    assert "1 of 1 passed" in capsys.readouterr().out


def test_a_file_with_its_outputs_edited_or_stripped_is_judged_all_the_same(tmp_path: Path) -> None:
    """nbval by itself passes both: it compares a file with itself, and skips what was never run."""
    for change in ("stripped", "edited"):
        path = LAB.copy(tmp_path)
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.id == "textbook-grade" and change == "stripped":
                cell.outputs, cell.execution_count = [], None
            elif cell.id == "textbook-grade":
                cell.source, cell.outputs = "result = 1", []
        nbformat.write(notebook, path)
        judged = nbval(path, "-p", "grader.nbval_hook")
        assert judged.returncode == 1, judged.stdout
        assert "the report above says what to fix first" in judged.stdout


def test_nbval_refuses_a_file_without_its_graded_cell(tmp_path: Path) -> None:
    path = LAB.copy(tmp_path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "textbook-grade"]
    nbformat.write(notebook, path)
    judged = nbval(path, "-p", "grader.nbval_hook")
    assert judged.returncode != 0
    assert "lacks the cell 'textbook-grade'" in judged.stdout + judged.stderr


def test_nbval_passes_a_solved_copy_and_fails_the_skeleton(tmp_path: Path) -> None:
    solved = nbval(LAB.copy(tmp_path, "textbook-kernel", "textbook-launch"))
    assert solved.returncode == 0, solved.stdout
    skeleton = nbval(LAB.copy(tmp_path))
    assert skeleton.returncode == 1, skeleton.stdout
    assert "the report above says what to fix first" in skeleton.stdout
    assert "1 failed" in skeleton.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("y[m * N + n]", "y[n * M + m]"), "your result is the transpose"),
        (("float sum = 0;", "float sum = 0"), "does not compile"),
        (("return;", "break;"), "does not compile"),
    ],
)
def test_a_slip_in_the_solution_is_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = LAB.copy(tmp_path, "textbook-kernel", "textbook-launch")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.id == "textbook-kernel":
            assert change[0] in cell.source
            cell.source = cell.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report
    assert "generated" not in report


def test_the_command_line_says_why_a_file_has_no_grade(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ipynb"
    broken.write_text("not a notebook", encoding="utf-8")
    ok, report = command_line.grade_file(broken, 10)
    assert not ok
    assert "cannot be read" in report

    lab = nbformat.read(LAB.learners, as_version=4)
    path = tmp_path / "stuck.ipynb"
    stuck = copy.deepcopy(lab)
    next(cell for cell in stuck.cells if cell.id == "textbook-launch").source = "raise NameError('mine')"
    nbformat.write(stuck, path)
    ok, report = command_line.grade_file(path, 60)
    assert not ok
    assert "grade() never ran" in report
    assert "NameError: mine" in report
