"""Numba's CUDA simulator: the other way to run a GPU kernel without a GPU.

NUMBA_ENABLE_CUDASIM must be set before Numba is imported, so the simulator gets a process of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

from benchmarks.product import Missing


def seconds(size: int) -> float:
    """One tiled product of ``size``³ in the simulator, in a new process. Imports do not count.

    Raises:
        Missing: Numba is not installed.
    """
    if importlib.util.find_spec("numba") is None:
        raise Missing("numba is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers.numba_tiled", str(size)],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the simulator failed:\n{done.stderr}")
    report = json.loads(done.stdout.splitlines()[-1])
    if not report["right"]:
        raise RuntimeError(f"the simulator's product of size {size} is wrong.")
    return float(report["seconds"])
