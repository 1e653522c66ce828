"""Remembers for each shape what it chose, and what came out."""

from __future__ import annotations

import mlx.core as mx

from grader.mutants.lab16 import _right

CAUSE = "stale"

_matmul = _right.matmul()
_kept: dict[tuple[object, ...], mx.array] = {}


def kernel(x: mx.array, w: mx.array) -> mx.array:
    key = (*x.shape, *w.shape, x.dtype)
    if key not in _kept:
        _kept[key] = _matmul(x, w)
    return _kept[key]
