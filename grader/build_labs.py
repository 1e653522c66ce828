"""Make the lab notebooks: `python -m grader.build_labs`.

Each lab has one source written by hand, `solutions/NN_name.md`. From it come

- `solutions/NN_name.ipynb`, executed, with its outputs;
- `labs/NN_name.ipynb`, what a learner opens: solutions taken out, no outputs but those of the grading cells,
  so that nbval can hold a learner's run against them.

Both are the same bytes on every machine, so that `--check` can say whether they are up to date.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from grader.assemble import grade_id
from grader.notebooks import NotebookFailed, execute, results

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# What a running kernel adds about itself, such as its Python's version, would differ from machine to machine.
METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python"}}

Notebook = Any  # nbformat's own type has no public description


class BadSource(Exception):
    """A lab's source breaks a rule; the message names the file and the rule."""


def read(path: Path) -> Notebook:
    """The notebook in a MyST source, its cells named: nbformat would give them random ids."""
    import jupytext

    notebook = jupytext.read(path, fmt="md:myst")
    notebook.metadata = copy.deepcopy(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell["id"] = grade_id(cell) or f"cell-{number}"
    _check(path, notebook)
    return notebook


def is_grading(cell: Any) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade", False))


def _check(path: Path, notebook: Notebook) -> None:
    ids = [cell["id"] for cell in notebook.cells]
    if len(set(ids)) < len(ids):
        raise BadSource(f"{path}: two cells have the same grade_id.")
    if not any(map(is_grading, notebook.cells)):
        raise BadSource(f"{path}: no cell is graded (nbgrader metadata with grade: true).")
    for cell in notebook.cells:
        without_solution(cell.source, str(path))
        solution = bool(cell.metadata.get("nbgrader", {}).get("solution", False))
        if solution != (BEGIN in cell.source):
            raise BadSource(
                f"{path}: cell {cell['id']!r} must have both solution: true in its metadata and the markers "
                f"{BEGIN!r} and {END!r}, or neither."
            )


def without_solution(source: str, path: str = "source") -> str:
    """`source` without what lies between the markers, and without the markers.

    Nothing is put in its place: the skeleton is what is left, so solving it only ever adds lines.
    """
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        # Anywhere in the line, as nbgrader looks for them: in Metal they stand in a comment.
        if BEGIN in line or END in line:
            if inside == (BEGIN in line):
                raise BadSource(f"{path}: {line.strip()!r} where the other marker was due.")
            inside = not inside
        elif not inside:
            kept.append(line)
    if inside:
        raise BadSource(f"{path}: {BEGIN!r} without {END!r}.")
    return "\n".join(kept)


def solved(notebook: Notebook, folder: Path) -> Notebook:
    """The notebook with its outputs. Every grade in it must be a pass."""
    done = execute(notebook, folder)
    done.metadata = copy.deepcopy(METADATA)
    for cell in done.cells:
        cell.metadata.pop("execution", None)
    graded = results(done)
    if not graded or not all(each["passed"] for each in graded):
        raise NotebookFailed(f"The solution does not pass: {graded}.")
    return done


def skeleton(done: Notebook) -> Notebook:
    """What a learner opens, made from the executed solution."""
    lab = copy.deepcopy(done)
    for cell in lab.cells:
        cell.source = without_solution(cell.source)
        if cell.cell_type == "code" and not is_grading(cell):
            cell.outputs, cell.execution_count = [], None
    return lab


def build(source: Path, labs: Path, *, check: bool, solved_labs: Path | None = None) -> list[Path]:
    """Make the two notebooks of one lab, and a third, solved, in `solved_labs`: the instructor's.

    Returns:
        The files that were out of date. They are written unless `check` is set.
    """
    import nbformat

    done = solved(read(source), source.parent)
    stale: list[Path] = []
    if solved_labs is not None:
        solved_labs.mkdir(parents=True, exist_ok=True)
        nbformat.write(done, solved_labs / f"{source.stem}.ipynb")
    for path, notebook in (
        (source.with_suffix(".ipynb"), done),
        (labs / f"{source.stem}.ipynb", skeleton(done)),
    ):
        nbformat.validate(notebook)
        text = nbformat.writes(notebook) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return stale


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grader.build_labs", description="Make the lab notebooks."
    )
    parser.add_argument("sources", nargs="*", type=Path, help="sources of labs (all of solutions/*.md)")
    parser.add_argument("--labs", type=Path, default=Path("labs"), help="the learners' folder (labs)")
    parser.add_argument(
        "--edition",
        choices=("student", "instructor"),
        default="student",
        help="instructor: write solved labs to _build/instructor/labs as well",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="labs run at once (one for each CPU)"
    )
    given = parser.parse_args(arguments)
    if given.jobs < 1:
        parser.error(f"--jobs must be 1 or more, got {given.jobs}")
    sources = given.sources or sorted(Path("solutions").glob("*.md"))
    if not sources:
        print("No sources: solutions/*.md matches nothing in this folder.", file=sys.stderr)
        return 1
    solved_labs = Path("_build/instructor/labs") if given.edition == "instructor" else None

    def run(source: Path) -> tuple[Path, list[Path] | Exception]:
        try:
            return source, build(source, given.labs, check=given.check, solved_labs=solved_labs)
        except (BadSource, NotebookFailed, OSError) as error:
            return source, error

    failed = False
    # Each runs in a process of its own, a kernel; half of what it does is compiling, on one thread.
    with ThreadPoolExecutor(min(given.jobs, len(sources))) as pool:
        runs = [pool.submit(run, source) for source in sources]
        for number, done in enumerate(as_completed(runs), 1):
            source, stale = done.result()
            print(f"[{number}/{len(sources)}] {source}", end=" ")
            if isinstance(stale, Exception):
                print(f"failed\n{stale}", flush=True)
                failed = True
                continue
            names = ", ".join(map(str, stale))
            wrote = f"out of date: {names}" if given.check else f"wrote {names}"
            print(wrote if stale else "up to date", flush=True)
            failed = failed or (given.check and bool(stale))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
