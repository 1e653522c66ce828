"""A class's files: the honest, the careless and the hostile, side by side."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from grader.__main__ import main
from grader.assemble import assemble
from grader.submissions import Limits, judge_all, judge_file

# A grade without a kernel: what these tests are about is what goes on round it.
SET_UP = """
from IPython.display import display
def grade(answer):
    passed = answer == 4
    words = "passed" if passed else f"not yet: {answer}"
    summary = {"exercise": "00", "passed": passed, "kind": "passed" if passed else "wrong", "checks": 1,
               "checks_passed": int(passed)}
    display({"text/plain": words}, raw=True, metadata={"matmul-on-metal": summary})
"""
HOSTILE = {
    "endless": ("while True: pass", "too-slow"),
    "dies": ("import os; os._exit(1)", "kernel-died"),
    "floods": ("while True: print('x' * 100_000)", "flood"),
    "fills": (
        "import tempfile, time\nfor i in range(200):\n"
        "    open(f'{tempfile.gettempdir()}/{i}', 'wb').write(b'x' * 1_000_000)\ntime.sleep(60)",
        "disk-full",
    ),
}


def metadata(name: str, *, answer: bool) -> dict:
    return {
        "nbgrader": {
            "schema_version": 3, "solution": answer, "grade": not answer, "locked": not answer,
            "task": False, "grade_id": name,
        }
    }  # fmt: skip


def notebook(answer: str) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell
    made = nbformat.v4.new_notebook(
        cells=[
            cell(SET_UP, id="set-up"),
            cell(answer, id="answer", metadata=metadata("answer", answer=True)),
            cell("grade(answer)", id="check", metadata=metadata("check", answer=False)),
        ]
    )
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    folder = tmp_path / "reference"
    folder.mkdir()
    nbformat.write(notebook("answer = 2 * 2"), folder / "00_small.ipynb")
    return folder


def test_hostile_files_end_clean_and_leave_the_others_untouched(tmp_path: Path, reference: Path) -> None:
    answers = {"right": ("answer = 4", "passed"), **HOSTILE, "wrong": ("answer = 3", "wrong")}
    for name, (source, _) in answers.items():
        nbformat.write(notebook(source), tmp_path / f"{name}.ipynb")
    paths = [tmp_path / f"{name}.ipynb" for name in answers]
    before = set(Path(tempfile.gettempdir()).glob("grader-*"))
    limits = Limits(cell=8, whole=60, folder=50_000_000)
    results = dict(judge_all(paths, jobs=2, limits=limits, folder=reference))
    got = {name: results[place].kind for place, name in enumerate(answers)}
    assert got == {name: kind for name, (_, kind) in answers.items()}
    assert set(Path(tempfile.gettempdir()).glob("grader-*")) <= before


def test_a_whole_notebook_has_a_limit_too(tmp_path: Path, reference: Path) -> None:
    path = tmp_path / "slow.ipynb"
    nbformat.write(notebook("import time; time.sleep(100)"), path)
    result = judge_file(path, Limits(cell=90, whole=5), reference)
    assert result.kind == "too-slow"
    assert "longer than 5 s" in result.report


def test_results_are_written_for_a_class(
    tmp_path: Path, reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nbformat.write(notebook("answer = 4"), tmp_path / "ann.ipynb")
    (tmp_path / "bob.ipynb").write_text("not a notebook", encoding="utf-8")
    files = [str(tmp_path / "ann.ipynb"), str(tmp_path / "bob.ipynb")]
    out = {name: tmp_path / f"class.{name}" for name in ("json", "csv", "junit")}
    options = [word for name, path in out.items() for word in (f"--{name}", str(path))]
    assert main([*files, "--reference", str(reference), *options]) == 1
    printed = capsys.readouterr().out
    assert "[2/2]" in printed
    assert "1 of 2 passed" in printed
    (ann, bob) = json.loads(out["json"].read_text(encoding="utf-8"))
    assert (ann["passed"], ann["kind"], ann["lab"]) == (True, "passed", "00_small")
    assert (bob["passed"], bob["kind"]) == (False, "unreadable")
    with out["csv"].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["passed"] for row in rows] == ["True", "False"]
    suite = ElementTree.parse(out["junit"]).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert suite.findall("testcase/failure")[0].get("message") == "unreadable"


def test_answers_go_into_the_reference_and_graded_cells_come_from_it() -> None:
    theirs = notebook("answer = helper()")
    theirs.cells[2].source = "grade = None"
    theirs.cells.insert(1, nbformat.v4.new_code_cell("def helper(): return 4"))
    made, missing = assemble(theirs, notebook("answer = 2 * 2"))
    assert missing == []
    assert [cell.source for cell in made.cells[1:]] == [
        "def helper(): return 4", "answer = helper()", "grade(answer)",
    ]  # fmt: skip
    del theirs.cells[2]
    made, missing = assemble(theirs, notebook("answer = 2 * 2"))
    assert missing == ["answer"]
    assert "2 * 2" not in str(made)


@pytest.mark.parametrize("option", ["--jobs", "--seconds", "--total-seconds"])
def test_a_limit_below_one_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["x.ipynb", option, "0"])
    assert f"{option} is 0; it must be at least 1" in capsys.readouterr().err
