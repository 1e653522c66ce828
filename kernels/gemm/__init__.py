"""GEMM, the prefill path: many rows of X times all weights. A ladder of kernels for one product."""

from kernels.gemm.launch import mma, mma_rows, padded, register_tile, tiled

__all__ = ["mma", "mma_rows", "padded", "register_tile", "tiled"]
