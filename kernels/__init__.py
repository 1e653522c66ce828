"""The book's reference kernels.

Each kernel is a plain ``.metal`` file: the body that ``mx.fast.metal_kernel`` takes, with its plan in a
comment at the top. The Python function that launches it stands beside it.

======================  =========================================  ==================================
module                  what it computes                           layout of the weights
======================  =========================================  ==================================
``kernels.textbook``    ``Y[M, N] = X[M, K] · W[K, N]``            ``W[K, N]``
``kernels.gemv``        ``y[N] = W · x[K]``, one row of x          ``W[N, K]``, one row an output
``kernels.gemm``        ``Y[M, N] = X[M, K] · W[K, N]``            ``W[K, N]`` or ``W[N, K]``
``kernels.quantized``   ``Y[M, N] = X[M, K] · W[N, K]ᵀ``           ``W[N, K]`` in a few bits a weight
``kernels.reduction``   sums of the rows of ``X[M, K]``            none
======================  =========================================  ==================================

All take float32, float16 and bfloat16, accumulate in float32, and return the dtype they were given.
``kernels.matmul(x, w)`` takes weights ``W[N, K]``, float or quantized, and chooses among these kernels:
``kernels.dispatch``. ``kernels.tolerance`` says how far from the exact product such a kernel may be.
``kernels.shipped`` launches MLX's own kernels, from its wheel, to be looked at beside these.
"""

from kernels import dispatch, gemm, gemv, quantized, reduction, textbook, tolerance
from kernels.dispatch import explain, matmul

__all__ = [
    "dispatch",
    "explain",
    "gemm",
    "gemv",
    "matmul",
    "quantized",
    "reduction",
    "textbook",
    "tolerance",
]
