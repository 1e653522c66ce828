"""The walk over tiles and the choice among strategies, against what was recorded."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import pytest

import figures
from kernels import gemm
from kernels.dispatch.choose import decide
from kernels.dispatch.defaults import DEFAULT
from kernels.dispatch.problem import Problem

X, W = mx.ones((32, 64)), mx.ones((64, 64))
SHAPES = {"X": (32, 64), "W": (64, 64), "Y": (32, 64)}
COUNTED = {
    Problem(1, 64, 64): {"simd": 900, "rows": 600, "batched": 700},
    Problem(4, 64, 64): {"batched": 1234, "square": 5000},
    Problem(4, 64, 64, format="q4_0"): {"batched": 300, "gemm": 800},
}


def _elements(runs: Any) -> set[int]:
    return {first + i * step for first, length, step in runs for i in range(length)}


def test_a_tiled_gemm_reads_each_tile_before_a_barrier_and_stores_at_the_end() -> None:
    figure = figures.tiles(lambda: gemm.tiled(X, W), SHAPES, threadgroup=(1, 1, 0), title="walk")
    phases = figure.data["phases"]
    # Two steps along K, each with a barrier before and after the products.
    assert [sorted(phase["reads"]) for phase in phases] == [["W", "X"], [], ["W", "X"], [], []]
    assert [sorted(phase["writes"]) for phase in phases] == [[], [], [], [], ["Y"]]
    assert [phase["waits"] for phase in phases] == [True, True, True, True, False]
    for step, phase in enumerate((phases[0], phases[2])):
        k = range(32 * step, 32 * step + 32)
        assert _elements(phase["reads"]["X"]) == {row * 64 + c for row in range(16, 32) for c in k}
        assert _elements(phase["reads"]["W"]) == {r * 64 + column for r in k for column in range(32, 64)}
    # Each of 512 threads reads two elements of threadgroup memory for each of 32 products.
    assert phases[1]["shared"] == [512 * 32 * 2 * 4, 0]


def test_walking_in_a_browser(show: Any) -> None:
    shown = show(figures.tiles(lambda: gemm.tiled(X, W), SHAPES, title="walk"), 390)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert shown.status.startswith(
        "Phase 1 of 5: the threadgroup reads 512 elements of X, reads 1\u202f024 elements of W"
    )
    shown.figure.get_by_label("One phase on").click()
    assert "reads 131\u202f072 bytes from there; then all wait at a barrier" in shown.status
    shown.page.keyboard.press("End")
    assert shown.status == "Phase 5 of 5: the threadgroup stores 512 elements of Y; then it is done."


def test_choosing_in_a_browser(show: Any) -> None:
    shown = show(figures.strategies(COUNTED, DEFAULT), 1280)
    assert shown.status == str(decide(Problem(1, 64, 64), DEFAULT))
    rows = shown.rows()
    assert [row for row in rows if row[-1] == "← taken"] == [
        ["GEMV, four outputs a SIMD-group", "600", "1.00", "← taken"]
    ]
    shown.figure.locator("input[type=range]").fill("1")
    assert shown.status == str(decide(Problem(4, 64, 64), DEFAULT))
    assert ["batched GEMV", "1\u202f234", "1.00", "← taken"] in shown.rows()
    assert ["GEMV by vector loads", "–", "–", "it takes one row"] in shown.rows()
    shown.figure.locator("select").select_option("q4_0")
    assert shown.status == str(decide(Problem(4, 64, 64, format="q4_0"), DEFAULT))
    assert [row[0] for row in shown.rows() if row[-1] == "← decides"] == ["2 ≤ M ≤ 16"]


def test_what_makes_no_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="counted is empty"):
        figures.strategies({}, DEFAULT)
    with pytest.raises(ValueError, match=r"counted names \['magic'\]"):
        figures.strategies({Problem(1, 2, 3): {"magic": 1}}, DEFAULT)
