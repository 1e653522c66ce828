"""The book's own function quantizes."""

from __future__ import annotations

import numpy as np

from kernels.quantized import q4_0

CAUSE = "reference-called"


def answer(w):
    return np.array(q4_0.quantize(w).blocks)
