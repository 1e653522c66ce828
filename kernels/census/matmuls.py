"""From a model's configuration to its matmuls: shapes, calls, operations, bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kernels.census.models import Config


@dataclass(frozen=True)
class Matmul:
    """Y[rows, N] = X[rows, K] · W[K, N], once in each of `layers` layers.

    held: how many weight matrices of this kind a layer has; chosen: how many of them each token uses. Both
    are 1 but for experts. last_only: computed for the last token alone, whatever the prompt's length.
    """

    name: str
    k: int
    n: int
    layers: int
    held: int = 1
    chosen: int = 1
    last_only: bool = False

    @property
    def parameters(self) -> int:
        """Weights of all layers and experts."""
        return self.layers * self.held * self.k * self.n

    def rows(self, tokens: int) -> int:
        """Rows of X in a layer, over all its experts."""
        return self.chosen * (1 if self.last_only else tokens)

    def calls(self, tokens: int) -> int:
        """Products of two matrices in a forward pass. Of experts, as many as `tokens` can reach at most:
        which they do reach, the router decides."""
        return self.layers * min(self.held, self.rows(tokens))

    def flops(self, tokens: int) -> int:
        """Two for each product of two numbers."""
        return 2 * self.layers * self.rows(tokens) * self.k * self.n

    def bytes(self, tokens: int, size: int = 2) -> int:
        """Bytes that must move: every weight matrix that is used, X in and Y out, once. `size`: bytes of an
        element."""
        numbers = self.calls(tokens) * self.k * self.n
        numbers += self.layers * self.rows(tokens) * (self.k + self.n)
        return size * numbers


def matmuls(config: Config) -> tuple[Matmul, ...]:
    """Every product with weights in a forward pass, in the order in which they are computed.

    Args:
        config: values by their names in `config.json`, as in `MODELS`. Without `head_dim`, the heads share
        `hidden_size`. A mixture of experts has `num_local_experts` or `num_experts`, and
        `num_experts_per_tok`; its experts are `moe_intermediate_size` wide where that is given.

    Returns:
        q, k, v, o; router, where there are experts; gate, up, down; head.

    Raises:
        ValueError: a value is missing or is no positive whole number.
    """

    def value(*names: str) -> int:
        for name in names:
            if name in config:
                number = config[name]
                if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                    raise ValueError(f"config[{name!r}] is {number!r}; it must be a whole number above 0.")
                return number
        raise ValueError(f"config has no {' or '.join(map(repr, names))}; its keys are {sorted(config)}.")

    hidden, layers, heads = value("hidden_size"), value("num_hidden_layers"), value("num_attention_heads")
    head = value("head_dim") if "head_dim" in config else hidden // heads
    q, kv = heads * head, value("num_key_value_heads") * head
    router: tuple[Matmul, ...] = ()
    held = chosen = 1
    inner = value("intermediate_size")
    if "num_local_experts" in config or "num_experts" in config:
        held, chosen = value("num_local_experts", "num_experts"), value("num_experts_per_tok")
        inner = value("moe_intermediate_size", "intermediate_size")
        router = (Matmul("router", hidden, held, layers),)
    return (
        Matmul("q", hidden, q, layers),
        Matmul("k", hidden, kv, layers),
        Matmul("v", hidden, kv, layers),
        Matmul("o", q, hidden, layers),
        *router,
        Matmul("gate", hidden, inner, layers, held, chosen),
        Matmul("up", hidden, inner, layers, held, chosen),
        Matmul("down", inner, hidden, layers, held, chosen),
        Matmul("head", hidden, value("vocab_size"), 1, last_only=True),
    )


def census(config: Config, tokens: int, size: int = 2) -> dict[str, Mapping[str, float]]:
    """The numbers of every matmul of a forward pass, and their total.

    Args:
        config: as for `matmuls`.
        tokens: rows of X: 1 in decode, the prompt's length in prefill.
        size: bytes of an element.

    Returns:
        {"q": {"K", "N", "calls", "flops", "bytes"}, …, "total": {"calls", "flops", "bytes", "intensity"}}.

    Raises:
        ValueError: as `matmuls`, or there is no token.
    """
    if tokens < 1:
        raise ValueError(f"tokens is {tokens}; it must be at least 1.")
    found: dict[str, Mapping[str, float]] = {}
    total = {"calls": 0, "flops": 0, "bytes": 0}
    for each in matmuls(config):
        counts = {
            "calls": each.calls(tokens),
            "flops": each.flops(tokens),
            "bytes": each.bytes(tokens, size),
        }
        found[each.name] = {"K": each.k, "N": each.n, **counts}
        total = {name: total[name] + counts[name] for name in total}
    found["total"] = {**total, "intensity": total["flops"] / total["bytes"]}
    return found
