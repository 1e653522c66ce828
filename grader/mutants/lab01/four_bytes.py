"""Elements are taken to have four bytes."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "off-by-a-factor"


class FourBytes(Census):
    def bytes(self, config, tokens, name, k, n):
        return 2 * super().bytes(config, tokens, name, k, n)


answer = FourBytes()
