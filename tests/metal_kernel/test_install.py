"""`install` and `uninstall`, and what importing costs."""

from __future__ import annotations

import subprocess
import sys

import mlx.core as mx
import pytest

import anymetal

pytestmark = pytest.mark.usefixtures("mlx_itself")


def test_install_and_uninstall_where_there_is_no_metal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx.metal, "is_available", lambda: False)
    own = mx.fast.metal_kernel
    assert anymetal.install() is True
    assert mx.fast.metal_kernel is anymetal.metal_kernel
    assert anymetal.install() is True  # once more does no harm
    anymetal.uninstall()
    assert mx.fast.metal_kernel is own
    anymetal.uninstall()
    assert mx.fast.metal_kernel is own


def test_where_there_is_metal_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx.metal, "is_available", lambda: True)
    own = mx.fast.metal_kernel
    assert anymetal.install() is False
    assert mx.fast.metal_kernel is own


def test_importing_anymetal_imports_nothing_heavy() -> None:
    heavy = ("mlx", "numpy", "llvmlite", "anymetal.frontend", "anymetal.simt")
    program = f"import sys, anymetal; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_report_and_clearing_the_cache(tmp_path: object) -> None:
    import os

    environment = {**os.environ, "ANYMETAL_CACHE": str(tmp_path), "ANYMETAL_THREADS": "1"}

    def ask(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "anymetal", *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout

    report = ask()
    for word in (
        "kernels",
        "CPU",
        "-bit vectors",
        "threads     1 of",
        "llvmlite 0.",
        "ziglang 0.",
        "mlx 0.",
        str(tmp_path),
    ):
        assert word in report
    assert "0 entries dropped" in ask("--clear-cache")
