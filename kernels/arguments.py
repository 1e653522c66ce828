"""What every launcher asks of its arguments, and what it says when it gets something else."""

from __future__ import annotations

import mlx.core as mx

FLOATS = (mx.float32, mx.float16, mx.bfloat16)


def name_of(dtype: mx.Dtype) -> str:
    """``float32`` for ``mlx.core.float32``."""
    return str(dtype).rsplit(".", 1)[-1]


def _array(name: str, value: object, ranks: tuple[int, ...], wanted: str) -> mx.array:
    if not isinstance(value, mx.array):
        raise TypeError(f"{name} is a {type(value).__name__}; it must be an mx.array of shape {wanted}.")
    if value.ndim not in ranks:
        raise ValueError(f"{name} has shape {tuple(value.shape)}; it must have shape {wanted}.")
    if value.dtype not in FLOATS:
        choices = ", ".join(name_of(dtype) for dtype in FLOATS[:-1])
        raise ValueError(
            f"{name} has dtype {name_of(value.dtype)}; it must have {choices} or {name_of(FLOATS[-1])}."
        )
    return value


def _agree(x: mx.array, w: mx.array, k: int, w_k: int, axis: int) -> None:
    if x.dtype != w.dtype:
        raise ValueError(
            f"w has dtype {name_of(w.dtype)} and x has {name_of(x.dtype)}; both must have the same dtype."
        )
    if k != w_k:
        raise ValueError(
            f"w has shape {tuple(w.shape)}, so axis {axis} gives K = {w_k}; "
            f"x has shape {tuple(x.shape)}, which needs K = {k}."
        )


def matrices(x: object, w: object, *, transposed: bool = False) -> tuple[int, int, int]:
    """M, N and K of ``x[M, K] · w[K, N]``, or of ``x[M, K] · w[N, K]ᵀ`` where ``transposed``.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit.
    """
    x = _array("x", x, (2,), "[M, K]")
    w = _array("w", w, (2,), "[N, K]" if transposed else "[K, N]")
    n, w_k = (w.shape[0], w.shape[1]) if transposed else (w.shape[1], w.shape[0])
    _agree(x, w, x.shape[1], w_k, 1 if transposed else 0)
    return x.shape[0], n, w_k


def matrix(x: object) -> tuple[int, int]:
    """M and K of ``x[M, K]``.

    Raises:
        TypeError: x is not an ``mx.array``.
        ValueError: its rank or dtype does not fit.
    """
    m, k = _array("x", x, (2,), "[M, K]").shape
    return m, k


def vector(x: object, w: object, *, transposed: bool = True) -> tuple[int, int]:
    """N and K of ``x[K] · w[N, K]ᵀ``, or of ``x[K] · w[K, N]`` where not ``transposed``. ``x`` may be [1, K].

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype or K does not fit.
    """
    x = _array("x", x, (1, 2), "[K] or [1, K]")
    if x.ndim == 2 and x.shape[0] != 1:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must have shape [K] or [1, K]: one row.")
    w = _array("w", w, (2,), "[N, K]" if transposed else "[K, N]")
    n, w_k = (w.shape[0], w.shape[1]) if transposed else (w.shape[1], w.shape[0])
    _agree(x, w, x.shape[-1], w_k, 1 if transposed else 0)
    return n, w_k
