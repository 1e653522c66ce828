"""MLX's quantized kernels for affine groups, launched as MLX launches them.

Which kernel and how many threadgroups follow ``dispatch_qmv``, ``qmv``, ``qmv_quad``, ``qmm`` and
``gather_qmv`` in mlx/backend/metal/quantized.cpp
(https://github.com/ml-explore/mlx/blob/main/mlx/backend/metal/quantized.cpp). There x, scales and biases
share a dtype: the template has one T.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np

from kernels.arguments import name_of
from kernels.quantized import weights
from kernels.quantized.affine.format import Affine, Experts
from kernels.shipped.wheel import Output, library, type_of

if TYPE_CHECKING:
    from anymetal import Function

_HEADERS = ("utils.h", "steel/gemm/gemm.h", "quantized_utils.h", "quantized.h")
# Outputs of a threadgroup: two SIMD-groups of four rows; in qmv_quad eight rows for each of eight quads.
_QMV, _QUAD = 8, 64
_TILE = 32


def qmv_step(bits: int) -> int:
    """Weights of a row that a SIMD-group of ``qmv_fast`` takes at a time: 8 or 16 a lane."""
    codes = {2: 16, 3: 8, 4: 8, 5: 8, 6: 4, 8: 4}[bits]  # of a pack
    return 32 * codes * (1 if bits == 2 else 2)


def qmv_kernel(n: int, k: int, bits: int) -> str:
    """What MLX takes for one row of x: ``qmv_quad``, ``qmv_fast`` or ``qmv``."""
    if k in (64, 128) and bits in (2, 4, 8):
        return "qmv_quad"
    return "qmv_fast" if n % _QMV == 0 and k % qmv_step(bits) == 0 else "qmv"


def _function(kernel: str, x: mx.array, w: Affine | Experts, *more: str) -> Function:
    if x.dtype != w.scales.dtype:
        raise ValueError(
            f"x has dtype {name_of(x.dtype)} and w's scales have {name_of(w.scales.dtype)}; "
            f"MLX's kernel needs both to be the same."
        )
    template = ", ".join([type_of(x.dtype), str(w.group), str(w.bits), *more])
    return library(*_HEADERS).function(f"affine_{kernel}<{template}>")


def qmv(x: mx.array, w: Affine) -> mx.array:
    """``y = W · x`` by the kernel that ``qmv_kernel`` names. Counted as ``w``, ``scales``, ``biases``, ``x``
    and ``y``. Several rows of x are so many products: each reads all of w.

    Args:
        x: [K] or [M, K], float32, float16 or bfloat16, as w's scales.
        w: weights of shape [N, K].

    Returns:
        [N] or [M, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w not an ``Affine``.
        ValueError: x's rank, dtype or K does not fit.
    """
    weights.of_format(w, Affine)
    m, n, k = weights.rows(x, w)
    kernel = qmv_kernel(n, k, w.bits)
    quad = kernel == "qmv_quad"
    function = _function(kernel, x, w, *([str(k)] if quad else []), "false")
    y = Output((*x.shape[:-1], n), x.dtype)
    if m:
        function(
            {0: w.packed, 1: w.scales, 2: w.biases, 3: x, 4: y.memory, 5: k, 6: n},
            threadgroups=(m, -(-n // (_QUAD if quad else _QMV)), 1),
            threadgroup=(32, 1 if quad else 2, 1),
        )
    return y.array()


def qmm_t(x: mx.array, w: Affine) -> mx.array:
    """``Y = X · Wᵀ`` by ``qmm_t``: tiles of 32 × 32 outputs, w dequantized into threadgroup memory in x's
    dtype. Arguments, result, errors and counters as for ``qmv``."""
    weights.of_format(w, Affine)
    m, n, k = weights.rows(x, w)
    function = _function("qmm_t", x, w, "true" if n % _TILE == 0 else "false", "false")
    y = Output((*x.shape[:-1], n), x.dtype)
    if m:
        function(
            {0: w.packed, 1: w.scales, 2: w.biases, 3: x, 4: y.memory, 5: k, 6: n, 7: m},
            threadgroups=(-(-n // _TILE), -(-m // _TILE), 1),
            threadgroup=(32, 2, 2),
        )
    return y.array()


def gather_qmv(x: mx.array, w: Experts, index: mx.array) -> mx.array:
    """``Y[m] = W[index[m]] · X[m]`` by ``gather_qmv_fast``, or ``gather_qmv`` where N or K does not fit it.
    Counted as for ``qmv``, and ``lhs_indices`` and ``rhs_indices``. MLX's kernel takes any index on trust, so
    one that is no expert's is refused here, which means to wait for the array.

    Args:
        x: [M, K], float32, float16 or bfloat16, as w's scales.
        w: E matrices of shape [N, K].
        index: whole numbers [M].

    Returns:
        [M, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w no ``Experts``.
        ValueError: x's rank, dtype or K does not fit, index has another length, or holds what is no expert.
    """
    weights.of_format(w, Experts)
    m, n, k = weights.rows(x, w[0])
    if x.ndim != 2 or tuple(index.shape) != (m,):
        raise ValueError(
            f"x has shape {tuple(x.shape)} and index {tuple(index.shape)}; they must be [M, K] and [M]."
        )
    at = np.array(index)
    if at.size and not 0 <= at.min() <= at.max() < len(w):
        raise ValueError(f"index holds {at.min()} … {at.max()}; w has experts 0 … {len(w) - 1}.")
    fast = n % _QMV == 0 and k % qmv_step(w.bits) == 0
    function = _function("gather_qmv_fast" if fast else "gather_qmv", x, w)
    y = Output((m, n), x.dtype)
    words, groups = w.packed.shape[2], w.scales.shape[2]
    # x as M matrices of one row, and w as E of N rows: one batch axis each, its lengths and steps between
    # neighbours along every axis. Row t takes matrix t of x.
    buffers: dict[int, Any] = {
        0: w.packed,
        1: w.scales,
        2: w.biases,
        3: x,
        4: np.arange(m, dtype=np.uint32),
        5: at.astype(np.uint32),
        6: y.memory,
        7: k,
        8: n,
        9: 1,
        10: np.array([m, 1, k], np.int32),
        11: np.array([k, k, 1], np.int64),
        12: 1,
        13: np.array([len(w), n, words], np.int32),
        14: np.array([n * words, words, 1], np.int64),
        15: np.array([n * groups, groups, 1], np.int64),
        16: np.array([n * groups, groups, 1], np.int64),
        17: 1,  # one axis of rows: its length, and the steps in both arrays of indices
        18: np.array([m], np.int32),
        19: np.array([1], np.int64),
        20: np.array([1], np.int64),
    }
    if m:
        function(buffers, threadgroups=(1, -(-n // _QMV), m), threadgroup=(32, 2, 1))
    return y.array()
