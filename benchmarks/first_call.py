"""``python -m benchmarks.first_call NAME``: seconds from a kernel's first call in this process to its result.

What a program imports anyway (MLX, anymetal, kernels) is imported before the clock starts, and the arrays
are there. What the first call itself has to load counts. A fresh ANYMETAL_CACHE makes it compile; a second
process with the same folder finds the result there.
"""

from __future__ import annotations

import json
import sys
import time

import mlx.core as mx

import anymetal
from kernels import gemm, gemv

KERNELS = {"simd-gemv": gemv.simd, "tiled-gemm": gemm.tiled, "mma-gemm": gemm.mma}


def main(name: str) -> None:
    """Prints the seconds as JSON."""
    anymetal.install()
    x, w = mx.random.normal((1, 64)), mx.random.normal((64, 64))
    mx.eval(x, w)
    start = time.perf_counter()
    mx.eval(KERNELS[name](x, w))
    print(json.dumps(time.perf_counter() - start))


if __name__ == "__main__":
    main(sys.argv[1])
