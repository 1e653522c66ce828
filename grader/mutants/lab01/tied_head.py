"""The head is left out of the total where it shares the embedding table."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "tied-head"


class TiedHead(Census):
    def __call__(self, config, tokens):
        found = super().__call__(config, tokens)
        if config["tie_word_embeddings"]:
            rows = {name: row for name, row in found.items() if name not in ("head", "total")}
            found["total"] = self.total(rows)
        return found


answer = TiedHead()
