"""Takes the square tile for every shape."""

from __future__ import annotations

from grader.mutants.lab16 import _right

CAUSE = "over-budget"

kernel = _right.matmul(choice=lambda m, n, k, size: "square")
