"""GEMM, the prefill path: many rows of X times all weights. A ladder of kernels for one product."""

from kernels.gemm.launch import mma, padded, register_tile, tiled

__all__ = ["mma", "padded", "register_tile", "tiled"]
