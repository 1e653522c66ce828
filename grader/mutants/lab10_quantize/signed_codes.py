"""Signed codes of four bits, without the 8."""

from __future__ import annotations

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "two-s-complement"


class Wrong(Quantize):
    def packed(self, q):
        return super().packed(q - 8 & 15)


answer = Wrong()
