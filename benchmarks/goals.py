"""A row of the results: ours, theirs, and whether the goal is met."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.timing import Spread


@dataclass(frozen=True)
class Row:
    """One comparison.

    With a peer, ``ratio`` says how many times as fast we are, and the goal is the least it may be. Without
    one, ``goal`` is the most seconds that ``ours`` may take. A row without a goal is there to be read.
    """

    case: str
    ours: Spread
    peer: str | None = None
    theirs: Spread | None = None
    ratio: Spread | None = None
    goal: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median meets the goal; None where there is none."""
        if self.goal is None:
            return None
        if self.ratio is not None:
            return self.ratio.median >= self.goal
        return self.ours.median <= self.goal

    def as_dict(self) -> dict[str, Any]:
        """The row for JSON; times in seconds."""
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True)
class Skipped:
    """A comparison that could not be made here, and why."""

    case: str
    peer: str
    why: str
