"""Elements are counted, not bytes."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "elements"


class Elements(Census):
    def bytes(self, config, tokens, name, k, n):
        return super().bytes(config, tokens, name, k, n) // 2


answer = Elements()
