"""Which kernel runs, and why: what a format's ``which`` answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """kernel: the name of one of the format's functions. why: a clause, such as ``M is 1``."""

    kernel: str
    why: str

    def __str__(self) -> str:
        return f"{self.kernel}, because {self.why}"
