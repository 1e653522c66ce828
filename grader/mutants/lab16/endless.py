"""The square tile does not step along K."""

from __future__ import annotations

from grader.mutants.lab16 import _right

CAUSE = "endless-loop"

_square = _right.gemm("square", _right.GEMM.replace("k0 += BK", "k0 += 0"))

kernel = _right.matmul({**_right.STRATEGIES, "square": _square}, lambda m, n, k, size: "square")
