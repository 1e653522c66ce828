"""Grade notebook files: `python -m grader labs/*.ipynb --jobs 2 --csv class.csv`.

Puts each learner's answers into the reference notebook, runs it in a fresh kernel with limits, and prints the
report of every `grade()` in it. Exit status 0 where all passed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grader.notebooks import CELL_SECONDS
from grader.submissions import Limits, Result, judge_all, judge_file, write_csv, write_json, write_junit


def grade_file(path: Path, seconds: int) -> tuple[bool, str]:
    """Whether every grade in a notebook is a pass, and what to print about it."""
    result = judge_file(path, Limits(cell=seconds))
    return result.passed, result.report


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grader", description="Run notebooks and print their grades."
    )
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--jobs", type=int, default=1, help="how many to judge at a time (1)")
    parser.add_argument(
        "--seconds", type=int, default=CELL_SECONDS, help=f"limit for one cell ({CELL_SECONDS})"
    )
    parser.add_argument(
        "--total-seconds", type=int, default=Limits.whole, help=f"limit for one notebook ({Limits.whole})"
    )
    parser.add_argument("--reference", type=Path, help="folder of reference notebooks (the project's own)")
    parser.add_argument("--json", type=Path, help="write all results to this file")
    parser.add_argument("--csv", type=Path, help="write one row a notebook to this file")
    parser.add_argument("--junit", type=Path, help="write JUnit XML to this file")
    parser.add_argument("--quiet", action="store_true", help="one line a notebook, no reports")
    given = parser.parse_args(arguments)
    for name in ("jobs", "seconds", "total_seconds"):
        if getattr(given, name) < 1:
            parser.error(f"--{name.replace('_', '-')} is {getattr(given, name)}; it must be at least 1.")
    results: dict[int, Result] = {}
    total = len(given.notebooks)
    limits = Limits(cell=given.seconds, whole=given.total_seconds)
    print(f"Judging {total} notebook{'s' if total > 1 else ''}, {given.jobs} at a time ...", flush=True)
    for place, result in judge_all(given.notebooks, jobs=given.jobs, limits=limits, folder=given.reference):
        results[place] = result
        print(f"[{len(results)}/{total}] {result.file}: {result.kind} ({result.seconds:.1f} s)", flush=True)
        if not given.quiet:
            print(f"{result.report}\n", flush=True)
    ordered = [results[place] for place in sorted(results)]
    for write, path in ((write_json, given.json), (write_csv, given.csv), (write_junit, given.junit)):
        if path is not None:
            write(ordered, path)
    passed = sum(each.passed for each in ordered)
    print(f"{passed} of {total} passed")
    return 0 if passed == total else 1


if __name__ == "__main__":
    sys.exit(main())
