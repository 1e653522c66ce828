"""PoCL: OpenCL C on the CPU, the nearest thing to what anymetal does. Kernels in ``opencl/``."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.product import Contender, Missing, Product

SOURCES = Path(__file__).parent / "opencl"


@cache
def _device() -> tuple[Any, Any]:
    """A context and a queue on PoCL."""
    try:
        import pyopencl as cl
    except ImportError:
        raise Missing("pyopencl is not installed") from None
    try:
        platforms = cl.get_platforms()
    except cl.Error:
        platforms = []
    for platform in platforms:
        if platform.name == "Portable Computing Language" and platform.get_devices():
            context = cl.Context(platform.get_devices()[:1])
            return context, cl.CommandQueue(context)
    raise Missing("no PoCL here; on Debian: apt install pocl-opencl-icd")


def version() -> str:
    """PoCL's own words about itself."""
    context, _ = _device()
    return str(context.devices[0].version)


class _Buffers:
    """The product's arrays where PoCL wants them: in memory that it can use without a copy."""

    def __init__(self, product: Product) -> None:
        import pyopencl as cl

        context, self.queue = _device()
        flags = cl.mem_flags.READ_WRITE | cl.mem_flags.USE_HOST_PTR
        self.host = np.empty((product.m, product.n), dtype=np.float32)
        self.x = cl.Buffer(context, flags, hostbuf=product.x)
        self.w = cl.Buffer(context, flags, hostbuf=product.w)
        self.y = cl.Buffer(context, flags, hostbuf=self.host)

    def result(self) -> Any:
        import pyopencl as cl

        cl.enqueue_copy(self.queue, self.host, self.y)
        return self.host


def _kernel(file: str, name: str, **constants: int) -> Any:
    import pyopencl as cl

    context, _ = _device()
    options = [f"-D{key}={value}" for key, value in constants.items()]
    program = cl.Program(context, (SOURCES / file).read_text(encoding="utf-8")).build(options)
    return cl.Kernel(program, name)


def _launch(
    kernel: Any, buffers: _Buffers, grid: tuple[int, ...], group: tuple[int, ...], sizes: tuple[int, ...]
) -> Callable[[], None]:
    kernel.set_args(buffers.x, buffers.w, buffers.y, *map(np.int32, sizes))

    def run() -> None:
        import pyopencl as cl

        cl.enqueue_nd_range_kernel(buffers.queue, kernel, grid, group)
        buffers.queue.finish()

    return run


def naive_columns(product: Product) -> Contender:
    """The port of ``kernels/gemv/naive_columns.metal``."""
    buffers = _Buffers(product)
    kernel = _kernel("naive_columns.cl", "naive_columns")
    group = next(size for size in (256, 64, 32, 1) if product.n % size == 0)
    run = _launch(kernel, buffers, (product.n,), (group,), (product.n, product.k))
    return Contender("PoCL, same kernel", run, buffers.result)


def tiled(product: Product, bm: int = 16, bn: int = 32, bk: int = 32) -> Contender:
    """The port of ``kernels/gemm/tiled.metal``, with its tiles."""
    buffers = _Buffers(product)
    kernel = _kernel("tiled.cl", "tiled", BM=bm, BN=bn, BK=bk)
    grid = (-(-product.n // bn) * bn, -(-product.m // bm) * bm)
    run = _launch(kernel, buffers, grid, (bn, bm), (product.m, product.n, product.k))
    return Contender("PoCL, same kernel", run, buffers.result)


def _fastest(candidates: dict[str, Callable[[], None]]) -> str:
    """The name of the one with the best of three calls."""

    def best(run: Callable[[], None]) -> float:
        run()
        times = []
        for _ in range(3):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        return min(times)

    return min(candidates, key=lambda name: best(candidates[name]))


def gemv(product: Product, *, by_hand: bool) -> Contender:
    """PoCL's fastest way to ``W[N, K] · x``, tried out before the run.

    Args:
        by_hand: whether each work-item spells out vectors of sixteen, which is how one writes OpenCL C for a
            CPU; or else the kernels one writes for a GPU, where work-items are the lanes.
    """
    buffers = _Buffers(product)
    candidates: dict[str, Callable[[], None]] = {}
    names = (
        ["row_a_work_item_by_16"]
        if by_hand
        else ["row_a_work_item", "row_a_work_group", "row_a_work_group_one_adds"]
    )
    for name in names:
        for size in (8, 16, 32, 64, 128, 256):
            a_group = "work_group" in name
            whole = product.k % (size if a_group else 16) == 0
            if not whole or (not a_group and product.n % size):
                continue
            kernel = _kernel("gemv.cl", name, SIZE=size)
            grid = (product.n * size,) if a_group else (product.n,)
            candidates[f"{name}/{size}"] = _launch(kernel, buffers, grid, (size,), (product.n, product.k))
    if not candidates:
        raise Missing(f"no PoCL kernel here takes N = {product.n}, K = {product.k}")
    name = _fastest(candidates)
    kind = "hand-vectorised" if by_hand else "best of several"
    return Contender(f"PoCL, {kind} ({name.replace('_', ' ')})", candidates[name], buffers.result)
