"""Q4_K of GGUF: super-blocks of 256 weights in 144 bytes."""

from kernels.quantized.q4_k.choose import matmul, which
from kernels.quantized.q4_k.dense import dequantize, gemm
from kernels.quantized.q4_k.format import BLOCK, BYTES, Q4_K, pack_scales, quantize, unpack, unpack_scales
from kernels.quantized.q4_k.gemv import BATCH, batched, block_a_lane, gemv, side_by_side, words

__all__ = [
    "BATCH",
    "BLOCK",
    "BYTES",
    "Q4_K",
    "batched",
    "block_a_lane",
    "dequantize",
    "gemm",
    "gemv",
    "matmul",
    "pack_scales",
    "quantize",
    "side_by_side",
    "unpack",
    "unpack_scales",
    "which",
    "words",
]
