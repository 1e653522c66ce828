"""k and v get as many heads as q."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "kv-heads"


class KvHeads(Census):
    def kv_heads(self, config):
        return config["num_attention_heads"]


answer = KvHeads()
