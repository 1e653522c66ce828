"""For showing a lab in class: a switch that fills the answer cells with the reference, and back.

`switch()` in a lab shows `Solutions: off`. Switched on, an answer cell that is run shows the reference and
runs it; switched off, it shows and runs the learner's own text again. A kernel cannot reach into the page,
but it may replace the text of the cell that it runs, and it has that text as the page shows it, saved or
not. So there is nothing to save before and nothing to reload after.

Nothing is lost: the learner's text is on disk, in a file beside the notebook, before the page is told to show
another, and stays there until the page is seen to show it again.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.assemble import find_reference, grade_id, is_answer, references

MAGIC = "swap_solution"


class NoSolutions(Exception):
    """There are no solutions to show; the message says where they were looked for."""


@dataclass(frozen=True)
class Kept:
    """What is kept of one answer cell.

    Attributes:
        own: the learner's text; None where the page shows it.
        back: whether the page was told to show it again, and has not been seen to.
        changed: texts that were typed into a shown solution.
    """

    own: str | None = None
    back: bool = False
    changed: list[str] = field(default_factory=list)


def turn(on: bool, shown: str, reference: str, kept: Kept) -> tuple[str | None, Kept]:
    """What becomes of an answer cell that is run.

    Args:
        on: whether solutions are to be shown.
        shown: the cell's text in the page.
        reference: the solution.
        kept: what is kept of the cell so far.

    Returns:
        The text to show and run instead, None to leave the cell as it is, and what to keep from now on.
    """
    waiting = kept.own is not None and not kept.back
    if on:
        if waiting:  # any other text is the solution, or what is tried on it
            return (reference if shown == kept.own else None), kept
        if shown != reference:
            return reference, Kept(shown, changed=kept.changed)
        return None, replace(kept, back=False)
    if kept.own is None:
        return None, kept
    if waiting and shown not in (kept.own, reference):
        return kept.own, Kept(kept.own, True, [*kept.changed, shown])
    if shown == reference:
        return kept.own, replace(kept, back=True)
    return None, Kept(changed=kept.changed)


class Switch:
    """The state of one notebook's switch, and IPython's transformer of the cells that are run.

    Args:
        shell: the notebook's IPython shell.
        path: the notebook's file; the kept texts go beside it.
        solutions: a solution for each answer cell, by the cell's id.
    """

    def __init__(self, shell: Any, path: Path, solutions: dict[str, str]) -> None:
        self.shell, self.path, self.solutions = shell, path, solutions
        self.beside = path.with_suffix(".own_text.json")
        self.kept: dict[str, Kept] = {}
        if self.beside.exists():
            self.kept = {
                name: Kept(**each) for name, each in json.loads(self.beside.read_text("utf-8")).items()
            }
        self.on = any(each.own is not None and not each.back for each in self.kept.values())
        self.swapping = False
        shell.input_transformers_cleanup.insert(0, self)
        shell.register_magic_function(self.swap, "line", MAGIC)

    def __call__(self, lines: list[str]) -> list[str]:
        """A cell's lines as they are, or a line that swaps the cell's text."""
        running = None if self.swapping else self._running()
        if running is None:
            return lines
        name, shown = running
        text, kept = turn(self.on, shown, self.solutions[name], self.kept.get(name, Kept()))
        if text is not None:
            return [f"%{MAGIC}\n"]
        self._keep(name, kept)
        return lines

    def swap(self, _line: str = "") -> None:
        """Show and run the other text in the cell that is running."""
        running = self._running()
        if running is None:
            return
        name, shown = running
        text, kept = turn(self.on, shown, self.solutions[name], self.kept.get(name, Kept()))
        if text is None:
            return
        self._keep(name, kept)
        self.shell.set_next_input(text, replace=True)
        # Run from within: the page takes no new text from a cell that fails, and this one may.
        self.swapping = True
        try:
            self.shell.run_cell(text, store_history=False)
        finally:
            self.swapping = False

    def _running(self) -> tuple[str, str] | None:
        """The id and the text of the answer cell that is running; None where it is another."""
        asked = self.shell.get_parent()
        name = asked.get("metadata", {}).get("cellId", "")
        if asked.get("header", {}).get("msg_type") != "execute_request" or name not in self.solutions:
            return None
        return name, asked["content"]["code"]

    def _keep(self, name: str, kept: Kept) -> None:
        if kept == self.kept.get(name, Kept()):
            return
        after = {**self.kept, name: kept}
        after = {each: what for each, what in after.items() if what != Kept()}
        if after:
            # Whole or not at all: the old file stays until the new one is complete.
            new = self.beside.with_name(self.beside.name + ".new")
            new.write_text(
                json.dumps({each: asdict(what) for each, what in after.items()}, indent=1), "utf-8"
            )
            os.replace(new, self.beside)
        else:
            self.beside.unlink(missing_ok=True)
        self.kept = after


def solutions(path: Path, folder: Path | None = None) -> dict[str, str]:
    """The solution of each answer cell of a notebook, by the cell's id.

    Args:
        path: the notebook.
        folder: where the solved notebooks are, instead of the project's `solutions/`.

    Raises:
        NoSolutions: no solved notebook has this one's cells, as in a student's copy.
    """
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    found = find_reference(notebook, references() if folder is None else references([folder]))
    if found is None or not any("BEGIN SOLUTION" in cell.source for cell in found[1].cells):
        raise NoSolutions(f"No solved notebook has the cells of {path.name}: a student's copy comes without.")
    answers = {grade_id(cell): cell.source for cell in found[1].cells if is_answer(cell)}
    return {cell.id: answers[grade_id(cell)] for cell in notebook.cells if grade_id(cell) in answers}


def this_notebook() -> Path:
    """The file of the notebook that this runs in, which Jupyter names in the kernel's environment.

    Raises:
        NoSolutions: it does not say.
    """
    name = os.environ.get("JPY_SESSION_NAME", "")
    if not name.endswith(".ipynb") or not Path(name).is_file():
        raise NoSolutions("Jupyter does not say which notebook this is: give its path, switch('lab.ipynb').")
    return Path(name)


def switch(path: str | Path | None = None, folder: Path | None = None) -> Any:
    """A toggle button, `Solutions: on/off`, for the notebook that it is shown in.

    Args:
        path: the notebook; left out, the one that this runs in.
        folder: as for `solutions`.

    Raises:
        NoSolutions: there are none, or this runs in no notebook.
    """
    import ipywidgets
    from IPython.core.getipython import get_ipython

    file = (this_notebook() if path is None else Path(path)).resolve()
    shell: Any = get_ipython()
    if not hasattr(shell, "get_parent"):
        raise NoSolutions("This runs in no notebook: call switch() in a cell of the lab.")
    held = [each for each in shell.input_transformers_cleanup if isinstance(each, Switch)]
    state = held[0] if held else Switch(shell, file, solutions(file, folder))
    button = ipywidgets.ToggleButton(value=state.on, description=_name(state.on))
    says = ipywidgets.Label(_what_next(state))

    def turned(change: Any) -> None:
        state.on = change["new"]
        button.description = _name(state.on)
        says.value = _what_next(state)

    button.observe(turned, "value")
    return ipywidgets.HBox([button, says])


def _name(on: bool) -> str:
    return f"Solutions: {'on' if on else 'off'}"


def _what_next(state: Switch) -> str:
    if state.on:
        return "Run the answer cells, or all cells: each then shows its solution."
    if any(each.own is not None for each in state.kept.values()):
        return f"Run the answer cells: each shows your own text, kept meanwhile in {state.beside.name}."
    return "Your own text is shown."
