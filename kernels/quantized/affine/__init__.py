"""Affine groups of MLX: w = scale · q + bias, 2 to 8 bits a code."""

from kernels.quantized.affine.format import GROUPS, Affine, Experts, quantize
from kernels.quantized.affine.packing import BITS, pack, pack_of, unpack

__all__ = ["BITS", "GROUPS", "Affine", "Experts", "pack", "pack_of", "quantize", "unpack"]
