"""``python -m benchmarks.peers.numba_tiled SIZE``: kernels/gemm/tiled.metal in Numba's CUDA Python, run once.

Prints as JSON the seconds it took and whether the result was right. SIZE is a multiple of 32.
"""

# Numba reads the kernel's globals, so they stand at the top of the module.
import json
import sys
import time

import numpy as np
from numba import cuda, float32

BM, BN, BK = 16, 32, 32


@cuda.jit
def tiled(x, w, y):  # type: ignore[no-untyped-def]
    """Y[M, N] = X[M, K] · W[K, N]; M, N and K are multiples of the tile."""
    j, i = cuda.threadIdx.x, cuda.threadIdx.y
    m0, n0 = cuda.blockIdx.y * BM, cuda.blockIdx.x * BN
    x_tile = cuda.shared.array((BM, BK), float32)
    w_tile = cuda.shared.array((BK, BN), float32)
    total = float32(0)
    for k0 in range(0, x.shape[1], BK):
        for c in range(j, BK, BN):
            x_tile[i, c] = x[m0 + i, k0 + c]
        for r in range(i, BK, BM):
            w_tile[r, j] = w[k0 + r, n0 + j]
        cuda.syncthreads()
        for k in range(BK):
            total += x_tile[i, k] * w_tile[k, j]
        cuda.syncthreads()
    y[m0 + i, n0 + j] = total


def main(size: int) -> None:
    """Runs one product of size³ and prints the report."""
    x, w = np.random.default_rng(size).normal(size=(2, size, size)).astype(np.float32)
    y = np.zeros((size, size), dtype=np.float32)
    start = time.perf_counter()
    tiled[(size // BN, size // BM), (BN, BM)](x, w, y)
    took = time.perf_counter() - start
    right = bool(np.allclose(y, x.astype(np.float64) @ w, rtol=1e-4, atol=1e-4))
    print(json.dumps({"seconds": took, "right": right}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
