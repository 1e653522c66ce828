"""Lab 01: a census of a model's matmuls, from its configuration.

The right answer is worked out here once more, in NumPy and by another road than `kernels.census`: a table
with a row for each matmul, and columns that are multiplied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from grader.question import Mistake, Question, Trial
from kernels.census import MODELS

Config = Mapping[str, Any]
Answer = Mapping[str, Mapping[str, Any]]
SIZE = 2
COUNTS = ("calls", "flops", "bytes")


def _widths(config: Config) -> tuple[int, int, int, int, int, int]:
    """hidden, of all query heads, of all key heads, of an MLP or expert, experts held, experts chosen."""
    head = config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])
    held = config.get("num_local_experts", config.get("num_experts", 1))
    return (
        config["hidden_size"],
        config["num_attention_heads"] * head,
        config["num_key_value_heads"] * head,
        config.get("moe_intermediate_size", config["intermediate_size"]),
        held,
        config.get("num_experts_per_tok", 1),
    )


def expected(config: Config, tokens: int) -> dict[str, dict[str, Any]]:
    """What a right `census(config, tokens)` returns."""
    hidden, queries, keys, inner, held, chosen = _widths(config)
    layers = config["num_hidden_layers"]
    # K, N, layers, matrices held, rows of X in a layer
    table = {
        "q": (hidden, queries, layers, 1, tokens),
        "k": (hidden, keys, layers, 1, tokens),
        "v": (hidden, keys, layers, 1, tokens),
        "o": (queries, hidden, layers, 1, tokens),
        "router": (hidden, held, layers, 1, tokens),
        "gate": (hidden, inner, layers, held, tokens * chosen),
        "up": (hidden, inner, layers, held, tokens * chosen),
        "down": (inner, hidden, layers, held, tokens * chosen),
        "head": (hidden, config["vocab_size"], 1, 1, 1),
    }
    if held == 1:
        del table["router"]
    k, n, depth, kept, rows = np.array(list(table.values()), np.int64).T
    columns = {"K": k, "N": n, "calls": depth * np.minimum(kept, rows), "flops": 2 * depth * rows * k * n}
    columns["bytes"] = SIZE * (columns["calls"] * k * n + depth * rows * (k + n))
    found: dict[str, dict[str, Any]] = {
        name: {key: int(column[place]) for key, column in columns.items()} for place, name in enumerate(table)
    }
    total: dict[str, Any] = {count: int(columns[count].sum()) for count in COUNTS}
    total["intensity"] = total["flops"] / total["bytes"]
    return {**found, "total": total}


# --- mistakes that people make --------------------------------------------------------------------

Change = Callable[[Config, int, str, dict[str, Any]], Mapping[str, Any] | None]


def _with(**changed: Callable[[Config], Any]) -> Callable[[Config, int], Answer]:
    """The shapes that a census gives when it takes other values from the configuration."""

    def result(config: Config, tokens: int) -> Answer:
        other = {**config, **{name: value(config) for name, value in changed.items()}}
        return _only(expected(other, tokens), "K", "N")

    return result


def _only(answer: Answer, *names: str) -> Answer:
    return {each: {name: row[name] for name in names if name in row} for each, row in answer.items()}


def _each(change: Change) -> Callable[[Config, int], Answer]:
    """What `change` makes of each matmul's row; it returns the wrong values, or None to leave the row out."""

    def result(config: Config, tokens: int) -> Answer:
        found = {}
        for name, row in expected(config, tokens).items():
            wrong = None if name == "total" else change(config, tokens, name, row)
            if wrong is not None:
                found[name] = wrong
        return found

    return result


EXPERTS = ("gate", "up", "down")


def _turned(_c: Config, _t: int, _name: str, row: dict[str, Any]) -> Mapping[str, Any]:
    return {"K": row["N"], "N": row["K"]}


