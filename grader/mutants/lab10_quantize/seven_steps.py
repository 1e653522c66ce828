"""Seven steps to each side, as for signed codes without −8."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "seven-steps"


class Wrong(Quantize):
    def scales(self, blocks):
        return np.abs(blocks).max(axis=-1, keepdims=True) / np.float32(7)


answer = Wrong()
