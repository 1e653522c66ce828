"""Lab 16: a matmul that picks, Y[M, N] = X[M, K] · W[N, K]ᵀ by the strategy that asks for the least bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlx.core as mx

from grader.exercise import Budget, Case, Counts, Exercise, Kernel
from grader.labs import lab07

LANES = 32
SLACK = 1.15
"""How much more than the best strategy's bytes a choice may ask for."""


def _reference() -> Kernel:
    from kernels import dispatch

    # The table that ships, not what may have been measured on this machine.
    return lambda x, w: dispatch.matmul(x, w, table=dispatch.DEFAULT)


def launch(source: str) -> Kernel:
    """A function of (x, w) that launches `source` with a SIMD-group for each output, whatever the shape.

    The body sees `X`, `W`, `Y`, the dtype `T`, and the shapes that MLX adds when it names them. A threadgroup
    is one SIMD-group; its position is the column and the row of its output.
    """
    kernel: Any = mx.fast.metal_kernel(
        name="lab16", input_names=["X", "W"], output_names=["Y"], source=source
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        outputs: list[mx.array] = kernel(
            inputs=[x, w],
            template=[("T", x.dtype)],
            grid=(LANES * w.shape[0], x.shape[0], 1),
            threadgroup=(LANES, 1, 1),
            output_shapes=[(x.shape[0], w.shape[0])],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return matmul


def _sizes(m: int, n: int, k: int) -> dict[str, int]:
    return {"M": m, "N": n, "K": k}


# Each M of a batched GEMV is a kernel of its own, compiled once a dtype, so small M come back.
CASES = (
    # Small enough to follow by hand, and no two sizes alike.
    Case(_sizes(3, 2, 5)),
    Case(_sizes(1, 1, 1)),
    # Both sides of every edge that a choice may have: rows of a tile and of a batch, columns of a tile. The
    # second shape comes twice with other numbers: an answer kept from the first call shows.
    Case(_sizes(1, 33, 40)),
    Case(_sizes(8, 129, 33)),
    Case(_sizes(8, 129, 33)),
    Case(_sizes(8, 31, 1)),
    Case(_sizes(16, 127, 64)),
    Case(_sizes(17, 37, 31)),
    Case(_sizes(33, 131, 67)),
    Case(_sizes(70, 5, 32)),
    Case(_sizes(3, 11, 97), scale=1e-3),
    Case(_sizes(34, 11, 97), scale=1e3),
    Case(_sizes(3, 18, 40), data="nan"),
    Case(_sizes(35, 70, 40), data="inf"),
    *(
        case
        for dtype, many, wide in (("float16", 65, 121), ("bfloat16", 40, 21))
        for case in (
            Case(_sizes(3, 4, 5), dtype),
            Case(_sizes(many, 19, 1), dtype),
            Case(_sizes(3, 21, 1031), dtype, "positive"),
            Case(_sizes(many, wide, 1031), dtype, "positive"),
            Case(_sizes(many, 11, 64), dtype, "cancelling"),
            Case(_sizes(many, 18, 40), dtype, "nan"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------

DEPTH = 64
# One row, few, a low tile, two of them, many; wide products, and narrow ones in which a wide tile stays
# empty.
GRID = (
    (1, 256),
    (3, 256),
    (8, 24),
    (8, 256),
    (12, 256),
    (16, 24),
    (16, 256),
    (24, 40),
    (32, 256),
    (64, 24),
    (64, 256),
    (70, 130),
)
TILES: Mapping[str, tuple[int, int, int, int]] = {
    "low": (1, 4, 1, 4),
    "square": (2, 2, 2, 2),
    "large": (2, 2, 4, 4),
}
"""SIMD-groups down and across, and the fragments that each of them owns."""
BATCH = 16
"""The most rows that the batched GEMV takes."""


def asked(strategy: str, m: int, n: int, k: int, size: int) -> int:
    """Bytes that one of the lab's four strategies asks of buffers and of threadgroup memory.

    strategy: ``batched`` or a name of `TILES`. size: bytes of an element.
    """
    if strategy == "batched":
        rows = 4 if m <= 4 else 2
        return size * (n * k + (n // rows + n % rows) * m * k + m * n)
    down, across, fm, fn = TILES[strategy]
    bm, bn = 8 * down * fm, 8 * across * fn
    high, wide, steps = -(-m // bm), -(-n // bn), -(-k // 32)
    step = size * (32 * (bm + bn) + down * across * 4 * 64 * (fm + fn))
    return (
        size * (high * n * k + wide * m * k + m * n) + high * wide * (steps * step + 4 * bm * bn) + 4 * m * n
    )


def best(m: int, n: int, k: int, size: int) -> int:
    """The fewest bytes that one of the four strategies asks for."""
    return min(asked(name, m, n, k, size) for name in ("batched", *TILES) if name != "batched" or m <= BATCH)


def _asked(counts: Counts) -> float:
    return counts.read["x"] + counts.read["w"] + counts.written + counts.shared


def _budget(m: int, n: int) -> Budget:
    return Budget(
        f"bytes, M = {m}, N = {n}",
        _asked,
        lambda sizes, size: SLACK * best(sizes["M"], sizes["N"], sizes["K"], size),
        f"{SLACK} times what the best of the four strategies asks for",
        "Work out what each strategy asks for with this shape, threadgroup memory included, and see which of "
        "them your function takes.",
        case=Case(_sizes(m, n, DEPTH)),
    )


SIMDGROUP_AN_OUTPUT = """
uint lane = thread_index_in_simdgroup;
uint n = threadgroup_position_in_grid.x;
uint m = threadgroup_position_in_grid.y;
uint N = W_shape[0];
uint K = W_shape[1];
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    sum += float(X[m * K + k]) * float(W[n * K + k]);
}
sum = simd_sum(sum);
if (lane == 0) {
    Y[m * N + n] = T(sum);
}
"""

EXERCISES = (
    Exercise(
        lab="16",
        name="",
        title="a matmul that picks",
        arguments={"x": ("M", "K"), "w": ("N", "K")},
        result=("y", ("M", "N")),
        oracle=lab07.oracle,
        magnitude=lab07.magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=lab07.NEAR_MISSES,
        budgets=tuple(_budget(m, n) for m, n in GRID),
        unoptimised=SIMDGROUP_AN_OUTPUT,
        steps=(
            "Take M = 8 and N = 256 first. Which strategies take so many rows? Write down what each of them "
            "asks for, and take the least. The figure of chapter 16 does the same for its shapes.",
            "A tile counts whole, however little of it is used: a GEMM's threadgroup memory is paid for "
            "⌈M / BM⌉ · ⌈N / BN⌉ tiles, ⌈K / 32⌉ times.",
            "For a step of 32 along K a tile stores (BM + BN) · 32 elements, and each of its SIMD-groups "
            "loads 4 · (FM + FN) fragments of 64. At the end it stores BM · BN floats, and all tiles "
            "together load M · N.",
            "`choose` may be a comparison of four numbers: `min` over the strategies that take M rows, with "
            "`asked` as the key.",
        ),
        hints={
            "reads-past-end": "A kernel got more rows than it has room for, or fewer threads than it counts "
            "on. Look at the condition under which your function takes it.",
            "partly-unwritten": "A grid belongs to its tile: it needs a threadgroup for each tile of BM × BN "
            "outputs, those at the edges too.",
        },
    ),
)
