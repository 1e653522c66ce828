"""MLX's batched GEMV as we launch it: right for every plan that MLX makes, and counted."""

from __future__ import annotations

import mlx.core as mx
import pytest

import anymetal
from kernels import shipped, tolerance
from kernels.shipped.gemv_wide import Plan, plan

from .conftest import Draw

# (M, N, K), and what MLX makes of them: one, two, three passes; few outputs; the ragged ends of all axes.
PLANS = {
    (2, 67, 132): Plan(2, 32, 1),
    (5, 33, 260): Plan(5, 32, 1),
    (7, 67, 1028): Plan(4, 16, 2),
    (15, 66, 516): Plan(5, 16, 3),
    (11, 63, 256): Plan(4, 32, 3),
}


@pytest.mark.parametrize("shape", PLANS, ids=lambda shape: "x".join(map(str, shape)))
def test_gemv_wide(shape: tuple[int, int, int], draw: Draw) -> None:
    m, n, k = shape
    assert plan(m, n, k, mx.float16) == PLANS[shape]
    for dtype in (mx.float16, mx.bfloat16) if m == 7 else (mx.float16,):
        x, w = draw((m, k), dtype, seed=1), draw((n, k), dtype, seed=2)
        y = shipped.gemv_wide(x, w)
        assert (tuple(y.shape), y.dtype) == ((m, n), dtype)
        assert tolerance.excess(y, x, w, transposed=True) <= 1


def test_a_vocabulary_is_walked_by_the_same_threadgroups() -> None:
    assert plan(12, 65536, 64, mx.float16) == Plan(4, 16, 1)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((1, 8, 8), "float16"), ((16, 8, 8), "float16"), ((4, 1, 8), "float16"), ((4, 8, 6), "float16"),
     ((4, 8, 8), "float32")],
)  # fmt: skip
def test_what_mlx_gives_to_its_gemm_is_refused(shape: tuple[int, int, int], dtype: str) -> None:
    m, n, k = shape
    kind = getattr(mx, dtype)
    assert plan(m, n, k, kind) is None
    with pytest.raises(ValueError, match=f"M = {m}, N = {n}, K = {k} in {dtype} is nothing for gemv_wide"):
        shipped.gemv_wide(mx.zeros((m, k), kind), mx.zeros((n, k), kind))


@pytest.mark.parametrize(("m", "passes"), [(4, 1), (8, 2)])
def test_each_pass_asks_for_every_weight(m: int, passes: int, draw: Draw) -> None:
    n, k = 128, 256
    x, w = draw((m, k), mx.float16, seed=3), draw((n, k), mx.float16, seed=4)
    with anymetal.checked() as report:
        shipped.gemv_wide(x, w)
    assert not report.findings, str(report)
    assert report.counters.buffers["mat"].bytes_read == passes * n * k * 2
    assert report.counters.buffers["out_vec"].bytes_written == m * n * 2
