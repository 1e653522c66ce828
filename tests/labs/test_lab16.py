"""Lab 16: half-solved states and slips are named, and right answers pass however they choose."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import nbformat
import pytest

from anymetal.checks import checked
from grader import watch
from grader.exercise import Kernel
from grader.grading import judged
from grader.labs import find, lab16
from grader.mutants.lab16 import _right
from kernels import gemm, gemv
from tests.labs.states import Lab, graded

LAB = Lab("16_choosing")


def test_the_skeleton_is_right_and_spends_too_much() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "the numbers are right, and the kernel spends more than it may: bytes, M = 1, N = 256" in report


def test_a_choice_without_formulas_takes_the_first(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "choosing-choose"))
    assert not ok
    assert "spends more than it may" in report


@pytest.mark.parametrize(
    ("cell", "change", "words"),
    [
        ("choosing-choose", (' if each != "batched" or M <= 16', ""), "takes at most 16"),
    ],
)
def test_a_slip_in_the_solution_is_named(
    tmp_path: Path, cell: str, change: tuple[str, str], words: str
) -> None:
    path = LAB.copy(tmp_path, *LAB.to_solve())
    notebook = nbformat.read(path, as_version=4)
    for each in notebook.cells:
        if each.id == cell:
            assert change[0] in each.source
            each.source = each.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


# --- the formula that the budgets rest on -----------------------------------------------------------


@pytest.mark.parametrize(("m", "n"), [*lab16.GRID, (3, 37), (16, 131)])
@pytest.mark.parametrize("strategy", ["batched", *lab16.TILES])
def test_the_formula_is_what_is_counted(strategy: str, m: int, n: int) -> None:
    if strategy == "batched" and m > lab16.BATCH:
        return
    x, w = mx.ones((m, lab16.DEPTH)), mx.ones((n, lab16.DEPTH))
    with checked() as report:
        mx.eval(gemv.batched(x, w) if strategy == "batched" else gemm.mma_rows(x, w, tile=strategy))
    counters = report.counters
    places = [*(counters.buffers[name] for name in "XWY"), counters.threadgroup]
    counted = sum(place.bytes_read + place.bytes_written for place in places)
    assert lab16.asked(strategy, m, n, lab16.DEPTH, 4) == counted


# --- right answers, written otherwise ---------------------------------------------------------------


def by_comparisons(m: int, n: int, k: int, size: int) -> str:
    """A few comparisons in place of formulas."""
    full = 90 <= n <= 128 or n >= 190
    if m <= 5 or (m <= 16 and not full) or 9 <= m <= 13:
        return "batched"
    if m <= 16:
        return "low"
    return "square" if m <= 32 or n <= 32 else "large"


OTHERWISE: dict[str, Kernel] = {
    "the least of four formulas": _right.matmul(),
    "a few comparisons": _right.matmul(choice=by_comparisons),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_right_answer_written_otherwise_passes(name: str) -> None:
    watch.install()
    result = judged(find("16"), OTHERWISE[name], seed=16)
    assert result.passed, str(result)


def test_one_row_may_have_a_kernel_of_its_own() -> None:
    """A fifth strategy that asks for no more is welcome."""
    watch.install()
    one = lab16.launch(lab16.SIMDGROUP_AN_OUTPUT)
    narrow = _right.matmul()
    result = judged(
        find("16"), lambda x, w: one(x, w) if x.shape[0] == 1 and w.shape[0] < 64 else narrow(x, w), seed=16
    )
    assert result.passed, str(result)


def test_the_unoptimised_kernel_is_right_and_over_budget() -> None:
    watch.install()
    result = judged(find("16"), lab16.launch(lab16.SIMDGROUP_AN_OUTPUT), seed=16)
    assert result.kind == "over-budget"
    assert all(each.unoptimised == each.yours for each in result.spent)
