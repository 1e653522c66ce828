"""Every token of a prompt gets its logits."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "head-of-every-token"


class HeadOfEveryToken(Census):
    def rows(self, config, tokens, name):
        return tokens if name == "head" else super().rows(config, tokens, name)


answer = HeadOfEveryToken()
