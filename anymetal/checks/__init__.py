"""Checked mode: count what a kernel moves, find what it does wrong, line by line."""

from .counters import BufferCounters, Counters, LineCounters
from .findings import Access, Finding, Thread
from .report import Report, checked

__all__ = ["Access", "BufferCounters", "Counters", "Finding", "LineCounters", "Report", "Thread", "checked"]
