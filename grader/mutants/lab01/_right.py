"""A right census, in pieces: most mutants get one of them wrong."""

from __future__ import annotations

EXPERTS = ("gate", "up", "down")


class Census:
    def head_dim(self, config):
        return config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])

    def kv_heads(self, config):
        return config["num_key_value_heads"]

    def held(self, config):
        return config.get("num_experts", config.get("num_local_experts", 1))

    def chosen(self, config):
        return config.get("num_experts_per_tok", 1)

    def inner(self, config):
        return config.get("moe_intermediate_size", config["intermediate_size"])

    def shapes(self, config):
        hidden = config["hidden_size"]
        q = config["num_attention_heads"] * self.head_dim(config)
        kv = self.kv_heads(config) * self.head_dim(config)
        found = {"q": (hidden, q), "k": (hidden, kv), "v": (hidden, kv), "o": (q, hidden)}
        if self.held(config) > 1:
            found["router"] = (hidden, self.held(config))
        inner = self.inner(config)
        found |= {"gate": (hidden, inner), "up": (hidden, inner), "down": (inner, hidden)}
        return found | {"head": (hidden, config["vocab_size"])}

    def layers(self, config, name):
        return 1 if name == "head" else config["num_hidden_layers"]

    def rows(self, config, tokens, name):
        if name == "head":
            return 1
        return tokens * self.chosen(config) if name in EXPERTS else tokens

    def calls(self, config, tokens, name):
        if name not in EXPERTS:
            return self.layers(config, name)
        return self.layers(config, name) * min(self.held(config), tokens * self.chosen(config))

    def flops(self, config, tokens, name, k, n):
        return 2 * self.layers(config, name) * self.rows(config, tokens, name) * k * n

    def bytes(self, config, tokens, name, k, n):
        activations = self.layers(config, name) * self.rows(config, tokens, name) * (k + n)
        return 2 * (self.calls(config, tokens, name) * k * n + activations)

    def total(self, rows):
        total = {name: sum(row[name] for row in rows.values()) for name in ("calls", "flops", "bytes")}
        return total | {"intensity": total["flops"] / total["bytes"]}

    def __call__(self, config, tokens):
        rows = {}
        for name, (k, n) in self.shapes(config).items():
            rows[name] = {
                "K": k,
                "N": n,
                "calls": self.calls(config, tokens, name),
                "flops": self.flops(config, tokens, name, k, n),
                "bytes": self.bytes(config, tokens, name, k, n),
            }
        return rows | {"total": self.total(rows)}
