"""What every .metal file holds, whatever it computes."""

from __future__ import annotations

from pathlib import Path

import pytest

import kernels
from kernels import source

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
