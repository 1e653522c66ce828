"""Hints that open one at a time: `hint("02")`.

What was opened is counted, and the report names the count. It takes nothing from a grade.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.labs import task

_opened: dict[str, int] = {}


@dataclass(frozen=True)
class Hint:
    """One hint, and where it stands among the others; prints as text."""

    number: int
    total: int
    text: str

    def __str__(self) -> str:
        more = self.total - self.number
        rest = {0: "That was the last one.", 1: "There is one more."}.get(more, f"There are {more} more.")
        return f"Hint {self.number} of {self.total}: {self.text}\n{rest}"

    __repr__ = __str__


def hint(lab: str | int) -> Hint:
    """The next hint of a lab; after the last one, the last one again.

    Args:
        lab: as for `grade`.

    Raises:
        ValueError: there is no such lab, or it has no hints.
    """
    exercise = task(lab)
    total = len(exercise.steps)
    if not total:
        raise ValueError(f"lab is {lab!r}, which has no hints.")
    number = min(opened(exercise.id) + 1, total)
    _opened[exercise.id] = number
    return Hint(number, total, exercise.steps[number - 1])


def opened(exercise: str) -> int:
    """How many hints of an exercise, by its id, were opened in this process."""
    return _opened.get(exercise, 0)


def close(exercise: str) -> None:
    """Start again with the first hint."""
    _opened.pop(exercise, None)
