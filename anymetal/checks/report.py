"""``with checked() as report``: every launch inside runs watched, and the report grows."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import display
from .counters import Counters
from .findings import Finding

if TYPE_CHECKING:
    from .tracing import Request

BACK_EDGES = 10_000_000


@dataclass(frozen=True)
class Launch:
    """A launch that was watched: the kernel's name, its grid and its threadgroup (cut to the grid), both in
    threads."""

    kernel: str
    grid: tuple[int, int, int]
    threadgroup: tuple[int, int, int]


@dataclass
class Report:
    """findings: mistakes, in the order in which they were met. counters: of all launches. launches: what ran,
    in order. sources: the learner's texts by name ("source", "header" or a file); where two launches of one
    report have different texts of one name, the later ones are called "source (2)", "source (3)" …
    per_simdgroup: whether ``counters.by_simdgroup`` is filled. follower: makes a trace of one launch."""

    findings: list[Finding] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)
    back_edges: int = BACK_EDGES
    launches: list[Launch] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    per_simdgroup: bool = False
    follower: Request | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return "\n".join(str(f) for f in self.findings) or "no findings"

    def remember(self, launch: Launch, files: Mapping[str, str]) -> dict[str, str]:
        """Note a launch and its texts; returns the names under which ``sources`` has these."""
        self.launches.append(launch)
        names = {}
        for name, text in files.items():
            if not text:
                continue
            number, known = 1, name
            while self.sources.setdefault(known, text) != text:
                number += 1
                known = f"{name} ({number})"
            names[name] = known
        return names

    def annotated(self, *, colour: bool = False) -> str:
        """The source as plain text, with bytes, transactions, active lanes and findings beside each line.

        colour: mark findings with ANSI colours, for a terminal; they are marked with ``!`` either way.
        """
        return display.annotated(self, colour=colour)

    def _repr_html_(self) -> str:
        return display.report_html(self)


_active: contextvars.ContextVar[Report | None] = contextvars.ContextVar("anymetal_checked", default=None)


def active() -> Report | None:
    """The report that launches of this Python thread are to be added to, if any."""
    return _active.get()


@contextlib.contextmanager
def checked(*, back_edges: int = BACK_EDGES, per_simdgroup: bool = False) -> Iterator[Report]:
    """Run every launch inside the ``with`` block watched.

    Each access is looked at before it happens: reads outside a buffer give zero, such writes are dropped, and
    a loop ends after ``back_edges`` rounds of a SIMD-group. The outputs are the same as without, bit for bit,
    for kernels that do nothing wrong. ``per_simdgroup`` also counts what each SIMD-group does, in
    ``report.counters.by_simdgroup``. Raises ``ValueError`` where ``back_edges`` is not positive.
    """
    if not isinstance(back_edges, int) or back_edges < 1:
        raise ValueError(f"back_edges must be a positive whole number, got {back_edges!r}")
    report = Report(back_edges=back_edges, per_simdgroup=per_simdgroup)
    token = _active.set(report)
    try:
        yield report
    finally:
        _active.reset(token)
