"""Lab 01 as a learner meets it, and censuses written another way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from grader.grading import judged
from grader.labs import task
from grader.question import Question
from tests.labs.states import Lab, graded

LAB = Lab("01_why_matmul")
Config = dict[str, Any]


def test_the_skeleton_is_told_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "your answer has no `q`" in report
    ok, report = graded(LAB.copy(tmp_path, "census-shapes"))
    assert not ok
    assert "your answer has no `q.calls`" in report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('config["num_key_value_heads"] * width', "queries"), "your k.N is 4,096, it is 1,024"),
        (('config.get("head_dim", hidden // config["num_attention_heads"])', "128"), "not always 128 wide"),
        (("min(rows, experts_of(config))", "experts_of(config)"), "not all that there are"),
    ],
)
def test_a_slip_in_the_solution_is_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = LAB.copy(tmp_path, *LAB.to_solve())
    notebook = nbformat.read(path, as_version=4)
    mine = [cell for cell in notebook.cells if change[0] in cell.source]
    assert len(mine) == 1
    mine[0].source = mine[0].source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


def by_adding_up(config: Config, tokens: int) -> dict[str, Any]:
    """Adds up layer by layer, expert by expert, token by token."""
    width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    hidden = config["hidden_size"]
    experts = config.get("num_experts") or config.get("num_local_experts") or 1
    inside = config.get("moe_intermediate_size") or config["intermediate_size"]
    table: dict[str, Any] = {}

    def matmul(name: str, k: int, n: int, rows: int = tokens) -> None:
        row = table.setdefault(name, {"K": k, "N": n, "calls": 0, "flops": 0, "bytes": 0})
        row["calls"] += 1
        row["flops"] += 2 * rows * k * n
        row["bytes"] += 2 * (k * n + rows * (k + n))

    for _ in range(config["num_hidden_layers"]):
        for name, heads in (
            ("q", config["num_attention_heads"]),
            ("k", config["num_key_value_heads"]),
            ("v", config["num_key_value_heads"]),
        ):
            matmul(name, hidden, heads * width)
        matmul("o", config["num_attention_heads"] * width, hidden)
        if experts > 1:
            matmul("router", hidden, experts)
        share = [0] * experts
        for choice in range(tokens * config.get("num_experts_per_tok", 1)):
            share[choice % experts] += 1
        for rows in filter(None, share):
            matmul("gate", hidden, inside, rows)
            matmul("up", hidden, inside, rows)
            matmul("down", inside, hidden, rows)
    matmul("head", hidden, config["vocab_size"], 1)
    total = {name: sum(row[name] for row in table.values()) for name in ("calls", "flops", "bytes")}
    return {**table, "total": {**total, "intensity": total["flops"] / total["bytes"]}}


def by_arrays(config: Config, tokens: int) -> dict[str, Any]:
    """NumPy's integers and floats all through, and a row for what nobody asked for."""
    table = by_adding_up(config, tokens)
    for row in table.values():
        for name in row:
            row[name] = np.float64(row[name]) if name == "intensity" else np.int64(row[name])
    return {**table, "embedding": {"bytes": np.int64(2 * config["hidden_size"])}}


@pytest.mark.parametrize("census", [by_adding_up, by_arrays])
def test_a_right_census_written_another_way_passes(census: Callable[..., Any]) -> None:
    result = judged(task("01"), census, seed=3)
    assert result.passed, str(result)


def test_the_book_s_own_census_is_right_and_refused() -> None:
    from kernels.census import MODELS, census

    assert judged(task("01"), census, seed=1).kind == "reference-called"
    question = task("01")
    assert isinstance(question, Question)
    for model in MODELS.values():
        for tokens in (1, 7, 600):
            assert census(model.config, tokens) == question.expected(dict(model.config), tokens)
