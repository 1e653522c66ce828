"""A real nbgrader course with a lab as it is: released, handed in twice, graded, with feedback."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]


def nbgrader(course: Path, *words: str) -> str:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        # nbgrader calls alembic by its name.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "IPYTHONDIR": str(course / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(course / ".jupyter"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_course_from_release_to_feedback(tmp_path: Path) -> None:
    shutil.copy(ROOT / "grader" / "nbgrader_config.py", tmp_path / "nbgrader_config.py")
    source = tmp_path / "source" / "lab02"
    source.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / "02_textbook.ipynb", source)
    nbgrader(tmp_path, "generate_assignment", "lab02", "--create")

    released = nbformat.read(tmp_path / "release" / "lab02" / "02_textbook.ipynb", as_version=4)
    lab = nbformat.read(ROOT / "labs" / "02_textbook.ipynb", as_version=4)
    for theirs, ours in zip(released.cells, lab.cells, strict=True):
        kept = [line for line in theirs.source.splitlines() if line.strip()]
        assert kept == [line for line in ours.source.splitlines() if line.strip()], ours.id

    answers = nbformat.read(ROOT / "solutions" / "02_textbook.ipynb", as_version=4)
    right = {cell.id: cell.source for cell in answers.cells if "BEGIN SOLUTION" in cell.source}
    wrong = {name: text.replace("y[m * N + n] =", "y[n * M + m] =") for name, text in right.items()}
    for student, solved in (("ann", right), ("bob", wrong)):
        for cell in released.cells:
            cell.source = solved.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source)
        folder = tmp_path / "submitted" / student / "lab02"
        folder.mkdir(parents=True)
        nbformat.write(released, folder / "02_textbook.ipynb")

    nbgrader(tmp_path, "autograde", "lab02", "--create")
    nbgrader(tmp_path, "generate_feedback", "lab02")
    with sqlite3.connect(tmp_path / "gradebook.db") as book:
        rows = book.execute(
            "select student.id, sum(grade.auto_score) from grade "
            "join submitted_notebook on grade.notebook_id = submitted_notebook.id "
            "join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id "
            "join student on submitted_assignment.student_id = student.id group by student.id"
        ).fetchall()
    assert dict(rows) == {"ann": 10.0, "bob": 0.0}
    feedback = (tmp_path / "feedback" / "bob" / "lab02" / "02_textbook.html").read_text(encoding="utf-8")
    assert "your result is the transpose" in feedback