def _o_turned(_c: Config, _t: int, name: str, row: dict[str, Any]) -> Mapping[str, Any] | None:
    return {"K": row["N"], "N": row["K"]} if name == "o" else None


def _down_turned(_c: Config, _t: int, name: str, row: dict[str, Any]) -> Mapping[str, Any] | None:
    return {"K": row["N"], "N": row["K"]} if name == "down" else None


def _experts_per_token(config: Config, tokens: int, name: str, row: dict[str, Any]) -> Any:
    """As many calls as experts are chosen, whatever the number of tokens."""
    layers = config["num_hidden_layers"]
    return {"calls": layers * config.get("num_experts_per_tok", 1)} if name in EXPERTS else None


def _all_experts(config: Config, _t: int, name: str, row: dict[str, Any]) -> Any:
    return {"calls": config["num_hidden_layers"] * _widths(config)[4]} if name in EXPERTS else None


def _one_expert(config: Config, _t: int, name: str, row: dict[str, Any]) -> Any:
    return {"calls": config["num_hidden_layers"]} if name in EXPERTS else None


def _one_choice(config: Config, tokens: int, name: str, row: dict[str, Any]) -> Any:
    """As many calls as there are tokens, up to the number of experts."""
    calls = config["num_hidden_layers"] * min(_widths(config)[4], tokens)
    return {"calls": calls} if name in EXPERTS else None


def _unbounded(config: Config, tokens: int, name: str, row: dict[str, Any]) -> Any:
    return {"calls": config["num_hidden_layers"] * tokens * _widths(config)[5]} if name in EXPERTS else None


def _one_layer(_c: Config, _t: int, _name: str, row: dict[str, Any]) -> Any:
    return {"calls": 1}


def _head_everywhere(config: Config, _t: int, name: str, row: dict[str, Any]) -> Any:
    return {"calls": config["num_hidden_layers"]} if name == "head" else None


def _head_all_rows(_c: Config, tokens: int, name: str, row: dict[str, Any]) -> Any:
    return {"flops": row["flops"] * tokens} if name == "head" else None


