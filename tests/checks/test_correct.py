"""Correct kernels have no finding, and the same outputs as in fast mode, to the bit."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from kernels import gemm, gemv, textbook
from kernels.shipped.wheel import library
from tests.library import mlx_kernels

from .kernel_files import HERE, read

FILES = sorted((HERE / "correct").glob("*.metal"))
DTYPES = [mx.float32, mx.float16, mx.bfloat16]


def bits(array: mx.array) -> bytes:
    """An array's elements as they lie in memory; ``tobytes`` of NumPy knows no bfloat16."""
    return bytes(np.array(array.view(mx.uint8) if array.ndim else array.reshape(1).view(mx.uint8)))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_has_no_finding(path: Path) -> None:
    kernel = read(path)
    report, outputs = kernel.checked()
    assert not report.findings, str(report)
    assert [bits(a) for a in outputs] == [bits(a) for a in kernel.launch()]


# The reference kernels: function, whether its weights are W[N, K], and shapes (M, N, K).
LARGE = [(13, 37, 29), (33, 65, 40)]
SMALL = [(1, 1, 1), (1, 37, 261)]
PRODUCTS = {
    "textbook.matmul": (textbook.matmul, False, LARGE),
    "gemv.naive_rows": (gemv.naive_rows, True, SMALL),
    "gemv.naive_columns": (gemv.naive_columns, False, SMALL),
    "gemv.simd": (gemv.simd, True, SMALL),
    "gemv.rows": (gemv.rows, True, SMALL),
    "gemv.vector": (gemv.vector, True, SMALL),
    "gemv.wide": (gemv.wide, True, SMALL),
    "gemv.batched": (gemv.batched, True, [(2, 37, 261)]),
    "gemm.tiled": (gemm.tiled, False, LARGE),
    "gemm.padded": (gemm.padded, True, LARGE),
    "gemm.register_tile": (gemm.register_tile, False, LARGE),
    "gemm.mma": (gemm.mma, False, LARGE),
}


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: str(d).rsplit(".", 1)[-1])
def test_a_reference_kernel(name: str, dtype: mx.Dtype) -> None:
    function, transposed, shapes = PRODUCTS[name]
    rng = np.random.default_rng(5)
    for m, n, k in shapes:
        x = mx.array(rng.standard_normal((m, k))).astype(dtype)
        w = mx.array(rng.standard_normal((n, k) if transposed else (k, n))).astype(dtype)
        with anymetal.checked() as report:
            y = function(x, w)
        assert not report.findings, f"{(m, n, k)}: {report}"
        assert report.counters.launches == 1
        assert bits(y) == bits(function(x, w))


# -- MLX's own kernels ---------------------------------------------------------------------------------------


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


@pytest.mark.parametrize("dtype", ["float", "half"])
def test_mlx_gemv(dtype: str) -> None:
    matrix = mlx_kernels.rounded(_random(64, 130), dtype)
    vector = mlx_kernels.rounded(_random(130), dtype)
    with anymetal.checked() as report:
        y = mlx_kernels.gemv(matrix, vector)
    assert not report.findings, str(report)
    assert np.array_equal(y, mlx_kernels.gemv(matrix, vector))


def test_mlx_gemv_at_an_edge_writes_rows_twice() -> None:
    # Its last rows move back to fill a block: two threadgroups write the same values, and say so.
    matrix = mlx_kernels.rounded(_random(67, 130), "float")
    vector = mlx_kernels.rounded(_random(130), "float")
    with anymetal.checked() as report:
        mlx_kernels.gemv(matrix, vector)
    assert [(f.kind, f.buffer) for f in report.findings] == [("same-value-race", "out_vec")]
    assert report.findings[0].file.endswith("gemv.h")


@pytest.mark.parametrize("kernel", ["qmv", "qvm"])
def test_mlx_quantized(kernel: str) -> None:
    x = mlx_kernels.rounded(_random(2, 128), "half")
    weights = _random(40, 128) if kernel == "qmv" else _random(128, 64)
    packed = mx.quantize(mlx_kernels.rounded(weights, "half"), 32, 4)
    with anymetal.checked() as report:
        y = mlx_kernels.quantized(kernel, x, packed, "half", 4, 32)
    assert not report.findings, str(report)
    assert np.array_equal(y, mlx_kernels.quantized(kernel, x, packed, "half", 4, 32))


def test_mlx_steel_gemm() -> None:
    a, b = mlx_kernels.rounded(_random(70, 33), "float"), mlx_kernels.rounded(_random(33, 50), "float")

    def product() -> np.ndarray:
        return mlx_kernels.steel_gemm(a, b, "float", ta=False, tb=False, tile=(32, 32, 16, 2, 2))

    with anymetal.checked() as report:
        y = product()
    assert not report.findings, str(report)
    assert np.array_equal(y, product())


@pytest.mark.parametrize("n", [65, 1030])
def test_mlx_softmax(n: int) -> None:
    function = library("utils.h", "softmax.h").function("softmax_single_row<float, float>")
    x = _random(3, n).astype(np.float32)

    def run() -> np.ndarray:
        y = np.full_like(x, np.nan)
        threads = -(-n // (4 * 32)) * 32
        function(x, y, n, grid=(3 * threads, 1, 1), threadgroup=(threads, 1, 1))
        return y

    with anymetal.checked() as report:
        y = run()
    assert not report.findings, str(report)
    assert np.array_equal(y, run())
    assert np.allclose(y.sum(axis=1), 1, atol=1e-5)


def scan(x: np.ndarray, threads: int) -> np.ndarray:
    """The sums of each row so far."""
    function = library("utils.h", "binary_ops.h", "scan.h").function(
        "contiguous_scan<float, float, CumSum<float>, 4, true, false>"
    )
    y = np.full_like(x, np.nan)
    function(x, y, np.uint64(x.shape[1]), threadgroups=(1, len(x), 1), threadgroup=(threads, 1, 1))
    return y


def test_mlx_scan() -> None:
    x = _random(2, 4099).astype(np.float32)
    with anymetal.checked() as report:
        y = scan(x, 1024)
    assert not report.findings, str(report)
    assert np.array_equal(y, scan(x, 1024))
    assert np.allclose(y, np.cumsum(x.astype(np.float64), axis=1), atol=1e-3)


def test_mlx_scan_of_a_short_row_reads_what_nothing_has_written() -> None:
    # All 32 lanes read the SIMD-groups' sums, however few there are; what the others get is not used.
    x = _random(3, 700).astype(np.float32)
    with anymetal.checked() as report:
        scan(x, 192)
    assert [(f.kind, f.buffer, f.index) for f in report.findings] == [("uninitialised", "simdgroup_sums", 6)]


def test_there_are_enough() -> None:
    assert len(FILES) + len(PRODUCTS) * len(DTYPES) >= 60
