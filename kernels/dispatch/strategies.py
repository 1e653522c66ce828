"""What there is to choose among: the kernels of each format, and which problems they take."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import mlx.core as mx

from kernels import gemm, gemv
from kernels.dispatch.problem import FLOAT, Problem

BATCH = 16
"""The most rows that a batched GEMV takes."""


@dataclass(frozen=True)
class Strategy:
    """title: in words, such as ``batched GEMV``. run: a function of x [M, K] and w. refuses: why it cannot
    take a problem, as a clause such as ``it takes at most 16 rows``; empty where it can."""

    title: str
    run: Callable[[mx.array, Any], mx.array]
    refuses: Callable[[Problem], str]


def _at_most(rows: int) -> Callable[[Problem], str]:
    words = "one row" if rows == 1 else f"at most {rows} rows"
    return lambda problem: f"it takes {words}" if problem.m > rows else ""


def _nothing(_: Problem) -> str:
    return ""


_FLOATS: Mapping[str, Strategy] = {
    "simd": Strategy("GEMV, a SIMD-group an output", gemv.simd, _at_most(1)),
    "vector": Strategy("GEMV by vector loads", gemv.vector, _at_most(1)),
    "rows": Strategy("GEMV, four outputs a SIMD-group", gemv.rows, _at_most(1)),
    "wide": Strategy("wide GEMV", gemv.wide, _at_most(1)),
    "batched": Strategy("batched GEMV", gemv.batched, _at_most(BATCH)),
    "low": Strategy("GEMM by tiles of 8 × 128", partial(gemm.mma_rows, tile="low"), _nothing),
    "square": Strategy("GEMM by tiles of 32 × 32", partial(gemm.mma_rows, tile="square"), _nothing),
    "large": Strategy("GEMM by tiles of 64 × 64", partial(gemm.mma_rows, tile="large"), _nothing),
}
# Of quantized formats: a kernel's name, its title, the most rows it takes, and an M for which the format
# itself would take it unless N, K or the dtype forbid it.
_FUSED = (
    ("gemv", "GEMV on packed weights", 1, 1),
    ("batched", "batched GEMV on packed weights", BATCH, 2),
    ("gemm", "GEMM that unpacks weights on its way", None, 4096),
    ("dequantized", "weights unpacked beforehand, then a GEMM", None, None),
)


@cache
def strategies(format_: str) -> Mapping[str, Strategy]:
    """Every strategy for a format, by name. ``own`` of a quantized format is what its ``which`` says.

    Raises:
        ValueError: there is no such format.
    """
    if format_ == FLOAT:
        return _FLOATS
    try:
        module = importlib.import_module(f"kernels.quantized.{format_}")
    except ModuleNotFoundError:
        raise ValueError(f"there is no format {format_!r} in kernels.quantized.") from None
    found = {}
    for name, title, most, usual_m in _FUSED:
        if hasattr(module, name):
            found[name] = Strategy(title, getattr(module, name), _fused(module, name, most, usual_m))
    found["own"] = Strategy("what the format itself takes", module.matmul, _nothing)
    return found


def _fused(module: Any, name: str, most: int | None, usual_m: int | None) -> Callable[[Problem], str]:
    """Whether a kernel takes a problem: of M we know, and of N, K and the dtype the format's ``which``."""

    def refuses(problem: Problem) -> str:
        if most is not None and (words := _at_most(most)(problem)):
            return words
        if usual_m is None:
            return ""
        chosen = module.which(usual_m, problem.n, problem.k, getattr(mx, problem.dtype))
        return "" if chosen.kernel == name else f"of this shape the format says: {chosen}"

    return refuses
