"""The heads share hidden_size, though the configuration says otherwise."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "head-dim"


class HeadDimIgnored(Census):
    def head_dim(self, config):
        return config["hidden_size"] // config["num_attention_heads"]


answer = HeadDimIgnored()
