"""A multiply-add is counted as one operation."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "multiply-adds"


class MultiplyAdds(Census):
    def flops(self, config, tokens, name, k, n):
        return super().flops(config, tokens, name, k, n) // 2


answer = MultiplyAdds()
