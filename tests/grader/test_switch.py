"""The solutions come and go, and the learner's text stays.

A kernel is asked to run cells as a notebook's page asks it, and what it answers is put into the page as
JupyterLab does: the text in a `set_next_input` payload replaces the cell's, unless the cell failed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from grader.switch import Kept, NoSolutions, solutions, switch, turn

OPEN = "from grader.switch import switch\nbox = switch({!r}, __import__('pathlib').Path({!r}))\n"


def notebook(path: Path, *sources: str) -> Path:
    cells = []
    for number, source in enumerate(sources):
        data = {"solution": True, "grade": False, "grade_id": f"answer-{number}"}
        cells.append(nbformat.v4.new_code_cell(source, id=f"cell-{number}", metadata={"nbgrader": data}))
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


SOLVED = ("a = 1  ### BEGIN SOLUTION", "b = a + 1")


class Page:
    """A notebook's page: texts by cell id, and a kernel."""

    def __init__(self, folder: Path) -> None:
        self.file = notebook(folder / "labs" / "lab.ipynb", "a = 0", "b = 0")
        self.solved = notebook(folder / "solved" / "lab.ipynb", *SOLVED).parent
        self.beside = self.file.with_suffix(".own_text.json")
        self.texts = {"cell-0": "a = 0", "cell-1": "b = 0"}
        self.manager, self.client = start_new_kernel(kernel_name="python3")
        self.python(OPEN.format(str(self.file), str(self.solved)))

    def ask(self, code: str, cell: str = "other", says: str = "") -> dict[str, Any]:
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {"says": says} if says else {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell})
        self.client.shell_channel.send(message)
        while True:
            answer = self.client.get_shell_msg(timeout=60)
            if answer["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return dict(answer["content"])

    def python(self, code: str, says: str = "") -> Any:
        """Run lines in no answer cell; give an expression's value."""
        answer = self.ask(code, says=f"__import__('json').dumps({says})" if says else "")
        assert answer["status"] == "ok", answer
        return json.loads(eval(answer["user_expressions"]["says"]["data"]["text/plain"])) if says else None

    def turn(self, on: bool) -> None:
        self.python(f"box.children[0].value = {on}")

    def run(self, cell: str, *, heard: bool = True) -> None:
        answer = self.ask(self.texts[cell], cell)
        if answer["status"] == "ok" and heard:
            for each in answer["payload"]:
                assert (each["source"], each["replace"]) == ("set_next_input", True)
                self.texts[cell] = each["text"]

    def restart(self) -> None:
        self.manager.restart_kernel(now=True)
        self.client.wait_for_ready(timeout=60)
        self.python(OPEN.format(str(self.file), str(self.solved)))


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    made = Page(tmp_path)
    yield made
    made.client.stop_channels()
    made.manager.shutdown_kernel(now=True)


def test_on_shows_and_runs_the_solutions_and_off_brings_back_every_character(page: Page) -> None:
    before = page.file.read_bytes()
    page.texts["cell-0"] = own = "\n\na = 7  # \u00e9, never saved\n\n"
    page.turn(True)
    assert "Run the answer cells" in page.python("", "box.children[1].value")
    for cell in page.texts:
        page.run(cell)
    assert tuple(page.texts.values()) == SOLVED
    assert page.python("", "[a, b]") == [1, 2]
    for cell in page.texts:  # again: nothing more to swap
        page.run(cell)
    assert tuple(page.texts.values()) == SOLVED
    page.turn(False)
    for cell in page.texts:
        page.run(cell)
    assert page.texts == {"cell-0": own, "cell-1": "b = 0"}
    assert page.python("", "[a, b]") == [7, 0]
    for cell in page.texts:  # the page is seen to show them: no more to keep
        page.run(cell)
    assert not page.beside.exists()
    assert page.file.read_bytes() == before


def test_text_that_fails_comes_back_too(page: Page) -> None:
    page.texts["cell-0"] = own = "a = nowhere"
    page.turn(True)
    page.run("cell-0")
    assert page.texts["cell-0"] == SOLVED[0]
    page.turn(False)
    page.run("cell-0")
    assert page.texts["cell-0"] == own


def test_what_was_tried_on_a_shown_solution_is_run_and_kept(page: Page) -> None:
    page.turn(True)
    page.run("cell-0")
    page.texts["cell-0"] = "a = 5  # tried in class"
    page.run("cell-0")
    assert page.texts["cell-0"] == "a = 5  # tried in class"
    assert page.python("", "a") == 5
    page.turn(False)
    page.run("cell-0")
    assert page.texts["cell-0"] == "a = 0"
    assert json.loads(page.beside.read_text("utf-8"))["cell-0"]["changed"] == ["a = 5  # tried in class"]


def test_a_page_that_did_not_hear_is_told_again(page: Page) -> None:
    page.turn(True)
    page.run("cell-0", heard=False)
    assert page.texts["cell-0"] == "a = 0"
    page.run("cell-0")
    assert page.texts["cell-0"] == SOLVED[0]
    page.turn(False)
    page.run("cell-0", heard=False)
    page.run("cell-0")
    assert page.texts["cell-0"] == "a = 0"


def test_the_text_outlives_the_kernel(page: Page) -> None:
    page.turn(True)
    page.run("cell-0")
    page.restart()
    assert page.python("", "box.children[0].value") is True
    page.turn(False)
    page.run("cell-0")
    assert page.texts["cell-0"] == "a = 0"


@pytest.mark.parametrize("on", [True, False])
def test_an_own_text_put_back_and_then_edited_is_let_alone_or_kept_anew(on: bool) -> None:
    text, kept = turn(on, "edited", "solution", Kept("own", True))
    assert (text, kept) == (("solution", Kept("edited")) if on else (None, Kept()))


def test_a_students_copy_has_nothing_to_show(tmp_path: Path) -> None:
    file = notebook(tmp_path / "labs" / "lab.ipynb", "a = 0")
    with pytest.raises(NoSolutions, match="student's copy"):
        solutions(file, folder=file.parent)


def test_what_jupyter_does_not_say_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    with pytest.raises(NoSolutions, match="give its path"):
        switch()
    with pytest.raises(NoSolutions, match="no notebook"):
        switch(notebook(tmp_path / "lab.ipynb", "a = 0"))
