"""Codes are made with the scale that was rounded to a half."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "rounded-scale"


class Wrong(Quantize):
    def divisors(self, d):
        return d.astype(np.float16).astype(np.float32)


answer = Wrong()
