"""Keeps the sums of the large tile in the type of x."""

from __future__ import annotations

from grader.mutants.lab16 import _right

CAUSE = "half-accumulator"

_HALF = _right.GEMM.replace("simdgroup_matrix<float", "simdgroup_matrix<T").replace("(0.0f)", "(T(0))")
_large = _right.gemm("large", _HALF.replace("threadgroup float strips", "threadgroup T strips").replace(
    "threadgroup float* strip", "threadgroup T* strip"))  # fmt: skip

kernel = _right.matmul({**_right.STRATEGIES, "large": _large}, lambda m, n, k, size: "large")
