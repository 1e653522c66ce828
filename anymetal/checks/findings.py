"""What a kernel did wrong, where, and who did it."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = (
    "out-of-bounds",
    "race",
    "same-value-race",
    "divergent-barrier",
    "inactive-lane",
    "uninitialised",
    "unwritten-output",
    "misaligned",
    "endless-loop",
)


@dataclass(frozen=True)
class Thread:
    """A thread: its position in the grid, its threadgroup's, and its SIMD-group and lane there."""

    grid: tuple[int, int, int]
    threadgroup: tuple[int, int, int]
    simdgroup: int
    lane: int

    def __str__(self) -> str:
        x, y, z = self.grid
        return f"thread ({x}, {y}, {z}), lane {self.lane} of SIMD-group {self.simdgroup}"


@dataclass(frozen=True)
class Access:
    """The other access of a race. ``thread`` is None where it is not known which of several it was.

    Of many readers the last one is kept. Where that is the thread that now writes, it races with another of
    them.
    """

    line: int
    column: int
    text: str
    thread: Thread | None

    def whose(self, first: Thread) -> str:
        """Who made this access, told to a reader who knows that ``first`` made the one it races with."""
        if self.thread is None:
            return "a thread of another threadgroup"
        return "another thread" if self.thread == first else str(self.thread)


@dataclass(frozen=True)
class Finding:
    """One mistake, however many threads make it.

    kind: one of ``KINDS``. line, column: from 1, in the text as the learner wrote it (``file``: "source",
    "header" or an included file's name); 0 where it has no place there. text: that line. buffer, index, size:
    the memory by name, the element and how many there are. thread: the first that did it; threads: the first
    few. other: a race's second access. count: how often.
    """

    kind: str
    message: str
    line: int = 0
    column: int = 0
    text: str = ""
    buffer: str = ""
    index: int | None = None
    size: int | None = None
    thread: Thread | None = None
    other: Access | None = None
    count: int = 1
    threads: tuple[Thread, ...] = ()
    file: str = ""

    def __str__(self) -> str:
        where = f"{self.file or 'source'}:{self.line}:{self.column}: " if self.line else ""
        shown = f"\n    {self.text.strip()}" if self.text else ""
        times = f" ({self.count:,} times)" if self.count > 1 else ""
        return f"{where}{self.kind}: {self.message}{times}{shown}"
