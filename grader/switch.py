"""For showing a lab in class: a switch that fills the answer cells with the reference, and back.

`switch()` in a lab shows `Solutions: off`. Switched on, every answer cell of the notebook *file* holds the
reference's text; switched off, it holds the learner's own again. A kernel cannot reach into the page, so the
notebook must be saved before and reloaded after: the switch says so.

Nothing is lost: the learner's text waits in the cell's metadata, inside the same file, and text that was
changed while the solutions were shown is kept there too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from grader.assemble import find_reference, grade_id, is_answer, references

OWN, CHANGED = "own_text", "changed_while_shown"
KEY = "matmul-on-metal"


class NoSolutions(Exception):
    """There are no solutions to show; the message says where they were looked for."""


def turn_on(notebook: Any, reference: Any) -> int:
    """Put the reference's text into the answer cells, in place. Returns how many cells changed."""
    answers = {grade_id(cell): cell.source for cell in reference.cells if is_answer(cell)}
    changed = 0
    for cell in notebook.cells:
        name = grade_id(cell)
        kept = cell.metadata.get(KEY, {})
        if name not in answers or not is_answer(cell) or OWN in kept:
            continue
        cell.metadata[KEY] = {**kept, OWN: cell.source}
        cell.source = answers[name]
        changed += 1
    return changed


def turn_off(notebook: Any, reference: Any) -> int:
    """Put the learner's own text back, in place. Returns how many cells changed."""
    answers = {grade_id(cell): cell.source for cell in reference.cells if is_answer(cell)}
    changed = 0
    for cell in notebook.cells:
        kept = dict(cell.metadata.get(KEY, {}))
        if OWN not in kept:
            continue
        own = kept.pop(OWN)
        if cell.source != answers.get(grade_id(cell)):
            kept[CHANGED] = [*kept.get(CHANGED, []), cell.source]
        cell.source = own
        if kept:
            cell.metadata[KEY] = kept
        else:
            del cell.metadata[KEY]
        changed += 1
    return changed


def is_on(notebook: Any) -> bool:
    """Whether a notebook shows the solutions."""
    return any(OWN in cell.metadata.get(KEY, {}) for cell in notebook.cells)


def set_file(path: Path, on: bool, folder: Path | None = None) -> int:
    """Switch a notebook file. Returns how many cells changed.

    Args:
        path: the notebook.
        on: show the solutions.
        folder: where the solved notebooks are, instead of the project's `solutions/`.

    Raises:
        NoSolutions: no solved notebook has this one's cells, as in a student's copy.
    """
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    found = find_reference(notebook, references() if folder is None else references([folder]))
    if found is None or not any("BEGIN SOLUTION" in cell.source for cell in found[1].cells):
        raise NoSolutions(f"No solved notebook has the cells of {path.name}: a student's copy comes without.")
    changed = (turn_on if on else turn_off)(notebook, found[1])
    if changed:
        # Whole or not at all: the old file stays until the new one is complete.
        beside = path.with_name(path.name + ".switching")
        nbformat.write(notebook, beside)
        os.replace(beside, path)
    return changed


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
        folder: as for `set_file`.
    """
    import ipywidgets
    import nbformat

    file = this_notebook() if path is None else Path(path)
    on = is_on(nbformat.read(file, as_version=4))
    button = ipywidgets.ToggleButton(value=on, description=_name(on))
    says = ipywidgets.Label("Save the notebook first.")

    def turned(change: Any) -> None:
        button.description = _name(change["new"])
        try:
            count = set_file(file, change["new"], folder)
        except (NoSolutions, OSError) as error:
            says.value = str(error)
        else:
            says.value = f"{count} cells changed. Now reload the notebook from disk."

    button.observe(turned, "value")
    return ipywidgets.HBox([button, says])


def _name(on: bool) -> str:
    return f"Solutions: {'on' if on else 'off'}"
