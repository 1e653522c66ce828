"""Takes chapter 9's GEMM for weights of shape [K, N] and turns nothing."""

from __future__ import annotations

from grader.mutants.lab16 import _right
from kernels import source

CAUSE = "w-transposed"

_COLUMNS = source.text("gemm/mma.metal")
_columns = _right.gemm("square", _COLUMNS.replace("int N = W_shape[1];", "int N = W_shape[0];"))

kernel = _right.matmul({**_right.STRATEGIES, "square": _columns}, lambda m, n, k, size: "square")
