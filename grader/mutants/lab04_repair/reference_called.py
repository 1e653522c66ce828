"""The book's own copy answers."""

from __future__ import annotations

from kernels import transpose

CAUSE = "reference-called"


def kernel(x):
    return transpose.tiled(x)
