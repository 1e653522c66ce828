"""What a call costs beside the arithmetic: compiling, finding the compiled kernel on disk, calling again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import mlx.core as mx

from benchmarks.first_call import KERNELS
from benchmarks.goals import Row
from benchmarks.timing import Spread, interleave
from kernels import source

FIRST_CALL_S = 0.8
CACHED_CALL_S = 0.1
WARM_CALL_S = 150e-6


def _first_call(name: str, cache: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.first_call", name],
        env={**os.environ, "ANYMETAL_CACHE": cache},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the first call of {name} failed:\n{done.stderr}")
    return float(json.loads(done.stdout.splitlines()[-1]))


def first_calls(*, rounds: int, tiny: bool = False) -> Iterator[Row]:
    """The first call with an empty cache, and then in a new process with what that one left."""
    for name in list(KERNELS)[: 1 if tiny else None]:
        compiled, found = [], []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as cache:
                compiled.append(_first_call(name, cache))
                found.append(_first_call(name, cache))
        yield Row(f"first call, compiled: {name}", Spread.of(compiled), goal=FIRST_CALL_S)
        yield Row(
            f"first call in a new process, from the disk cache: {name}", Spread.of(found), goal=CACHED_CALL_S
        )


def warm_call(*, rounds: int) -> Iterator[Row]:
    """One more call of a kernel that is compiled, arrays of a few elements, to the result."""
    kernel = source.load("textbook/matmul.metal", ["X", "W"], ["Y"])
    x, w = mx.random.normal((2, 3)), mx.random.normal((3, 4))
    mx.eval(x, w)

    def run() -> None:
        mx.eval(
            kernel(
                inputs=[x, w],
                template=[("T", mx.float32)],
                grid=(4, 2, 1),
                threadgroup=(32, 8, 1),
                output_shapes=[(2, 4)],
                output_dtypes=[mx.float32],
            )
        )

    seconds = interleave({"ours": run}, rounds=rounds)["ours"]
    yield Row("warm call, tiny arrays", Spread.of(seconds), goal=WARM_CALL_S)
