"""A block of zeros gets the scale +0."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "zero-sign"


class Wrong(Quantize):
    def scales(self, blocks):
        return super().scales(blocks) + np.float32(0)


answer = Wrong()
