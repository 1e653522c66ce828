"""A code of 16 runs over into the other nibble."""

from __future__ import annotations

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "not-clipped"


class Wrong(Quantize):
    def limited(self, codes):
        return codes


answer = Wrong()
