"""The operations of one row are counted, however long the prompt."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "rows-forgotten"


class RowsForgotten(Census):
    def flops(self, config, tokens, name, k, n):
        return 2 * self.calls(config, tokens, name) * k * n


answer = RowsForgotten()
