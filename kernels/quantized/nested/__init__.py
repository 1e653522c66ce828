"""Nested widths: codes of 8 bits, and models of 2, 3, 4 and 6 bits cut from them."""

from kernels.quantized.nested.format import GROUPS, WIDTHS, Nested, quantize, sliced
from kernels.quantized.nested.launch import (
    BATCH,
    batched,
    dequantize,
    gemm,
    gemv,
    gemv_one,
    gemv_planes,
    gemv_words,
    matmul,
    which,
)
from kernels.quantized.nested.planes import Planes, needed, split

__all__ = [
    "BATCH",
    "GROUPS",
    "WIDTHS",
    "Nested",
    "Planes",
    "batched",
    "dequantize",
    "gemm",
    "gemv",
    "gemv_one",
    "gemv_planes",
    "gemv_words",
    "matmul",
    "needed",
    "quantize",
    "sliced",
    "split",
    "which",
]
