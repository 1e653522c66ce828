"""Grade notebook files: `python -m grader labs/02_textbook.ipynb`.

Runs each notebook in a fresh kernel and prints the report of every `grade()` in it. Exit status 0 where all
passed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grader.notebooks import CELL_SECONDS, NotebookFailed, execute, results


def grade_file(path: Path, seconds: int) -> tuple[bool, str]:
    """Whether every grade in a notebook is a pass, and what to print about it."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises its own, JSON's and the file system's
        return False, f"cannot be read: {error}"
    try:
        done = execute(notebook, path.parent, seconds=seconds, allow_errors=True)
    except NotebookFailed as error:
        return False, str(error)
    graded = results(done)
    if not graded:
        first = next(
            (o for cell in done.cells for o in cell.get("outputs", []) if o.output_type == "error"), None
        )
        reason = f" The first error is {first.ename}: {first.evalue}" if first else ""
        return False, f"holds no result: grade() never ran.{reason}"
    return all(each["passed"] for each in graded), "\n\n".join(each["report"] for each in graded)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grader", description="Run notebooks and print their grades."
    )
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument(
        "--seconds", type=int, default=CELL_SECONDS, help=f"limit for one cell ({CELL_SECONDS})"
    )
    given = parser.parse_args(arguments)
    passed = 0
    for path in given.notebooks:
        print(f"{path}: running ...", flush=True)
        ok, text = grade_file(path, given.seconds)
        passed += ok
        print(text, end="\n\n", flush=True)
    print(f"{passed} of {len(given.notebooks)} passed")
    return 0 if passed == len(given.notebooks) else 1


if __name__ == "__main__":
    sys.exit(main())
