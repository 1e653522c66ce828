"""Launches the square tile with the grid of the large one: a quarter of the threadgroups."""

from __future__ import annotations

from grader.mutants.lab16 import _right

CAUSE = "partly-unwritten"

kernel = _right.matmul({**_right.STRATEGIES, "square": _right.gemm("square", grid_of="large")},
                       lambda m, n, k, size: "square")  # fmt: skip
