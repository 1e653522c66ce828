"""The scale is made of the largest element, and not of the largest magnitude."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "sign-lost"


class Wrong(Quantize):
    def scales(self, blocks):
        return blocks.max(axis=-1, keepdims=True) / np.float32(-8)


answer = Wrong()
