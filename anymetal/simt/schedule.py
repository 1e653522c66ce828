"""Who waits where, once lanes have parted.

Lanes that part at a branch wait in front of their blocks. Always the earliest block in order goes on, so
lanes meet again at the first block they share (thread frontiers: Diamos et al., "SIMD Re-Convergence At
Thread Frontiers", 2011). Which blocks may have lanes waiting is known beforehand; which of them do is asked
at run time, and only where needed.
"""

from __future__ import annotations

from dataclasses import dataclass

from .cfg import Cfg


@dataclass
class Schedule:
    """``waiting[b]``: blocks other than ``b`` where lanes may wait while ``b`` runs. ``next[b]``: candidates
    to run after ``b``, earliest first. ``parted``: blocks that lanes may run while others wait, or that
    are not all active.
    """

    waiting: dict[str, frozenset[str]]
    next: dict[str, tuple[str, ...]]


def schedule(cfg: Cfg, divergent: set[str], roots: set[str]) -> Schedule:
    """``roots``: blocks that may be entered with lanes missing (the entry, of a partial SIMD-group)."""
    waiting: dict[str, set[str]] = {}
    following: dict[str, tuple[str, ...]] = {}
    work = list(roots)
    for block in divergent:
        targets = _in_order(cfg, block, set(cfg.successors[block]))
        for position, target in enumerate(targets):
            later = set(targets[position + 1 :])
            if target not in waiting or not later <= waiting[target]:
                waiting.setdefault(target, set()).update(later)
                work.append(target)
    for root in roots:
        waiting.setdefault(root, set())
    while work:
        block = work.pop()
        candidates = _in_order(cfg, block, waiting[block] | set(cfg.successors[block]))
        following[block] = candidates
        for position, candidate in enumerate(candidates):
            later = set(candidates[position + 1 :])
            if candidate not in waiting:
                waiting[candidate] = later
            elif not later <= waiting[candidate]:
                waiting[candidate] |= later
            else:
                continue
            work.append(candidate)
    return Schedule({b: frozenset(w) for b, w in waiting.items()}, following)


def _in_order(cfg: Cfg, block: str, candidates: set[str]) -> tuple[str, ...]:
    """Candidates after ``block``; a loop's header that lies behind waits for the rest of its loop."""

    def position(candidate: str) -> float:
        if cfg.is_back_edge(block, candidate):
            return cfg.loop_end(candidate) + 0.5
        return cfg.index[candidate]

    return tuple(sorted(candidates, key=position))
