"""Checked mode: count what a kernel moves, find what it does wrong, line by line."""

from .chips import CHIPS, Chip, Figure
from .counters import BufferCounters, Counters, LineCounters, SimdgroupIndex
from .findings import Access, Finding, Thread
from .report import Launch, Report, checked
from .roofline import Roofline, roofline
from .trace import MemoryAccess, Shuffle, Step, Trace, trace

__all__ = [
    "CHIPS",
    "Access",
    "BufferCounters",
    "Chip",
    "Counters",
    "Figure",
    "Finding",
    "Launch",
    "LineCounters",
    "MemoryAccess",
    "Report",
    "Roofline",
    "Shuffle",
    "SimdgroupIndex",
    "Step",
    "Thread",
    "Trace",
    "checked",
    "roofline",
    "trace",
]
