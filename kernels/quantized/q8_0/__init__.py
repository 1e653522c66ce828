"""Q8_0 of GGUF: blocks of 32 weights in 34 bytes."""

from kernels.quantized.q8_0.format import BLOCK, BYTES, Q8_0, quantize, unpack
from kernels.quantized.q8_0.launch import (
    batched,
    block_a_lane,
    dequantize,
    dequantized,
    gemv,
    matmul,
    side_by_side,
    which,
)

__all__ = [
    "BLOCK",
    "BYTES",
    "Q8_0",
    "batched",
    "block_a_lane",
    "dequantize",
    "dequantized",
    "gemv",
    "matmul",
    "quantize",
    "side_by_side",
    "unpack",
    "which",
]
