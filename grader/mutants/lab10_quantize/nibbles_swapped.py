"""The first half of a block goes into the high nibbles."""

from __future__ import annotations

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "nibbles-swapped"


class Wrong(Quantize):
    def packed(self, q):
        return q[..., :16] << 4 | q[..., 16:]


answer = Wrong()
