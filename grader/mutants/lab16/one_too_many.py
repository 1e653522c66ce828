"""Sends 17 rows to a kernel with room for 16 sums."""

from __future__ import annotations

from grader.mutants.lab16 import _right

CAUSE = "reads-past-end"

_SIXTEEN = _right.BATCHED.replace("sum[M][ROWS]", "sum[16][ROWS]").replace("sum[M]", "sum[16]")

kernel = _right.matmul(
    {**_right.STRATEGIES, "batched": _right.batched(_SIXTEEN)},
    lambda m, n, k, size: "batched" if m <= 17 else "large",
)
