"""A bar is seen where somebody watches, and leaves nothing behind."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from kernels.progress import VARIABLE, Progress

CELL = """
from kernels.progress import Progress
print("before")
with Progress("Grading lab 02", 3) as progress:
    for what in ("first", "a < b", "third"):
        progress.step(what)
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)


def test_in_a_terminal_the_line_is_wiped(watched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)

    def interrupted() -> None:
        with Progress("Timing", 2) as progress:
            progress.step("one")
            progress.step("two")
            progress.step("three")  # more than was foreseen
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    lines = screen.getvalue().split("\r\x1b[2K")
    assert [line.split()[-1] for line in lines if line] == ["one", "two", "three"]
    assert [line.count("█") for line in lines if line] == [0, 12, 12]
    assert lines[-1] == ""


@pytest.mark.parametrize("unwatched", ["a file", "the variable", "pytest"])
def test_where_nobody_watches_there_is_none(
    unwatched: str, watched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO() if unwatched == "a file" else Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    if unwatched == "the variable":
        monkeypatch.setenv(VARIABLE, "off")
    if unwatched == "pytest":
        monkeypatch.setenv("PYTEST_VERSION", pytest.__version__)
    with Progress("Timing", 2) as progress:
        progress.step("one")
    assert screen.getvalue() == ""


def test_in_a_notebook_its_output_is_emptied() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    seen: list[str] = []

    class Watched(NotebookClient):  # type: ignore[misc]
        def process_message(self, msg: dict[str, Any], cell: object, cell_index: int) -> object:
            if msg["msg_type"] in ("display_data", "update_display_data"):
                seen.append(msg["content"]["data"].get("text/html", ""))
            return super().process_message(msg, cell, cell_index)

    environment = {
        name: value for name, value in os.environ.items() if name not in (VARIABLE, "PYTEST_VERSION")
    }
    Watched(notebook, kernel_name="python3").execute(env=environment)
    nbformat.validate(notebook)
    stream, left = notebook.cells[0].outputs
    assert stream.text == "before\n"
    assert left.data == {}
    assert [f'value="{step}" max="3"' in shown for step, shown in enumerate(seen[:3])] == [True] * 3
    assert "a &lt; b" in seen[1]
    assert seen[3:] == [""]
