"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import mlx.core as mx
import numpy as np

from benchmarks.peers import pocl
from benchmarks.product import Missing

PACKAGES = ("mlx", "numpy", "llvmlite", "ziglang", "pyopencl", "numba")


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.lower().startswith("model name"):
                return line.split(":", 1)[1].strip()
    if platform.system() == "Darwin":
        asked = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        if asked.stdout.strip():
            return asked.stdout.strip()
    return platform.processor() or platform.machine()


def _blas() -> str:
    found = np.show_config(mode="dicts")
    blas = found.get("Build Dependencies", {}).get("blas", {}) if isinstance(found, dict) else {}
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def load() -> float | None:
    """How many threads wanted a core in the last minute, on average; None where the system does not say."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def describe(threads: int, load: float | None = None) -> dict[str, str]:
    """The machine and the versions, each a short line. ``load`` is that before the run."""
    found = {
        "machine": f"{_cpu()}, {platform.machine()}, {platform.system()}",
        "threads": str(threads),
        "load before the run": "unknown" if load is None else f"{load:.1f}",
        "our engine": "Metal" if mx.metal.is_available() else "anymetal on the CPU",
        "Python": platform.python_version(),
        "NumPy's BLAS": _blas(),
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    try:
        found["PoCL"] = pocl.version()
    except Missing as missing:
        found["PoCL"] = str(missing)
    return found
