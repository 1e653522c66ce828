"""What every .metal file holds, whatever it computes."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import pytest

import anymetal
import kernels
from kernels import gemv, source

FOLDER = Path(kernels.__file__).parent
PATHS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.metal"))


def test_there_are_some() -> None:
    assert {"textbook/matmul.metal", "gemv/simd.metal", "gemm/tiled.metal", "gemm/mma.metal"} <= set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_source(path: str) -> None:
    text = source.text(path)
    # MLX hands the source on to Metal as a string of ASCII, so nothing else may stand in it.
    assert text.isascii()
    assert text.startswith("// ")
    assert text.endswith("\n")
    assert max(map(len, text.splitlines())) <= 110


def test_a_kernel_is_built_once() -> None:
    first = source.load("gemv/simd.metal", ["x", "W"], ["y"])
    assert source.load("gemv/simd.metal", ("x", "W"), ("y",)) is first


def test_where_there_is_metal_a_checked_kernel_is_counted_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_the_gpu = object()
    monkeypatch.setattr(source, "_metal_is_here", lambda: True)
    monkeypatch.setattr(mx.fast, "metal_kernel", lambda **_: on_the_gpu)
    assert source.load("gemv/simd.metal", ("x", "W"), ("y",)) is on_the_gpu
    with anymetal.checked() as report:
        gemv.simd(mx.ones((5,)), mx.ones((3, 5)))
    assert report.counters.launches == 1
