"""From a lab's one source to its two notebooks."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from grader import build_labs
from grader.build_labs import BadSource, without_solution

HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A lab
"""

# A grade without a kernel: what these tests are about is the notebook round it.
SET_UP = """
```{code-cell} ipython3
from IPython.display import display

def grade(answer):
    passed = answer == 4
    words = "passed" if passed else f"not yet: {answer}"
    summary = {"exercise": "00", "passed": passed, "kind": words}
    display({"text/plain": words}, raw=True, metadata={"matmul-on-metal": summary})
```
"""

EXERCISE = """
```{code-cell} ipython3
---
nbgrader: {schema_version: 3, solution: true, grade: false, locked: false, task: false, grade_id: square}
---
answer = 0
### BEGIN SOLUTION
answer = 2 * 2
### END SOLUTION
```
"""

GRADE = """
```{code-cell} ipython3
---
nbgrader: {schema_version: 3, solution: false, grade: true, locked: true, task: false, grade_id: check}
---
grade(answer)
```
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "solutions" / "00_small.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_lies_between_the_markers_goes_and_nothing_comes_instead() -> None:
    in_metal = "a\n    // ### BEGIN SOLUTION\n    b\n    // ### END SOLUTION\nc\n"
    in_python = "### BEGIN SOLUTION\nd\n### END SOLUTION"
    assert without_solution(in_metal + in_python) == "a\nc"


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\na",
        "a\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
    ],
)
def test_unpaired_markers_are_refused(source: str) -> None:
    with pytest.raises(BadSource, match="SOLUTION"):
        without_solution(source)


def test_both_notebooks_are_made_and_are_the_same_bytes_twice(tmp_path: Path) -> None:
    source = write(tmp_path, HEAD + SET_UP + EXERCISE + GRADE)
    labs = tmp_path / "labs"
    made = build_labs.build(source, labs, check=False)
    assert [path.name for path in made] == ["00_small.ipynb", "00_small.ipynb"]
    assert build_labs.build(source, labs, check=True) == []

    solved = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    lab = nbformat.read(labs / "00_small.ipynb", as_version=4)
    assert "answer = 2 * 2" in solved.cells[2].source
    assert lab.cells[2].source == "answer = 0"
    assert [cell.id for cell in lab.cells] == ["cell-0", "cell-1", "square", "check"]
    # nbval compares only cells with a number: those that are graded.
    assert [cell.get("execution_count") for cell in lab.cells] == [None, None, None, 3]
    assert lab.cells[3].outputs == solved.cells[3].outputs != []
    assert lab.cells[1].outputs == []


def test_what_a_cell_prints_in_several_goes_is_one_output(tmp_path: Path) -> None:
    printing = """
```{code-cell} ipython3
import time
print("first", flush=True)
time.sleep(0.3)
print("second", flush=True)
```
"""
    source = write(tmp_path, HEAD + SET_UP + printing + EXERCISE + GRADE)
    build_labs.build(source, tmp_path / "labs", check=False)
    made = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    (cell,) = (c for c in made.cells if "time.sleep" in c.source)
    assert [output.text for output in cell.outputs] == ["first\nsecond\n"]


def test_check_says_what_is_out_of_date_and_writes_nothing(tmp_path: Path) -> None:
    source = write(tmp_path, HEAD + SET_UP + EXERCISE + GRADE)
    labs = tmp_path / "labs"
    build_labs.build(source, labs, check=False)
    before = (labs / "00_small.ipynb").read_text(encoding="utf-8")
    source.write_text(source.read_text(encoding="utf-8").replace("# A lab", "# Another"), encoding="utf-8")
    assert len(build_labs.build(source, labs, check=True)) == 2
    assert (labs / "00_small.ipynb").read_text(encoding="utf-8") == before
    assert build_labs.main([str(source), "--labs", str(labs), "--check"]) == 1
    assert build_labs.main([str(source), "--labs", str(labs)]) == 0
    assert build_labs.main([str(source), "--labs", str(labs), "--check"]) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + SET_UP + EXERCISE, "no cell is graded"),
        (HEAD + SET_UP + EXERCISE + EXERCISE + GRADE, "same grade_id"),
        (HEAD + SET_UP + EXERCISE.replace("solution: true", "solution: false") + GRADE, "solution: true"),
        (HEAD + SET_UP + EXERCISE.replace("2 * 2", "2 + 1") + GRADE, "does not pass"),
        (HEAD + SET_UP + EXERCISE.replace("2 * 2", "2 / 0") + GRADE, "ZeroDivisionError"),
    ],
)
def test_a_source_that_breaks_a_rule_is_refused(
    tmp_path: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path, text)
    assert build_labs.main([str(source), "--labs", str(tmp_path / "labs")]) == 1
    assert words in capsys.readouterr().out
    assert not (tmp_path / "labs").exists()
