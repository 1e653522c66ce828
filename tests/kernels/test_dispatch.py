"""Choosing: every strategy is right, the default table is near the best by count, and tuning finds what a
clock says."""

from __future__ import annotations

import importlib
import itertools
import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

import kernels
from anymetal.checks import checked
from kernels import dispatch, quantized, tolerance
from kernels.dispatch import DEFAULT, FLOAT, Problem, Rule, Table, memory, strategies, tune, tuning
from kernels.quantized import q4_0
from kernels.quantized.choice import Choice
from kernels.quantized.weights import Weights

from .conftest import Draw

DTYPES = [mx.float32, mx.float16, mx.bfloat16]


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No test sees what is remembered on this machine, nor writes there."""
    path = tmp_path / "table.json"
    monkeypatch.setenv(memory.VARIABLE, str(path))
    dispatch.use(None)
    yield path
    dispatch.use(None)


# --- the product -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: str(d).rsplit(".", 1)[-1])
@pytest.mark.parametrize("m", [1, 3, 7, 13, 21, 65])
def test_matmul_of_floats(m: int, dtype: mx.Dtype, draw: Draw) -> None:
    x, w = draw((m, 67), dtype, seed=1), draw((101, 67), dtype, seed=2)
    y = kernels.matmul(x, w)
    assert tuple(y.shape) == (m, 101)
    assert y.dtype == dtype
    assert tolerance.excess(y, x, w, transposed=True) <= 1


def test_one_row_may_be_flat(draw: Draw) -> None:
    x, w = draw((67,), mx.float32), draw((5, 67), mx.float32)
    y = kernels.matmul(x, w)
    assert tuple(y.shape) == (5,)
    assert tolerance.excess(y, x, w, transposed=True) <= 1


def test_no_rows_at_all() -> None:
    assert tuple(kernels.matmul(mx.zeros((0, 32)), mx.zeros((5, 32))).shape) == (0, 5)


@pytest.mark.parametrize("m", [1, 2, 16])
@pytest.mark.parametrize("name", strategies(FLOAT))
def test_every_strategy_computes_the_product_or_says_what_it_takes(name: str, m: int, draw: Draw) -> None:
    x, w = draw((m, 40), mx.float32, seed=3), draw((37, 40), mx.float32, seed=4)
    strategy = strategies(FLOAT)[name]
    if strategy.refuses(Problem(m, 37, 40)):
        assert m > 1
    else:
        assert tolerance.excess(strategy.run(x, w), x, w, transposed=True) <= 1


# --- what it says ----------------------------------------------------------------------------------


def test_explain_names_the_kernel_and_the_reason() -> None:
    x, w = mx.ones((4, 64)), mx.ones((40, 64))
    says = kernels.explain(x, w)
    assert says.startswith("M = 4, N = 40, K = 64, float weights, x in float32: batched GEMV, because ")
    assert says.endswith("few rows share each weight in registers.")


def test_a_rule_whose_strategy_refuses_is_passed_over_and_named() -> None:
    table = Table((Rule("batched", "we like it"), Rule("square", "it is there")))
    x, w = mx.ones((20, 8)), mx.ones((3, 8))
    assert kernels.explain(x, w, table=table).endswith(
        "GEMM by tiles of 32 × 32, because it is there. batched was passed over: it takes at most 16 rows."
    )
    assert np.array_equal(np.array(kernels.matmul(x, w, table=table)), np.full((20, 3), 8))


def test_the_table_in_use_can_be_changed() -> None:
    dispatch.use(DEFAULT.with_first(Rule("large", "a whim", m=(4, 4))))
    w = mx.ones((40, 64))
    assert "because a whim" in kernels.explain(mx.ones((4, 64)), w)
    assert "because a whim" not in kernels.explain(mx.ones((5, 64)), w)


def test_a_table_prints_its_rules_in_words() -> None:
    table = Table(
        (
            Rule("low", "so", m=(6, 8), n=(96, None), formats=(FLOAT,)),
            Rule("rows", "thus", m=(1, 1), k=(None, 9), dtypes=("float16",), formats=(FLOAT,)),
            Rule("own", "else"),
        )
    )
    assert str(table).splitlines() == [
        "float:",
        "  6 ≤ M ≤ 8, N ≥ 96      low   so",
        "  M = 1, K ≤ 9, float16  rows  thus",
        "every format:",
        "  always                 own   else",
    ]


@pytest.mark.parametrize(
    ("x", "w", "error", "words"),
    [
        (mx.ones((2, 3)), np.ones((4, 3)), TypeError, "w is a ndarray"),
        ([1.0], mx.ones((4, 3)), TypeError, "x is a list"),
        (mx.ones((2, 5)), mx.ones((4, 3)), ValueError, "needs K = 5"),
        (mx.ones((2, 3), dtype=mx.float16), mx.ones((4, 3)), ValueError, "the same dtype"),
        (mx.ones((1, 2, 3)), mx.ones((4, 3)), ValueError, "shape [M, K]"),
    ],
)
def test_errors(x: mx.array, w: mx.array, error: type[Exception], words: str) -> None:
    for function in (kernels.matmul, kernels.explain):
        with pytest.raises(error, match=words.replace("[", r"\[")):
            function(x, w)


def test_a_table_without_an_answer_says_so() -> None:
    x, w = mx.ones((20, 8)), mx.ones((3, 8))
    with pytest.raises(ValueError, match="no rule of the table decides for M = 20"):
        kernels.matmul(x, w, table=Table(()))
    with pytest.raises(ValueError, match="names 'fast'; for float weights there are simd, "):
        kernels.matmul(x, w, table=Table((Rule("fast", "why not"),)))
    with pytest.raises(ValueError, match="the least must not be above the most"):
        Rule("low", "", m=(3, 2))


# --- by count --------------------------------------------------------------------------------------


@cache
def asked(name: str, m: int, n: int, k: int) -> int:
    """Bytes that lanes ask of buffers and of threadgroup memory. The shapes' own numbers left out."""
    x, w = mx.ones((m, k)), mx.ones((n, k))
    with checked() as report:
        mx.eval(strategies(FLOAT)[name].run(x, w))
    counters = report.counters
    buffers = [buffer for name, buffer in counters.buffers.items() if not name.endswith("_shape")]
    return sum(each.bytes_read + each.bytes_written for each in (*buffers, counters.threadgroup))


