"""`python -m anymetal`: what Metal kernels run on here; `--clear-cache` drops all compiled kernels."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import anymetal
from anymetal.runtime import cache
from anymetal.runtime.launch import available_threads, thread_count


def main(arguments: list[str] | None = None) -> int:
    """Prints the report, or clears the cache. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m anymetal", description=__doc__)
    parser.add_argument("--clear-cache", action="store_true", help="drop all compiled kernels")
    if parser.parse_args(arguments).clear_cache:
        print(f"{cache.clear()} entries dropped from {cache.folder() or 'the cache, which is off'}")
        return 0
    for name, value in report().items():
        print(f"{name:<12}{value}")
    return 0


def report() -> dict[str, str]:
    """What this machine runs Metal kernels on, by topic."""
    from anymetal.runtime import jit

    _, cpu, _ = jit.host()
    entries, nbytes = cache.size()
    where = cache.folder()
    return {
        "kernels": _runs_on(),
        "CPU": f"{_cpu_name()} ({cpu}, {platform.machine()}), {jit.vector_bits()}-bit vectors",
        "threads": f"{thread_count()} of {available_threads()}",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": ", ".join(
            [f"anymetal {anymetal.__version__}", *map(_version, ("mlx", "llvmlite", "ziglang"))]
        ),
        "cache": f"{where}: {entries} entries, {nbytes / 2**20:.1f} MiB" if where else "off",
    }


def _runs_on() -> str:
    try:
        import mlx.core as mx
    except ImportError:
        return "CPU, by anymetal (mlx is not installed)"
    if mx.metal.is_available():
        return "Metal: mx.fast.metal_kernel uses the GPU, anymetal.metal_kernel the CPU"
    return "CPU, by anymetal; mlx has no Metal here"


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} not installed"


def _cpu_name() -> str:
    """The CPU's name as its maker writes it, where the system tells."""
    if sys.platform == "darwin":
        import subprocess

        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
            capture_output=True,
            text=True,
            check=False,
        )
        return asked.stdout.strip() or platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or os.environ.get("PROCESSOR_IDENTIFIER", "unknown CPU")


if __name__ == "__main__":
    sys.exit(main())
