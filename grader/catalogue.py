"""What the grader says to each wrong kernel: `python -m grader.catalogue` writes it into the guide.

The table in the instructor's guide is a record of a run, with seed 1. `--check` fails where it is out of
date; so do the tests, which run every mutant anyway.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grader import mutants
from grader.exercise import Exercise
from grader.grading import judged
from grader.labs import tasks
from grader.mutants import Mutant
from grader.question import Question
from grader.report import Grade

SEED = 1
GUIDE = Path(__file__).resolve().parent.parent / "book" / "instructors.md"
BEGIN, END = "<!-- mutants: written by python -m grader.catalogue -->", "<!-- end of mutants -->"
HEAD = "| lab | mutant | what is wrong with it | the report says first |\n|---|---|---|---|"


def row(exercise: Exercise | Question, mutant: Mutant, result: Grade) -> str:
    """The table's row for a mutant that was judged with `SEED`."""
    said = result.diagnosis.says if result.diagnosis else "nothing: it passed"
    return f"| {exercise.id} | {mutant.name} | {_cell(mutant.about)} | {_cell(said)} |"


def _cell(text: str) -> str:
    # A compile error goes on for lines, of which the first says enough.
    parts = [line.strip() for line in text.split("\n\n")[:2] if line.strip()]
    first = (
        parts[0] if not parts[0].endswith("compile.") else " ".join([parts[0], *parts[1].splitlines()[:1]])
    )
    return first.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def table(show: bool = True) -> str:
    """The whole table, by a run of every mutant."""
    rows = [HEAD]
    every = [(e, m) for e in tasks() for m in mutants.of(e)]
    for number, (exercise, mutant) in enumerate(every, 1):
        if show:
            print(f"[{number}/{len(every)}] {exercise.id} {mutant.name}", flush=True)
        rows.append(row(exercise, mutant, judged(exercise, mutant.make(), SEED)))
    return "\n".join(rows)


def written(text: str) -> str:
    """The table that a guide's text holds."""
    return text.split(BEGIN)[1].split(END)[0].strip()


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grader.catalogue", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--guide", type=Path, default=GUIDE, help="the page to write into")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the table is out of date"
    )
    given = parser.parse_args(arguments)
    text = given.guide.read_text(encoding="utf-8")
    made = table()
    if written(text) == made:
        print("up to date")
        return 0
    if given.check:
        print(f"{given.guide} is out of date: run python -m grader.catalogue")
        return 1
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    given.guide.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")
    print(f"wrote {given.guide}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
