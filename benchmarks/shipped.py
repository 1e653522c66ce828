"""What MLX ships, run by our engine, beside our own kernels and NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.check import check
from benchmarks.goals import Row
from benchmarks.packed import PackedProduct
from benchmarks.peers import mlx_metal, numpy, ours
from benchmarks.product import Contender, Product
from benchmarks.timing import Spread, interleave, speed_ratio
from kernels import gemv, shipped
from kernels.quantized import affine, q4_0


def compare(*, rounds: int, tiny: bool = False) -> Iterator[Row]:
    """The rows, one product after the other."""
    n, k = (64, 512) if tiny else (4096, 4096)
    blocks = PackedProduct(1, n, k, quantize=q4_0.quantize)
    bytes_ = (blocks.contender("our Q4_0 GEMV", q4_0.gemv), blocks)
    yield _row(f"Q4_0 GEMV {n}×{k}; NumPy in f32", bytes_, (numpy.contender(blocks), blocks), 0.5, rounds)
    plain = Product(1, n, k, by_rows=True)
    simd = ours.contender(plain, gemv.simd)
    named = Contender("our SIMD GEMV", simd.run, simd.result)
    yield _row(
        f"MLX's gemv f32 {n}×{k}, run by us", (mlx_metal.gemv(plain), plain), (named, plain), 0.5, rounds
    )
    groups = PackedProduct(1, n, k, quantize=affine.quantize)
    theirs = (groups.contender("MLX's qmv_fast", shipped.qmv), groups)
    yield _row(f"MLX's qmv_fast, 4 bits, {n}×{k}, run by us", theirs, bytes_, 0.5, rounds)
    side = 64 if tiny else 1024
    square = Product(side, side, side)
    steel = (mlx_metal.steel_gemm(square), square)
    peer = (numpy.contender(square), square)
    yield _row(f"MLX's steel_gemm_fused f32 {side}³, run by us", steel, peer, 0.4, rounds)


def _row(
    title: str, us: tuple[Contender, Product], peer: tuple[Contender, Product], goal: float, rounds: int
) -> Row:
    contenders: Sequence[tuple[Contender, Product]] = (us, peer)
    for contender, product in contenders:
        check(contender, product)
    seconds = interleave({one.name: one.run for one, _ in contenders}, rounds=rounds)
    mine, theirs = seconds[us[0].name], seconds[peer[0].name]
    return Row(title, Spread.of(mine), peer[0].name, Spread.of(theirs), speed_ratio(mine, theirs), goal)
