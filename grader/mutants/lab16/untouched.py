"""The choice knows a fifth name, whose kernel stores nothing."""

from __future__ import annotations

from grader.mutants.lab16 import _right

CAUSE = "untouched"

_nothing = _right.gemm("square", _right.GEMM.replace("Y[size_t(m) * N + n] = T(strip[e]);", ""))

kernel = _right.matmul({"nothing": _nothing}, lambda m, n, k, size: "nothing")
