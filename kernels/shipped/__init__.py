"""MLX's own matmul kernels, from the headers in its wheel, for a look at what production code does.

They are compiled and run by ``anymetal`` on every machine, also where Metal is, so that checked mode can
count them beside the book's kernels. Arrays of MLX in and out. Each function launches what MLX's Metal back
end would launch for the sizes it gets.
"""

from kernels.shipped.gemm import gemm
from kernels.shipped.gemv import gemv, gemv_t
from kernels.shipped.gemv_wide import gemv_wide
from kernels.shipped.quantized import gather_qmv, qmm_t, qmv

__all__ = ["gather_qmv", "gemm", "gemv", "gemv_t", "gemv_wide", "qmm_t", "qmv"]
