"""The square tile without the barrier between its loads and its products."""

from __future__ import annotations

from grader.mutants.lab16 import _right

CAUSE = "race"

_BARRIER = "threadgroup_barrier(mem_flags::mem_threadgroup);  // both tiles are there"

kernel = _right.matmul(
    {**_right.STRATEGIES, "square": _right.gemm("square", _right.GEMM.replace(_BARRIER, ""))},
    lambda m, n, k, size: "square",
)
