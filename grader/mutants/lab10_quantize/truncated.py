"""Codes are cut off, not rounded."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "truncated"


class Wrong(Quantize):
    def rounded(self, codes):
        return np.trunc(codes)


answer = Wrong()
