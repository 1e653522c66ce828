"""The exercises that the grader knows: one module a lab, each with a tuple `EXERCISES`."""

from __future__ import annotations

import re

from grader.exercise import Exercise
from grader.labs import lab02

LABS: dict[str, tuple[Exercise, ...]] = {"02": lab02.EXERCISES}


def find(lab: str | int) -> Exercise:
    """The exercise called `lab`: "02", 2, "02_textbook", or "02.name" where a lab has several.

    Raises:
        ValueError: there is no such lab or exercise; the message lists those there are.
    """
    match = re.fullmatch(r"(\d+)(?:_\w+)?(?:\.(\w+))?", str(lab).strip())
    exercises = LABS.get(match.group(1).zfill(2), ()) if match else ()
    if match and match.group(2):
        exercises = tuple(each for each in exercises if each.name == match.group(2))
    if len(exercises) == 1:
        return exercises[0]
    known = ", ".join(repr(each.id) for every in LABS.values() for each in every)
    raise ValueError(
        f"lab is {lab!r}, which names {len(exercises) or 'no'} exercises; it must be one of {known}."
    )
