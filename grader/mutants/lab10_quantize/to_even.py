"""Halves between two codes go to the even one."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "to-even"


class Wrong(Quantize):
    def rounded(self, codes):
        return np.rint(codes)


answer = Wrong()
