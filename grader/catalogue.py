"""What the grader says to each wrong kernel: `python -m grader.catalogue` writes it into the guide.

The table in the instructor's guide is a record of a run, with seed 1. `--check` fails where it is out of
date; so do the tests, which run every mutant anyway.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from grader import mutants
from grader.exercise import Exercise
from grader.grading import judged
from grader.labs import task, tasks
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


def table(labs: Collection[str] = (), kept: str = "", show: bool = True) -> str:
    """The whole table, by a run of every mutant of `labs`, all if there are none. The other labs' rows are
    those of `kept`; what has none there is run.
    """
    every = [(each.id, mutant.name) for each in tasks() for mutant in mutants.of(each)]
    old = {_names(line): line for line in kept.splitlines()}
    again = [names for names in every if not labs or names[0].split(".")[0] in labs or names not in old]
    new = {}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for number, (names, line) in enumerate(zip(again, pool.map(_run, again), strict=True), 1):
            new[names] = line
            if show:
                print(f"[{number}/{len(again)}] {' '.join(names)}", flush=True)
    return "\n".join([HEAD, *(new.get(names) or old[names] for names in every)])


def _run(names: tuple[str, str]) -> str:
    exercise = task(names[0])
    (mutant,) = (each for each in mutants.of(exercise) if each.name == names[1])
    return row(exercise, mutant, judged(exercise, mutant.make(), SEED))


def _names(line: str) -> tuple[str, str]:
    exercise, mutant = (cell.strip() for cell in f"{line}||".split("|")[1:3])
    return exercise, mutant


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
    parser.add_argument("labs", nargs="*", metavar="lab", help='labs to run again, as "02" (all)')
    given = parser.parse_args(arguments)
    text = given.guide.read_text(encoding="utf-8")
    made = table(given.labs, written(text))
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
