"""The solutions come and go, and the learner's text stays."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from grader import switch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    notebook = nbformat.read(ROOT / "labs" / "02_textbook.ipynb", as_version=4)
    next(cell for cell in notebook.cells if cell.id == "textbook-kernel").source += "\n# my own words"
    path = tmp_path / "02_textbook.ipynb"
    nbformat.write(notebook, path)
    return path


def cell(path: Path, name: str) -> nbformat.NotebookNode:
    return next(each for each in nbformat.read(path, as_version=4).cells if each.id == name)


def test_on_fills_every_answer_and_off_brings_back_every_byte(lab: Path) -> None:
    before = lab.read_bytes()
    assert switch.set_file(lab, True) == 2
    assert "sum +=" in cell(lab, "textbook-kernel").source
    assert switch.is_on(nbformat.read(lab, as_version=4))
    assert switch.set_file(lab, True) == 0  # twice on loses nothing
    assert switch.set_file(lab, False) == 2
    assert lab.read_bytes() == before
    assert switch.set_file(lab, False) == 0


def test_what_was_written_into_a_shown_solution_is_kept(lab: Path) -> None:
    switch.set_file(lab, True)
    notebook = nbformat.read(lab, as_version=4)
    next(each for each in notebook.cells if each.id == "textbook-launch").source = "# tried in class"
    nbformat.write(notebook, lab)
    switch.set_file(lab, False)
    kept = cell(lab, "textbook-launch")
    assert "columns, rows = 1, 1" in kept.source
    assert kept.metadata[switch.KEY][switch.CHANGED] == ["# tried in class"]


def test_a_students_copy_has_nothing_to_show(lab: Path) -> None:
    before = lab.read_bytes()
    with pytest.raises(switch.NoSolutions, match="student's copy"):
        switch.set_file(lab, True, folder=ROOT / "labs")
    assert lab.read_bytes() == before


def test_the_button_turns_the_file(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(lab))
    box = switch.switch()
    button, says = box.children
    assert (button.value, button.description) == (False, "Solutions: off")
    button.value = True
    assert button.description == "Solutions: on"
    assert "reload" in says.value
    assert switch.switch().children[0].value is True
    button.value = False
    assert "my own words" in cell(lab, "textbook-kernel").source


def test_a_notebook_that_jupyter_does_not_name_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    with pytest.raises(switch.NoSolutions, match="give its path"):
        switch.switch()
