"""Chooses by M and does not look at N."""

from __future__ import annotations

from grader.mutants.lab16 import _right

CAUSE = "over-budget"

kernel = _right.matmul(choice=lambda m, n, k, size: _right.choose(m, 4096, k, size))
