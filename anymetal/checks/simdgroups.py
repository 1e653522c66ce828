"""Counters of each SIMD-group: the monitor says when one has run; what has been added since is its own."""

from __future__ import annotations

import ctypes
from dataclasses import fields
from typing import Any

import numpy as np

from . import state
from .counters import Counters, LineCounters, SimdgroupIndex
from .program import CheckedProgram
from .sites import ATOMIC, LOAD, PRIVATE


class PerSimdgroup:
    """Adds to ``counters.by_simdgroup`` while a launch runs. ``groups``: threadgroups along x and y."""

    def __init__(
        self, program: CheckedProgram, of: state.State, counters: Counters, groups: tuple[int, int]
    ) -> None:
        self._sites = _view(of.sites, state.Site, len(program.sites))
        self._blocks = _view(of.blocks, state.Block, len(program.blocks))
        self._into, self._launch, self._groups = counters.by_simdgroup, counters.launches, groups
        sites = program.sites
        self._bytes = np.array([0 if s.space == PRIVATE else s.size for s in sites], np.int64)
        self._reads = np.array([s.kind in (LOAD, ATOMIC) for s in sites], np.bool_)
        self._writes = np.array([s.kind != LOAD for s in sites], np.bool_)
        self._spanned = np.array([s.span is not None for s in sites], np.bool_)
        self._conflicts = np.array([s.span.conflicts if s.span else 0 for s in sites], np.int64)
        costs = [b.operations for b in program.blocks]
        self._flops, self._integer, self._mma = (
            np.array([sum(getattr(c, name) for c in cost) for cost in costs], np.int64)
            for name in ("flops", "integer_ops", "mma")
        )
        self._last = self._totals()
        # Kept: ctypes frees what nothing refers to.
        self.callback = state.Ran(self._ran)

    @property
    def address(self) -> int | None:
        return ctypes.cast(self.callback, ctypes.c_void_p).value

    def _totals(self) -> dict[str, int]:
        """Everything up to now, by ``LineCounters``' names."""
        site = {name: self._sites[name].astype(np.int64) for name in self._sites.dtype.names or ()}
        block = {name: self._blocks[name].astype(np.int64) for name in self._blocks.dtype.names or ()}
        spans = site["spans"] * self._spanned
        moved = (site["lanes"] + 32 * spans) * self._bytes
        runs, lanes = block["full"] + block["parted"], 32 * block["full"] + block["lanes"]
        found = {
            "bytes_read": moved[self._reads].sum(),
            "bytes_written": moved[self._writes].sum(),
            "sectors": site["sectors"].sum(),
            "lines": site["lines"].sum(),
            "bank_conflicts": (site["conflicts"] + self._conflicts * spans).sum(),
            "flops": (self._flops * lanes).sum(),
            "integer_ops": (self._integer * lanes).sum(),
            "mma": (self._mma * runs).sum(),
            "lanes": lanes.sum(),
            "steps": runs.sum(),
        }
        return {name: int(n) for name, n in found.items()}

    def _ran(self, group: int, simdgroup: int) -> None:
        now = self._totals()
        x, y = self._groups
        where = (group % x, group // x % y, group // x // y)
        one = self._into.setdefault(SimdgroupIndex(self._launch, where, simdgroup), LineCounters())
        for counter in fields(one):
            added = now[counter.name] - self._last[counter.name]
            setattr(one, counter.name, getattr(one, counter.name) + added)
        self._last = now


def _view(array: Any, of: type[ctypes.Structure], count: int) -> np.ndarray:
    """Structures of ctypes as a NumPy array of records, where they lie."""
    return np.frombuffer(array, np.dtype(of))[:count]
