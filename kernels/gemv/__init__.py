"""GEMV, the decode path: one row of x (or a few) times all weights. A ladder of kernels for one product."""

from kernels.gemv.launch import batched, naive_columns, naive_rows, rows, simd, vector, wide

__all__ = ["batched", "naive_columns", "naive_rows", "rows", "simd", "vector", "wide"]
