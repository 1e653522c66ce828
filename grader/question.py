"""What an exercise whose answer is no kernel is made of: plain data and a few functions.

A `Question` stands beside `Exercise`: `grade`, `hint` and the report take either. Its answer is a Python
function or plain values. `grader.answers` judges it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np


@dataclass(frozen=True)
class Trial:
    """One thing to ask. `about` says it in words; `given` are the arguments of the learner's function, or of
    `expected` where the answer is plain values. `name` is the part of plain values that answers this trial;
    empty for all of them. `drawn`: the seed decided it."""

    about: str
    given: tuple[Any, ...] = ()
    name: str = ""
    drawn: bool = False
    stage: ClassVar[str] = ""
    """No trial waits for another one, as cases of one dtype do for those of another."""

    def __str__(self) -> str:
        return self.about


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people do give.

    `result` takes what a trial gives and returns the values that this mistake gets wrong, nested as the
    answer is, or None where it makes no sense. `says` may hold {where}, {got} and {want}: the first of those
    values, the learner's number, and the right one.
    """

    kind: str
    says: str
    hint: str
    result: Callable[..., Mapping[str, Any] | None]


@dataclass(frozen=True)
class Question:
    """An exercise whose answer is a function (`asks="function"`) or a mapping of values (`asks="values"`)."""

    lab: str
    name: str
    title: str
    asks: Literal["function", "values"]
    arguments: tuple[str, ...]
    """The names of the function's arguments; for values, those of the trials."""
    cases: tuple[Trial, ...]
    expected: Callable[..., Mapping[str, Any]]
    """The right answer to a trial, from what it gives."""
    drawn: tuple[Callable[[np.random.Generator], Trial], ...] = ()
    """Trials made anew from the seed, so that a table learnt by heart does not pass."""
    mistakes: tuple[Mistake, ...] = ()
    reads: Callable[..., Mapping[str, Any]] | None = None
    """Makes the mapping that is compared of what a function returned, given that and what the trial gives;
    None where functions return one. It raises `ValueError`, in words for the learner, where it cannot."""
    reveals: bool = True
    """Whether the report shows the right number beside a wrong one; if not, it shows their ratio."""
    praise: str = "every number is right."
    """What the report says of a right answer."""
    steps: tuple[str, ...] = ()
    """Hints that open one at a time, from the gentlest to the plainest."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Hints by kind of diagnosis, where this question knows better than the general words."""
    budgets: ClassVar[tuple[()]] = ()
    budget_case: ClassVar[None] = None

    @property
    def id(self) -> str:
        return self.lab if self.name == "" else f"{self.lab}.{self.name}"

    @property
    def checks(self) -> int:
        return len(self.cases) + len(self.drawn)

    @property
    def stages(self) -> tuple[str, ...]:
        return ("",)

    @property
    def columns(self) -> tuple[str, str, str]:
        return ("value", "yours", "expected" if self.reveals else "yours / right")

    def element(self, index: tuple[int | str, ...]) -> str:
        return ".".join(map(str, index))
