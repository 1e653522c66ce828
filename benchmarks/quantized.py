"""Every quantized kernel, beside our own f16 kernel of the same shape and MLX's product on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np

from benchmarks.goals import Row
from benchmarks.product import Contender
from benchmarks.timing import Spread, interleave, speed_ratio
from kernels import gemm, gemv, tolerance
from kernels.quantized import affine, nested, q4_0, q4_k, q8_0
from kernels.quantized.weights import Weights

GROUP = 64
# Quantizing takes long and its result is not what is timed: some rows are quantized and stand many times,
# each time in memory of their own.
_ROWS = 64
_SAMPLE = 16

Kernel = Callable[[mx.array, Any], mx.array]
Make = Callable[[np.ndarray[Any, Any], int], Weights]


@dataclass(frozen=True)
class Format:
    """title: in words. make: quantized weights of [rows, K] floats, and those rows repeated. module: its
    kernels. faster, than_mlx: the least ratios of its GEMV's speed to ours in f16 and to MLX's on the CPU."""

    title: str
    make: Make
    module: Any
    faster: float | None = None
    than_mlx: float | None = None


def _blocks(module: Any, kind: Callable[[mx.array], Weights]) -> Make:
    def make(w: np.ndarray[Any, Any], times: int) -> Weights:
        return kind(mx.array(np.tile(np.array(module.quantize(w).blocks), (times, 1, 1))))

    return make


def _affine(bits: int) -> Make:
    def make(w: np.ndarray[Any, Any], times: int) -> Weights:
        parts = mx.quantize(mx.array(w).astype(mx.float16), group_size=GROUP, bits=bits, stream=mx.cpu)
        packed, scales, biases = (mx.array(np.tile(np.array(part), (times, 1))) for part in parts)
        return affine.Affine(packed, scales, biases, bits=bits, group=GROUP)

    return make


def _nested(bits: int) -> Make:
    def make(w: np.ndarray[Any, Any], times: int) -> Weights:
        return nested.split(nested.quantize(np.tile(w, (times, 1)), group=GROUP).at(bits))

    return make


FORMATS = (
    Format("Q4_0", _blocks(q4_0, q4_0.Q4_0), q4_0, faster=1, than_mlx=4),
    Format("Q8_0", _blocks(q8_0, q8_0.Q8_0), q8_0),
    Format("Q4_K", _blocks(q4_k, q4_k.Q4_K), q4_k),
    *(
        Format(
            f"affine, {bits} bits",
            _affine(bits),
            affine,
            faster=1 if bits == 4 else None,
            than_mlx=4 if bits == 4 else None,
        )
        for bits in affine.BITS
    ),
    *(Format(f"nested planes, {bits} bits", _nested(bits), nested) for bits in nested.WIDTHS),
)


@dataclass(frozen=True)
class Shape:
    """A kind of kernel, by its name in each format's module, on one shape; ours in f16 for the same job."""

    kernel: str
    title: str
    m: int
    n: int
    k: int
    ours: Kernel


SHAPES = (
    Shape("gemv", "GEMV 4096×4096", 1, 4096, 4096, gemv.simd),
    Shape("batched", "batched GEMV, M = 8, 4096×4096", 8, 4096, 4096, gemv.batched),
    Shape("gemm", "GEMM 256×1024×1024", 256, 1024, 1024, gemm.mma_rows),
)
TINY = (
    Shape("gemv", "GEMV 64×512", 1, 64, 512, gemv.simd),
    Shape("batched", "batched GEMV, M = 3, 64×512", 3, 64, 512, gemv.batched),
    Shape("gemm", "GEMM 33×64×512", 33, 64, 512, gemm.mma_rows),
)


def compare(*, rounds: int, tiny: bool = False) -> Iterator[Row]:
    """The rows of one shape after the other; within a shape, all formats take turns."""
    for shape in TINY if tiny else SHAPES:
        yield from _shape(shape, rounds)


def _shape(shape: Shape, rounds: int) -> Iterator[Row]:
    rng = np.random.default_rng([shape.m, shape.n, shape.k])
    w = rng.normal(size=(min(_ROWS, shape.n), shape.k)).astype(np.float32)
    x = mx.array(rng.normal(size=(shape.m, shape.k))).astype(mx.float16)
    times = shape.n // len(w)
    whole = mx.array(np.tile(w, (times, 1))).astype(mx.float16)
    mx.eval(x, whole)
    half = _contender("our f16 kernel", shape.ours, x, whole)
    peer = _mlx(x, whole)
    contenders: dict[str, Contender] = {}
    formats = [one for one in FORMATS if hasattr(one.module, shape.kernel)]
    for one in formats:
        packed = one.make(w, times)
        contenders[one.title] = _contender(one.title, getattr(one.module, shape.kernel), x, packed)
        _check(contenders[one.title], x, packed)
    seconds = interleave({c.name: c.run for c in (half, peer, *contenders.values())}, rounds=rounds)
    for one in formats:
        mine = seconds[one.title]
        goals = (one.faster, one.than_mlx) if shape.kernel == "gemv" else (None, None)
        for rival, goal in zip((half, peer), goals, strict=True):
            theirs = seconds[rival.name]
            yield Row(
                f"{one.title}: {shape.title}, x in f16",
                Spread.of(mine),
                rival.name,
                Spread.of(theirs),
                speed_ratio(mine, theirs),
                goal,
            )


def _contender(name: str, kernel: Kernel, x: mx.array, w: Any) -> Contender:
    latest: list[mx.array] = []

    def run() -> None:
        y = kernel(x, w)
        mx.eval(y)
        latest[:] = [y]

    return Contender(name, run, lambda: np.array(latest[0]))


def _mlx(x: mx.array, w: mx.array) -> Contender:
    """In float32: in half it takes ten times as long on a CPU."""
    packed = mx.quantize(w.astype(mx.float32), group_size=GROUP, bits=4, stream=mx.cpu)
    rows = x.astype(mx.float32)
    mx.eval(rows, *packed)
    latest: list[mx.array] = []

    def run() -> None:
        y = mx.quantized_matmul(rows, *packed, group_size=GROUP, bits=4, stream=mx.cpu)
        mx.eval(y)
        latest[:] = [y]

    return Contender("MLX CPU quantized_matmul, 4 bits, f32", run, lambda: np.array(latest[0]))


def _check(contender: Contender, x: mx.array, w: Weights) -> None:
    """Raises ``AssertionError`` where a result is further from the exact product than it may be."""
    contender.run()
    got = mx.array(contender.result()).reshape(x.shape[0], -1)
    rows = x[:_SAMPLE]
    excess = tolerance.quantized_excess(got[:_SAMPLE], rows, w)
    if not excess <= 1:
        raise AssertionError(
            f"{contender.name} does not compute this product: "
            f"its worst error is {excess:.3g} times what is allowed."
        )