@pytest.mark.parametrize("n", [5, 40, 130, 200])
@pytest.mark.parametrize("m", [1, 2, 5, 6, 8, 9, 12, 14, 16, 17, 33, 100])
def test_the_default_table_asks_for_at_most_115_per_cent_of_the_best(m: int, n: int) -> None:
    problem = Problem(m, n, 64)
    there = strategies(FLOAT)
    counts = {name: asked(name, m, n, 64) for name in there if not there[name].refuses(problem)}
    chosen = dispatch.decide(problem, DEFAULT).rule.strategy
    assert counts[chosen] <= 1.15 * min(counts.values()), counts


# --- by clock --------------------------------------------------------------------------------------


def scripted(cost: Callable[[str, Problem], float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``tune`` see times that a formula gives: what it makes of them can then be foretold."""

    def times(problem: Problem, *_: object) -> dict[str, float]:
        there = strategies(problem.format)
        return {
            name: cost(name, problem)
            for name, strategy in there.items()
            if name != "own" and not strategy.refuses(problem)
        }

    monkeypatch.setattr(tuning, "_times", times)


def power_laws(name: str, problem: Problem) -> float:
    """One row: `vector`. `batched` grows with M, `square` does not, and they meet where √M is 6, at 36; or
    where √M is 3.1 for a wide product, between 9 and 10."""
    if name == "vector":
        return 0.5
    if name == "batched":
        return math.sqrt(problem.m)
    if name == "square":
        return 6.0 if problem.n < 500 else 3.1
    return 10.0


def test_crossovers_lie_where_the_times_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(power_laws, monkeypatch)
    found = tune(shapes=[(1000, 64), (100, 64)], rows=(1, 2, 16, 64), dtypes=["float32"])
    narrow, wide = (None, 316), (317, None)
    assert [(rule.strategy, rule.m, rule.n) for rule in found.rules] == [
        ("vector", (1, 1), narrow),
        # A batched GEMV takes 16 rows: the crossover is there, though the lines meet behind.
        ("batched", (2, 16), narrow),
        ("square", (17, None), narrow),
        ("vector", (1, 1), wide),
        ("batched", (2, 9), wide),
        ("square", (10, None), wide),
    ]
    assert "measured with M = 2, N = 100, K = 64: 1.41e+03 ms, and square 6e+03 ms" in found.rules[1].why
    # Other dtypes go by the default.
    assert dispatch.decide(Problem(10, 1000, 64, "float16")).rule in DEFAULT.rules
    assert dispatch.decide(Problem(10, 1000, 64, "float32")).rule.strategy == "square"


def test_the_default_stays_where_others_are_hardly_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(lambda name, _: 0.97 if name == "simd" else 1.0, monkeypatch)
    found = tune(shapes=[(64, 64)], rows=(1,), keep=False)
    assert [rule.strategy for rule in found.rules] == ["rows"]
    assert dispatch.current() == DEFAULT


def test_what_is_measured_is_a_median_of_turns_after_the_first() -> None:
    ticks = itertools.count()
    # Seconds pass at each look at the clock; a launch lies between two looks.
    found = tune(shapes=[(8, 32)], rows=(3,), turns=3, keep=False, clock=lambda: float(next(ticks)))
    (times,) = found.times.values()
    calls = 8 if mx.metal.is_available() else 1
    assert times == dict.fromkeys(("batched", "low", "square", "large"), 1 / calls)
    assert "M = 3, N = 8, K = 32" in str(found)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"dtypes": ["int8"]}, "dtypes has 'int8'"),
        ({"rows": (2, 1)}, r"rows is \(2, 1\)"),
        ({"rows": ()}, "ascending"),
        ({"shapes": [(8, 8), (8, 16)]}, "each N once"),
        ({"turns": 0}, "turns is 0"),
        ({"formats": ["q3"]}, "no format 'q3'"),
    ],
)
def test_tune_says_what_it_needs(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tune(**({"shapes": [(8, 32)], "rows": (1,), "keep": False} | wrong))  # type: ignore[arg-type]


# --- remembered ------------------------------------------------------------------------------------

WHIM = Rule("large", "a whim", m=(4, 4), n=(None, 50), dtypes=("float32",), formats=(FLOAT,))


def chosen(m: int = 4) -> str:
    dispatch.use(None)  # as a new process would
    return dispatch.decide(Problem(m, 40, 64)).rule.why


def test_rules_come_back_and_are_forgotten(own_file: Path) -> None:
    assert chosen() != "a whim"
    assert dispatch.remember([WHIM]) == own_file
    assert dispatch.remembered() == (WHIM,)
    assert chosen() == "a whim"
    assert chosen(5) != "a whim"
    assert [path.name for path in own_file.parent.iterdir()] == [own_file.name]  # no half-written file
    dispatch.forget()
    assert not own_file.exists()
    assert chosen() != "a whim"


def change(key: str, value: object) -> Callable[[str], str]:
    return lambda text: json.dumps(json.loads(text) | {key: value})


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-5],
        lambda _: "[]",
        lambda _: "null",
        change("machine", "a machine of somebody else"),
        change("version", "older kernels"),
        change("rules", [{"strategy": "large"}]),
        change("rules", [WHIM.as_plain() | {"m": [1, "2"]}]),
        change("rules", [WHIM.as_plain() | {"m": [5, 4]}]),
        change("rules", 7),
    ],
)
def test_a_broken_or_foreign_file_is_ignored(own_file: Path, damage: Callable[[str], str]) -> None:
    dispatch.remember([WHIM])
    own_file.write_text(damage(own_file.read_text(encoding="utf-8")), encoding="utf-8")
    assert dispatch.remembered() == ()
    assert chosen() != "a whim"


def test_a_file_that_is_no_text_is_ignored(own_file: Path) -> None:
    own_file.write_bytes(b"\xff\xfe\x00")
    assert dispatch.remembered() == ()


def test_the_place_can_be_named_or_switched_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(memory.VARIABLE, "off")
    assert dispatch.place() is None
    assert dispatch.remember([WHIM]) is None
    monkeypatch.delenv(memory.VARIABLE)
    monkeypatch.setenv("ANYMETAL_CACHE", str(tmp_path))
    assert dispatch.place() == tmp_path / "dispatch.json"
    monkeypatch.setenv("ANYMETAL_CACHE", "off")
    assert dispatch.place() is None


def test_a_disk_that_refuses_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(memory.VARIABLE, str(tmp_path / "file" / "table.json"))
    assert dispatch.remember([WHIM]) is None
    assert dispatch.remembered() == ()


# --- quantized weights -----------------------------------------------------------------------------

FORMATS = sorted(path.parent.name for path in Path(quantized.__path__[0]).glob("*/format.py"))


def test_every_format_has_rules() -> None:
    assert {format_ for rule in DEFAULT.rules for format_ in rule.formats} == {FLOAT, *FORMATS}
    for format_ in FORMATS:
        names = {rule.strategy for rule in DEFAULT.of(format_).rules}
        assert {"gemv", "batched", "own"} <= names <= set(strategies(format_))


@cache
def packed(format_: str, n: int) -> Weights:
    values = np.random.default_rng(n).standard_normal((n, 256), dtype=np.float32)
    w = importlib.import_module(f"kernels.quantized.{format_}").quantize(values)
    assert isinstance(w, Weights)
    return w


@pytest.mark.parametrize("m", [1, 3, 17])
@pytest.mark.parametrize("format_", FORMATS)
def test_matmul_of_quantized_weights(format_: str, m: int, draw: Draw) -> None:
    w, x = packed(format_, 45), draw((m, 256), mx.float32, seed=6)
    y = kernels.matmul(x, w)
    assert tuple(y.shape) == (m, 45)
    assert tolerance.quantized_excess(y, x, w) <= 1
    assert f"{format_} weights" in kernels.explain(x, w)
    assert tuple(kernels.matmul(x[0], w).shape) == (45,)


@pytest.mark.parametrize(("m", "n"), [(1, 256), (3, 24), (8, 256), (16, 256), (16, 40)])
@pytest.mark.parametrize("format_", FORMATS)
def test_the_default_table_is_near_the_best_for_packed_weights(format_: str, m: int, n: int) -> None:
    problem, w = Problem(m, n, 256, "float32", format_), packed(format_, n)
    x = mx.ones((m, 256))
    counts = {}
    for name, strategy in strategies(format_).items():
        if name != "own" and not strategy.refuses(problem):
            with checked() as report:
                mx.eval(strategy.run(x, w))
            counters = report.counters
            arrays = [each for name, each in counters.buffers.items() if not name.endswith("_shape")]
            counts[name] = sum(
                each.bytes_read + each.bytes_written for each in (*arrays, counters.threadgroup)
            )
    chosen = dispatch.decide(problem, DEFAULT).rule.strategy
    assert counts[chosen] <= 1.15 * min(counts.values()), counts


def test_a_format_that_refuses_is_passed_over(monkeypatch: pytest.MonkeyPatch, draw: Draw) -> None:
    """As a fast path that needs more of K than the format."""
    monkeypatch.setattr(q4_0, "which", lambda m, n, k, dtype: Choice("slow", "K is 256, no multiple of 512"))
    strategies.cache_clear()
    w, x = packed("q4_0", 45), draw((3, 256), mx.float32)
    says = kernels.explain(x, w)
    assert "what the format itself takes, because the format knows" in says
    assert "batched was passed over: of this shape the format says: slow, because K is 256" in says


def test_tune_takes_a_quantized_format(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tune(formats=["q8_0"], dtypes=["float32"], shapes=[(32, 64)], rows=(1, 2, 32), turns=1)
    assert [set(times) for times in found.times.values()] == [
        {"gemv", "batched", "dequantized"},
        {"batched", "dequantized"},
        {"dequantized"},
    ]
    assert {rule.formats for rule in found.rules} == {("q8_0",)}


def test_experts_are_no_weights_of_one_product() -> None:
    from kernels.quantized import affine

    one = affine.quantize(np.ones((5, 64), np.float32))
    packed, scales, biases = (mx.stack([each, each]) for each in (one.packed, one.scales, one.biases))
    w = affine.Experts(packed, scales, biases)
    with pytest.raises(TypeError, match="w is a Experts; it must be"):
        kernels.matmul(mx.ones((1, 64)), w)  # type: ignore[arg-type]
