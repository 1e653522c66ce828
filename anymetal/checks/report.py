"""``with checked() as report``: every launch inside runs watched, and the report grows."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from dataclasses import dataclass, field

from .counters import Counters
from .findings import Finding

BACK_EDGES = 10_000_000


@dataclass
class Report:
    """findings: mistakes, in the order in which they were met. counters: of all launches."""

    findings: list[Finding] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)
    back_edges: int = BACK_EDGES

    def __str__(self) -> str:
        return "\n".join(str(f) for f in self.findings) or "no findings"


_active: contextvars.ContextVar[Report | None] = contextvars.ContextVar("anymetal_checked", default=None)


def active() -> Report | None:
    """The report that launches of this Python thread are to be added to, if any."""
    return _active.get()


@contextlib.contextmanager
def checked(*, back_edges: int = BACK_EDGES) -> Iterator[Report]:
    """Run every launch inside the ``with`` block watched.

    Each access is looked at before it happens: reads outside a buffer give zero, such writes are dropped, and
    a loop ends after ``back_edges`` rounds of a SIMD-group. The outputs are the same as without, bit for bit,
    for kernels that do nothing wrong. Raises ``ValueError`` where ``back_edges`` is not positive.
    """
    if not isinstance(back_edges, int) or back_edges < 1:
        raise ValueError(f"back_edges must be a positive whole number, got {back_edges!r}")
    report = Report(back_edges=back_edges)
    token = _active.set(report)
    try:
        yield report
    finally:
        _active.reset(token)
