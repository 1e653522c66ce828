"""The cases: which kernel, on which product, against whom, and how fast it has to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import mlx.core as mx

from benchmarks.check import check
from benchmarks.goals import Row, Skipped
from benchmarks.peers import mlx, numba_simulator, numpy, ours, pocl
from benchmarks.product import Contender, Missing, Product
from benchmarks.timing import Spread, interleave, speed_ratio
from kernels import gemm, gemv


@dataclass(frozen=True)
class Against:
    """A peer and the least ratio of our speed to its; no goal where the row is there for comparison."""

    name: str
    contender: Callable[[Product], Contender]
    goal: float | None


@dataclass(frozen=True)
class Case:
    """A kernel on a product, and a small version of the product for trying out the harness."""

    key: str
    title: str
    kernel: Callable[[mx.array, mx.array], mx.array]
    product: Product
    tiny: Product
    against: tuple[Against, ...]


NUMPY = "NumPy"
MLX = "MLX CPU"
POCL = "PoCL"

CASES = (
    Case(
        "simd-gemv",
        "SIMD GEMV f32 4096×4096",
        gemv.simd,
        Product(1, 4096, 4096, by_rows=True),
        Product(1, 64, 256, by_rows=True),
        (
            Against(NUMPY, numpy.contender, 0.7),
            Against(MLX, mlx.contender, 4),
            Against(POCL, lambda product: pocl.gemv(product, by_hand=False), 8),
            Against(f"{POCL} by hand", lambda product: pocl.gemv(product, by_hand=True), None),
        ),
    ),
    Case(
        "naive-gemv",
        "naive GEMV f32 4096×4096, lanes side by side",
        gemv.naive_columns,
        Product(1, 4096, 4096),
        Product(1, 64, 48),
        (Against(POCL, pocl.naive_columns, 4),),
    ),
    Case(
        "tiled-gemm",
        "tiled GEMM f32 512³",
        gemm.tiled,
        Product(512, 512, 512),
        Product(32, 32, 32),
        (Against(POCL, pocl.tiled, 2),),
    ),
    Case(
        "mma-gemm",
        "MMA GEMM f32 512³",
        gemm.mma,
        Product(512, 512, 512),
        Product(40, 33, 35),
        (Against(NUMPY, numpy.contender, 0.35), Against(MLX, mlx.contender, 8)),
    ),
    Case(
        "half-mma-gemm",
        "MMA GEMM f16, float accumulators, 512³; NumPy in f32",
        gemm.mma,
        Product(512, 512, 512, dtype="float16"),
        Product(40, 33, 35, dtype="float16"),
        (Against(NUMPY, numpy.contender, 0.2),),
    ),
)

SIMULATOR_KEY = "numba-simulator"
SIMULATOR_GOAL = 10_000


def compare(case: Case, *, rounds: int, tiny: bool = False) -> Iterator[Row | Skipped]:
    """Times a case against its peers, all in turns on the same data."""
    product = case.tiny if tiny else case.product
    us = ours.contender(product, case.kernel)
    runs = [us]
    goals: list[float | None] = []
    for against in case.against:
        try:
            peer = against.contender(product)
        except Missing as missing:
            yield Skipped(case.title, against.name, str(missing))
            continue
        runs.append(peer)
        goals.append(against.goal)
    for contender in runs:
        check(contender, product)
    seconds = interleave({one.name: one.run for one in runs}, rounds=rounds)
    for peer, goal in zip(runs[1:], goals, strict=True):
        yield Row(
            case.title,
            Spread.of(seconds[us.name]),
            peer.name,
            Spread.of(seconds[peer.name]),
            speed_ratio(seconds[us.name], seconds[peer.name]),
            goal,
        )


def compare_simulator(*, rounds: int, tiny: bool = False) -> Iterator[Row | Skipped]:
    """The tiled GEMM against Numba's simulator: a product that it can finish, scaled by the work."""
    title = "tiled GEMM f32 512³, simulator scaled from 32³"
    theirs, product = Product(32, 32, 32), Product(32, 32, 32) if tiny else Product(512, 512, 512)
    us = ours.contender(product, gemm.tiled)
    check(us, product)
    scale = product.flop / theirs.flop
    mine: list[float] = []
    peer: list[float] = []
    try:
        for _ in range(1 if tiny else min(rounds, 3)):
            peer.append(numba_simulator.seconds(theirs.n) * scale)
            mine += interleave({us.name: us.run}, rounds=1)[us.name]
    except Missing as missing:
        yield Skipped(title, "Numba's CUDA simulator", str(missing))
        return
    note = f"The simulator ran {theirs.n}³ and its time was multiplied by {scale:g}, the ratio of the work."
    yield Row(
        title,
        Spread.of(mine),
        "Numba's CUDA simulator, same kernel",
        Spread.of(peer),
        speed_ratio(mine, peer),
        SIMULATOR_GOAL,
        note,
    )
