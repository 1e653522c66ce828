"""Q4_0 of GGUF: blocks of 32 weights in 18 bytes."""

from kernels.quantized.q4_0.choose import matmul, which
from kernels.quantized.q4_0.dequantize import dequantize
from kernels.quantized.q4_0.format import BLOCK, BYTES, Q4_0, quantize, unpack
from kernels.quantized.q4_0.gemm import gemm
from kernels.quantized.q4_0.gemv import (
    BATCH,
    batched,
    block_a_lane,
    factored,
    gemv,
    rows,
    side_by_side,
    staged,
    words,
)

__all__ = [
    "BATCH",
    "BLOCK",
    "BYTES",
    "Q4_0",
    "batched",
    "block_a_lane",
    "dequantize",
    "factored",
    "gemm",
    "gemv",
    "matmul",
    "quantize",
    "rows",
    "side_by_side",
    "staged",
    "unpack",
    "which",
    "words",
]