def _multiply_adds(_c: Config, _t: int, _name: str, row: dict[str, Any]) -> Any:
    return {"flops": row["flops"] // 2}


def _flops_of_one_row(_c: Config, _t: int, _name: str, row: dict[str, Any]) -> Any:
    return {"flops": 2 * row["calls"] * row["K"] * row["N"]}


def _flops_by_calls(_c: Config, tokens: int, name: str, row: dict[str, Any]) -> Any:
    """All tokens through every expert that is reached."""
    rows = 1 if name == "head" else tokens
    return {"flops": 2 * row["calls"] * rows * row["K"] * row["N"]}


def _elements(_c: Config, _t: int, _name: str, row: dict[str, Any]) -> Any:
    return {"bytes": row["bytes"] // SIZE}


def _weights_only(_c: Config, _t: int, _name: str, row: dict[str, Any]) -> Any:
    return {"bytes": SIZE * row["calls"] * row["K"] * row["N"]}


def _weights_per_token(_c: Config, _t: int, _name: str, row: dict[str, Any]) -> Any:
    """Each row of X brings its own weights."""
    rows = row["flops"] // (2 * row["K"] * row["N"])
    return {"bytes": SIZE * rows * (row["K"] * row["N"] + row["K"] + row["N"])}


def _without(part: str) -> Change:
    """Bytes without X, or without Y."""

    def change(_c: Config, _t: int, _name: str, row: dict[str, Any]) -> Any:
        rows = row["flops"] // (2 * row["K"] * row["N"])
        return {"bytes": row["bytes"] - SIZE * rows * row[part]}

    return change


def _x_once_a_call(config: Config, tokens: int, name: str, row: dict[str, Any]) -> Any:
    """Every expert reads all of X and writes all of Y."""
    if name not in EXPERTS:
        return None
    return {"bytes": SIZE * row["calls"] * (row["K"] * row["N"] + tokens * (row["K"] + row["N"]))}


def _mean_intensity(config: Config, tokens: int) -> Answer:
    rows = [row for name, row in expected(config, tokens).items() if name != "total"]
    return {"total": {"intensity": float(np.mean([row["flops"] / row["bytes"] for row in rows]))}}


def _upside_down(config: Config, tokens: int) -> Answer:
    total = expected(config, tokens)["total"]
    return {"total": {"intensity": total["bytes"] / total["flops"]}}


def _whole_intensity(config: Config, tokens: int) -> Answer:
    total = expected(config, tokens)["total"]
    return {"total": {"intensity": total["flops"] // total["bytes"]}}


def _without_head(config: Config, tokens: int) -> Answer:
    answer = expected(config, tokens)
    total = {count: answer["total"][count] - answer["head"][count] for count in COUNTS}
    return {"total": total}


def _without_tied_head(config: Config, tokens: int) -> Answer | None:
    return _without_head(config, tokens) if config["tie_word_embeddings"] else None


SHAPE = (
    "W is [K, N]: K is as long as a row of X, N as a row of Y. Write down what goes in and what comes out."
)
MISTAKES = (
    Mistake(
        "kv-heads",
        "k and v have `num_key_value_heads` heads, not `num_attention_heads`: your {where} is {got}, it is "
        "{want}.",
        "Several query heads share one head of keys and of values. N of k and v is "
        "`num_key_value_heads` · the width of a head.",
        _with(num_key_value_heads=lambda config: config["num_attention_heads"]),
    ),
    Mistake(
        "head-dim",
        "the configuration gives `head_dim`, and your heads share `hidden_size`: your {where} is {got}, it "
        "is {want}.",
        "`config.get('head_dim', …)`: the value where there is one, "
        "`hidden_size // num_attention_heads` where there is none.",
        _with(head_dim=lambda config: config["hidden_size"] // config["num_attention_heads"]),
    ),
    Mistake(
        "head-of-128",
        "a head is not always 128 wide: your {where} is {got}, it is {want}.",
        "`config.get('head_dim', …)`: the value where there is one, "
        "`hidden_size // num_attention_heads` where there is none.",
        _with(head_dim=lambda config: 128),
    ),
    Mistake(
        "expert-width",
        "an expert is as wide as `moe_intermediate_size` where there is one: your {where} is {got}, it is "
        "{want}.",
        "`intermediate_size` is then the width of a layer without experts, of which there need be none.",
        _with(moe_intermediate_size=lambda config: config["intermediate_size"]),
    ),
    Mistake("turned", "every K and N have changed places: your {where} is {got}, it is {want}.", SHAPE,
            _each(_turned)),
    Mistake(
        "down-turned",
        "down takes an MLP's inside back to `hidden_size`: your {where} is {got}, it is {want}.",
        SHAPE,
        _each(_down_turned),
    ),
    Mistake(
        "o-turned",
        "o takes what the heads give back to `hidden_size`: your {where} is {got}, it is {want}.",
        SHAPE,
        _each(_o_turned),
    ),
    Mistake(
        "one-layer",
        "every layer has weights of its own: your {where} is {got}, it is {want}.",
        "`calls` counts the whole forward pass: `num_hidden_layers` times, but for the head.",
        _each(_one_layer),
    ),
    Mistake(
        "head-everywhere",
        "the head comes once, after the last layer: your {where} is {got}, it is {want}.",
        "`calls` of the head is 1.",
        _each(_head_everywhere),
    ),
    Mistake(
        "all-experts",
        "a token uses `num_experts_per_tok` experts, not all that there are: your {where} is {got}, it is "
        "{want}.",
        "A layer uses at most as many experts as its tokens can choose, and no more than it has.",
        _each(_all_experts),
    ),
    Mistake(
        "one-expert",
        "each token uses several experts, and each is a matmul: your {where} is {got}, it is {want}.",
        "With one token, a layer calls `num_experts_per_tok` experts.",
        _each(_one_expert),
    ),
    Mistake(
        "one-choice",
        "each token chooses `num_experts_per_tok` experts: your {where} is {got}, it is {want}.",
        "A layer has tokens · `num_experts_per_tok` rows for its experts, and calls as many of them as these "
        "can reach.",
        _each(_one_choice),
    ),
    Mistake(
        "experts-of-one-token",
        "several tokens reach more experts than one: your {where} is {got}, it is {want}.",
        "Let each token choose others: tokens · `num_experts_per_tok`, until all are in use.",
        _each(_experts_per_token),
    ),
    Mistake(
        "more-experts-than-there-are",
        "a layer cannot call more experts than it has: your {where} is {got}, it is {want}.",
        "The smaller of the two: what the tokens choose, and what there is.",
        _each(_unbounded),
    ),
    Mistake(
        "multiply-adds",
        "a multiply and an add are two operations: your {where} is {got}, it is {want}.",
        "2 · rows · K · N.",
        _each(_multiply_adds),
    ),
    Mistake(
        "rows-forgotten",
        "every row of X is multiplied: your {where} is {got}, it is {want}.",
        "2 · rows · K · N, where an ordinary matmul has a row for each token.",
        _each(_flops_of_one_row),
    ),
    Mistake(
        "head-of-every-token",
        "only the last token's row meets the head: your {where} is {got}, it is {want}.",
        "The next token follows from the last row. The rows before it need no logits.",
        _each(_head_all_rows),
    ),
    Mistake(
        "every-token-everywhere",
        "a token goes through the experts that it chose and no others: your {where} is {got}, it is {want}.",
        "Over all experts of a layer, the rows add up to tokens · `num_experts_per_tok`.",
        _each(_flops_by_calls),
    ),
    Mistake(
        "elements",
        "that is the number of elements; each has two bytes: your {where} is {got}, it is {want}.",
        "Multiply by the bytes of an element.",
        _each(_elements),
    ),
    Mistake(
        "weights-only",
        "X comes in and Y goes out, too: your {where} is {got}, it is {want}.",
        "Bytes of W for each call, and K + N elements for each row.",
        _each(_weights_only),
    ),
    Mistake(
        "weights-of-every-token",
        "the weights need to come once for all rows: your {where} is {got}, it is {want}.",
        "K · N elements for each call, however many rows it has. That is what a prompt gains.",
        _each(_weights_per_token),
    ),
    Mistake(
        "x-forgotten", "X comes in, too: your {where} is {got}, it is {want}.", "K elements for each row.",
        _each(_without("K")),
    ),
    Mistake(
        "y-forgotten", "Y goes out, too: your {where} is {got}, it is {want}.", "N elements for each row.",
        _each(_without("N")),
    ),
    Mistake(
        "x-of-every-expert",
        "an expert reads the rows of the tokens that chose it, not all: your {where} is {got}, it is {want}.",
        "Over all experts of a layer, the rows add up to tokens · `num_experts_per_tok`.",
        _each(_x_once_a_call),
    ),
    Mistake(
        "head-left-out",
        "the total includes the head: your {where} is {got}, it is {want}.",
        "Add up every row of your table.",
        _without_head,
    ),
    Mistake(
        "tied-head",
        "a head that shares the embedding table is a matmul as well: your {where} is {got}, it is {want}.",
        "`tie_word_embeddings` saves memory, not work: the table is read as W.",
        _without_tied_head,
    ),
    Mistake(
        "mean-of-intensities",
        "the mean of the intensities is not the intensity of the whole: your {where} is {got}, it is {want}.",
        "All operations over all bytes.",
        _mean_intensity,
    ),
    Mistake(
        "upside-down",
        "intensity is operations a byte, not bytes an operation: your {where} is {got}, it is {want}.",
        "flops / bytes.",
        _upside_down,
    ),
    Mistake(
        "rounded-down",
        "`//` throws away what is behind the point: your {where} is {got}, it is {want}.",
        "flops / bytes.",
        _whole_intensity,
    ),
)  # fmt: skip


# --- trials ---------------------------------------------------------------------------------------


def _trial(name: str, tokens: int) -> Trial:
    return Trial(_about(name, tokens), (dict(MODELS[name].config), tokens))


def _about(name: str, tokens: int) -> str:
    return f"{name} and {tokens} token{'' if tokens == 1 else 's'}"


def _made_up(experts: bool) -> Callable[[np.random.Generator], Trial]:
    """A model that nobody published, so that no table learnt by heart knows it."""

    def draw(rng: np.random.Generator) -> Trial:
        groups, keys, head = (int(rng.integers(low, high)) for low, high in ((2, 6), (2, 5), (40, 200)))
        config: dict[str, Any] = {
            "hidden_size": groups * keys * int(rng.integers(20, 90)),
            "intermediate_size": int(rng.integers(500, 9000)),
            "num_hidden_layers": int(rng.integers(3, 50)),
            "num_attention_heads": groups * keys,
            "num_key_value_heads": keys,
            "vocab_size": int(rng.integers(1000, 90000)),
            "tie_word_embeddings": bool(rng.integers(2)),
        }
        if experts:
            config |= {
                "num_experts": int(rng.integers(9, 40)),
                "num_experts_per_tok": int(rng.integers(2, 5)),
                "moe_intermediate_size": int(rng.integers(100, 400)),
                "head_dim": head,
            }
        tokens = int(rng.integers(2, 9))
        values = ", ".join(f"{name} = {value}" for name, value in config.items())
        return Trial(_about(f"a made-up model ({values})", tokens), (config, tokens), drawn=True)

    return draw


QUESTIONS = (
    Question(
        lab="01",
        name="",
        title="a census of matmuls",
        asks="function",
        arguments=("config", "tokens"),
        cases=(
            # No grouped heads, no head_dim, no experts: the plain case first.
            _trial("Llama 2 7B", 1),
            _trial("Llama 2 7B", 512),
            _trial("Llama 3 8B", 1),
            _trial("Mistral 7B", 37),
            _trial("Qwen3 4B", 1),
            _trial("Qwen3 8B", 2048),
            _trial("Mixtral 8x7B", 1),
            _trial("Mixtral 8x7B", 3),
            _trial("Mixtral 8x7B", 512),
            _trial("Qwen3 30B-A3B", 1),
            _trial("Qwen3 30B-A3B", 11),
            _trial("Qwen3 30B-A3B", 4096),
        ),
        drawn=(_made_up(experts=False), _made_up(experts=True)),
        expected=expected,
        mistakes=MISTAKES,
        praise="every shape, call, operation and byte, of published models and of models made up for the "
        "occasion, in decode and in prefill.",
        steps=(
            "Begin with Llama 2 7B and one token. Write down for each matmul what goes in and what comes "
            "out: q takes `hidden_size` numbers to `num_attention_heads` · 128.",
            "The width of a head is `config.get('head_dim', hidden_size // num_attention_heads)`. q makes "
            "`num_attention_heads` of them, k and v `num_key_value_heads` each, and o takes q's width back.",
            "Three numbers decide the rest: in how many layers the matmul occurs, how many rows X has in a "
            "layer, and how many weight matrices those rows meet there. Over all layers: calls = layers · "
            "matrices; flops = 2 · layers · rows · K · N; bytes = 2 · layers · (matrices · K · N + rows · "
            "(K + N)).",
            "For experts, rows are tokens · `num_experts_per_tok`, and matrices are the smaller of that and "
            "of the number of experts. The head has one row, one matrix and one layer.",
        ),
        hints={
            "always-the-same": "Take every number from `config` and `tokens`.",
        },
    ),
)
