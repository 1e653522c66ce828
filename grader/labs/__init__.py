"""The exercises that the grader knows: one module a lab, each with a tuple `EXERCISES` of kernels to write,
`QUESTIONS` whose answer is no kernel, or both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from grader.exercise import Exercise
from grader.labs import (
    lab01,
    lab02,
    lab03,
    lab04,
    lab05,
    lab06,
    lab07,
    lab08,
    lab09,
    lab10,
    lab11,
    lab12,
    lab13,
    lab14,
    lab15,
    lab16,
)
from grader.question import Question

LABS: dict[str, tuple[Exercise, ...]] = {
    "02": lab02.EXERCISES,
    "03": lab03.EXERCISES,
    "04": lab04.EXERCISES,
    "05": lab05.EXERCISES,
    "06": lab06.EXERCISES,
    "07": lab07.EXERCISES,
    "08": lab08.EXERCISES,
    "09": lab09.EXERCISES,
    "10": lab10.EXERCISES,
    "11": lab11.EXERCISES,
    "12": lab12.EXERCISES,
    "13": lab13.EXERCISES,
    "14": lab14.EXERCISES,
    "15": lab15.EXERCISES,
    "16": lab16.EXERCISES,
}
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "01": lab01.QUESTIONS,
    "04": lab04.QUESTIONS,
    "10": lab10.QUESTIONS,
}

Some = TypeVar("Some", bound=Exercise | Question)


def find(lab: str | int) -> Exercise:
    """The kernel exercise called `lab`: "02", 2, "02_textbook", or "02.name" where a lab has several.

    Raises:
        ValueError: there is no such lab or exercise; the message lists those there are.
    """
    return _named(lab, [each for every in LABS.values() for each in every])


def task(lab: str | int) -> Exercise | Question:
    """The exercise of any kind called `lab`; names and errors as for `find`."""
    return _named(lab, tasks())


def tasks() -> list[Exercise | Question]:
    """Every exercise of every lab, in the order of the labs; in a lab, questions first."""
    found: list[Exercise | Question] = []
    for lab in sorted({*LABS, *QUESTIONS}):
        found += [*QUESTIONS.get(lab, ()), *LABS.get(lab, ())]
    return found


def _named(lab: str | int, among: Sequence[Some]) -> Some:
    match = re.fullmatch(r"(\d+)(?:_\w+)?(?:\.(\w+))?", str(lab).strip())
    chosen = [each for each in among if match and each.lab == match.group(1).zfill(2)]
    if match and match.group(2):
        chosen = [each for each in chosen if each.name == match.group(2)]
    if len(chosen) == 1:
        return chosen[0]
    known = ", ".join(repr(each.id) for each in among)
    raise ValueError(
        f"lab is {lab!r}, which names {len(chosen) or 'no'} exercises; it must be one of {known}."
    )
