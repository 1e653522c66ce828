"""What a kernel spends is counted, and held against three kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mlx.core as mx
import pytest

from grader import time_kernel
from grader.exercise import Budget
from grader.grading import judged
from grader.labs import find
from grader.mutants.lab02._right import SOURCE

LAB = find("02")
SMALL = replace(LAB, cases=LAB.cases[:1])


def test_the_textbook_kernel_is_counted_as_its_formula_says() -> None:
    result = judged(SMALL, LAB.launch(SOURCE), seed=1)
    assert result.passed, str(result)
    assert LAB.budget_case is not None
    m, n, k = (LAB.budget_case.sizes[name] for name in "MNK")
    asked_x, asked_w, stored = result.spent
    assert asked_x.yours == asked_w.yours == asked_x.reference == asked_w.reference == 4 * m * n * k
    assert stored.yours == stored.reference == 4 * m * n
    assert stored.unoptimised == 4 * m * n * (k + 1)
    assert f"{4 * m * n * k:,}" in str(result)
    assert f"{4 * m * n * k:,}" in result._repr_html_()


def test_a_sum_in_memory_is_over_budget() -> None:
    result = judged(SMALL, LAB.launch(LAB.unoptimised), seed=1)
    assert result.kind == "over-budget"
    assert result.checks_passed == result.checks - 1
    assert "524× the reference's" in str(result)


def test_arrays_count_under_any_name() -> None:
    source = SOURCE.replace("x_shape", "a_shape").replace("w_shape", "b_shape")
    source = source.replace("x[", "a[").replace("w[", "b[")
    kernel: Any = mx.fast.metal_kernel(name="k", input_names=["a", "b"], output_names=["y"], source=source)

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        (y,) = kernel(
            inputs=[x, w],
            template=[("T", x.dtype)],
            grid=(w.shape[1], x.shape[0], 1),
            threadgroup=(16, 16, 1),
            output_shapes=[(x.shape[0], w.shape[1])],
            output_dtypes=[x.dtype],
        )
        return y

    asked_x, asked_w, _ = judged(SMALL, matmul, seed=1).spent
    assert asked_x.yours == asked_w.yours == asked_x.reference


@pytest.mark.parametrize("padding", [0, 3])
def test_a_copy_under_a_name_of_its_own_counts_as_what_it_copies(padding: int) -> None:
    """Also one of another size, and beside an input that is a number."""
    source = SOURCE.replace("x_shape", "a_shape").replace("x[", "a[").replace("= 0;", "= 0 * zero;")
    source = source.replace("x[m * K + k]", "a[m * K + k]").replace("a_shape[1]", "w_shape[0]")
    source = source.replace("a_shape[0]", "rows")
    kernel: Any = mx.fast.metal_kernel(
        name="copied", input_names=["zero", "rows", "a", "w"], output_names=["y"], source=source
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        copied = mx.concatenate([x.flatten(), mx.zeros(padding, dtype=x.dtype)])
        (y,) = kernel(
            inputs=[0, x.shape[0], copied, w],
            template=[("T", x.dtype)],
            grid=(w.shape[1], x.shape[0], 1),
            threadgroup=(16, 16, 1),
            output_shapes=[(x.shape[0], w.shape[1])],
            output_dtypes=[x.dtype],
        )
        return y

    asked_x, asked_w, _ = judged(SMALL, matmul, seed=1).spent
    assert asked_x.yours == asked_w.yours == asked_x.reference


def test_a_budget_may_be_a_least() -> None:
    least = Budget(
        "coalescing of w",
        lambda c: c.coalescing["w"],
        lambda _s, _b: 2.0,
        "more than there is",
        "",
        at_least=True,
    )
    result = judged(replace(SMALL, budgets=(least,)), LAB.launch(SOURCE), seed=1)
    assert result.kind == "over-budget"
    assert "one count is too low" in str(result)


def test_a_time_says_what_ran_the_kernel_and_stands_beside_the_references() -> None:
    timing = time_kernel("02", LAB.launch(SOURCE), sizes={"M": 8, "N": 40, "K": 16}, repeat=4)
    assert len(timing.yours.seconds) == len(timing.reference.seconds) == 4
    assert timing.flops == 2 * 8 * 40 * 16
    assert timing.moved == 4 * (8 * 16 + 16 * 40 + 8 * 40)
    label = "Metal" if mx.metal.is_available() else "anymetal: not a GPU time"
    assert label in str(timing)
    assert "× the reference's time" in str(timing)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sizes": {"M": 1}}, "needs K, M, N"),
        ({"sizes": {"M": 1, "N": 0, "K": 3}}, "each at least 1"),
        ({"dtype": "float64"}, "float32, float16, bfloat16"),
        ({"repeat": 1}, "at least 2"),
    ],
)
def test_what_cannot_be_timed_is_refused(wrong: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        time_kernel("02", LAB.launch(SOURCE), **wrong)


def test_budgets_over_a_grid_are_counted_each_on_its_shape() -> None:
    assert LAB.budget_case is not None
    budgets = tuple(
        Budget(
            f"bytes stored, {n} columns",
            lambda counts: counts.written,
            lambda sizes, size: float(sizes["M"] * sizes["N"] * size),
            "M·N elements",
            "Store once.",
            case=replace(LAB.budget_case, sizes={"M": 3, "N": n, "K": 4}),
        )
        for n in (5, 9)
    )
    exercise = replace(SMALL, budgets=budgets, budget_case=None)
    right = judged(exercise, LAB.launch(SOURCE), seed=1)
    assert [each.yours for each in right.spent] == [4 * 3 * 5, 4 * 3 * 9]
    assert "Counted: the same on every machine." in str(right)
    over = judged(exercise, LAB.launch(LAB.unoptimised), seed=1)
    assert over.kind == "over-budget"
    assert "Seen with M = 3, N = 5, K = 4, float32." in str(over)


def test_threadgroup_memory_is_counted() -> None:
    lab = find("08")
    assert lab.budget_case is not None
    shared = Budget("bytes of threadgroup memory", lambda counts: counts.shared, lambda *_: 0.0, "none", "")
    exercise = replace(lab, cases=lab.cases[:1], budgets=(shared,))
    (counted,) = judged(exercise, lab.launch(lab.unoptimised), seed=1).spent
    m, n, k = (lab.budget_case.sizes[name] for name in "MNK")
    # 16 x 32 outputs a threadgroup, each with two loads a product; the tiles are stored once a step of 32.
    tiles, steps = -(-m // 16) * -(-n // 32), -(-k // 32)
    assert counted.reference == 4 * tiles * steps * 32 * (16 * 32 * 2 + 16 + 32)
