"""Fixtures: MLX as it comes, whatever tests before did; and a cache of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlx.core as mx
import pytest

import anymetal


@pytest.fixture
def mlx_itself() -> Iterator[None]:
    """`mx.fast.metal_kernel` is MLX's own, and afterwards what it was before."""
    installed = mx.fast.metal_kernel is anymetal.metal_kernel
    anymetal.uninstall()
    yield
    anymetal.uninstall()
    if installed:
        anymetal.install()


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own, and no program in memory."""
    from anymetal.runtime import build

    folder = tmp_path / "cache"
    monkeypatch.setenv("ANYMETAL_CACHE", str(folder))
    build.forget()
    return folder
