"""Byte j gets elements 2j and 2j + 1."""

from __future__ import annotations

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "neighbours"


class Wrong(Quantize):
    def packed(self, q):
        return q[..., 0::2] | q[..., 1::2] << 4


answer = Wrong()
