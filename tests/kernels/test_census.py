"""The census against two things that cannot share its mistakes: published totals, and a model that runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernels.census import MODELS, census, matmuls


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_with_embeddings_and_norms_the_weights_are_all_published_parameters(model: Any) -> None:
    config = model.config
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    # Two norms a layer and one at the end; Qwen3 also norms each head of q and of k.
    norms = (2 * layers + 1) * hidden
    if model.name.startswith("Qwen3"):
        norms += 2 * layers * config["head_dim"]
    # Tied, the head's weights are the embedding table itself.
    table = 0 if config["tie_word_embeddings"] else config["vocab_size"] * hidden
    assert sum(each.parameters for each in matmuls(config)) + norms + table == model.parameters


class Counting:
    """Stands in for `x @ w` and writes down what it does."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.seen: dict[str, dict[str, int]] = {}

    def __call__(self, name: str, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        y = x @ w
        row = self.seen.setdefault(
            name, {"K": w.shape[0], "N": w.shape[1], "calls": 0, "flops": 0, "bytes": 0}
        )
        row["calls"] += 1
        row["flops"] += y.size * (x.shape[1] + x.shape[1])
        row["bytes"] += self.size * (x.size + w.size + y.size)
        return y


def run(config: dict[str, int], tokens: int, size: int) -> dict[str, dict[str, int]]:
    """A forward pass of random weights, each token with experts of its own as far as there are any."""
    rng = np.random.default_rng(1)
    matmul = Counting(size)

    def weights(k: int, n: int) -> np.ndarray:
        return rng.standard_normal((k, n))

    hidden, heads, kv = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    head = config.get("head_dim", hidden // heads)
    inner = config.get("moe_intermediate_size", config["intermediate_size"])
    experts = config.get("num_experts", config.get("num_local_experts", 0))
    x = rng.standard_normal((tokens, hidden))
    for _ in range(config["num_hidden_layers"]):
        q = matmul("q", x, weights(hidden, heads * head))
        for name in "kv":
            matmul(name, x, weights(hidden, kv * head))
        x = matmul("o", q, weights(heads * head, hidden))
        rows = {0: list(range(tokens))}
        if experts:
            matmul("router", x, weights(hidden, experts))
            rows = {}
            for place in range(tokens * config["num_experts_per_tok"]):
                rows.setdefault(place % experts, []).append(place % tokens)
        for mine in rows.values():
            gate = matmul("gate", x[mine], weights(hidden, inner))
            up = matmul("up", x[mine], weights(hidden, inner))
            matmul("down", gate * up, weights(inner, hidden))
    matmul("head", x[-1:], weights(hidden, config["vocab_size"]))
    return matmul.seen


SMALL = {
    "hidden_size": 12,
    "intermediate_size": 20,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 31,
}
CONFIGS = {
    "plain": SMALL,
    "own head_dim": SMALL | {"head_dim": 5},
    "experts": SMALL | {"num_local_experts": 5, "num_experts_per_tok": 2},
    "narrow experts": SMALL | {"num_experts": 7, "num_experts_per_tok": 3, "moe_intermediate_size": 6},
}


@pytest.mark.parametrize("tokens", [1, 2, 9])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_numbers_are_those_of_a_model_that_runs(name: str, tokens: int) -> None:
    found: dict[str, Any] = census(CONFIGS[name], tokens, size=4)
    total = found.pop("total")
    assert found == run(CONFIGS[name], tokens, 4)
    for count in ("calls", "flops", "bytes"):
        assert total[count] == sum(each[count] for each in found.values())
    assert total["intensity"] == total["flops"] / total["bytes"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden_size": 0}, "'hidden_size'"),
        ({"vocab_size": True}, "'vocab_size'"),
        ({"num_experts": 4}, "'num_experts_per_tok'"),
    ],
)
def test_a_configuration_that_lacks_something_is_named(change: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        matmuls(SMALL | change)
    with pytest.raises(ValueError, match="'hidden_size'"):
        matmuls({})
    with pytest.raises(ValueError, match="tokens is 0"):
        census(SMALL, 0)
