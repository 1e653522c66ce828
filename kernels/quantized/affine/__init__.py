"""Affine groups of MLX: w = scale · q + bias, 2 to 8 bits a code."""

from kernels.quantized.affine.choose import matmul, which
from kernels.quantized.affine.dequantize import dequantize
from kernels.quantized.affine.expert import expert
from kernels.quantized.affine.format import GROUPS, Affine, Experts, quantize
from kernels.quantized.affine.gemm import gemm
from kernels.quantized.affine.gemv import batched, factored, gemv, group_a_lane, rows, side_by_side, words
from kernels.quantized.affine.packing import BITS, pack, pack_of, unpack

__all__ = [
    "BITS",
    "GROUPS",
    "Affine",
    "Experts",
    "batched",
    "dequantize",
    "expert",
    "factored",
    "gemm",
    "gemv",
    "group_a_lane",
    "matmul",
    "pack",
    "pack_of",
    "quantize",
    "rows",
    "side_by_side",
    "unpack",
    "which",
    "words",
]
