"""SIMD-groups of the low tile whose columns lie outside return before the barriers."""

from __future__ import annotations

from grader.mutants.lab16 import _right

CAUSE = "divergent-barrier"

_SIZES = "int N = W_shape[0];"
_leaves = _right.GEMM.replace(_SIZES, f"{_SIZES}\nif (n0 + fn >= N) {{ return; }}")

kernel = _right.matmul({**_right.STRATEGIES, "low": _right.gemm("low", _leaves)}, lambda m, n, k, size: "low")
