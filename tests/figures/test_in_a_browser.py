"""Each figure on a static page: what mouse and keyboard do, against the recorded data."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal
import figures
from figures.scripts import KINDS
from kernels import gemm, gemv
from kernels.census import MODELS, census
from kernels.dispatch.defaults import DEFAULT
from kernels.dispatch.problem import Problem
from kernels.quantized import q4_0

AXE = {"runOnly": ["wcag2a", "wcag2aa"]}


@pytest.fixture(scope="module")
def trace() -> Any:
    mx.random.seed(3)
    x, w = mx.random.normal((32, 48)), mx.random.normal((48, 40))
    return anymetal.trace(lambda: gemm.tiled(x, w))


def _all() -> dict[str, Any]:
    x, w = mx.ones((50,)), mx.ones((8, 50))
    with anymetal.checked() as report:
        mx.eval(gemv.simd(x, w))
    return {
        "stepper": figures.stepper(anymetal.trace(lambda: gemv.simd(x, w))),
        "explorer": figures.explorer(
            lambda: gemv.simd(x, w), {"W": (8, 50), "y": (1, 8)}, threadgroups=[(0, 0, 0)], title="GEMV"
        ),
        "coalescing": figures.coalescing(),
        "fragments": figures.fragments(),
        "roofline": figures.roofline({"simd": report.counters}),
        "census": figures.census(),
        "bits": figures.bits(q4_0.quantize(np.ones((1, 32), np.float32))),
        "tiles": figures.tiles(lambda: gemv.simd(x, w), {"W": (8, 50), "y": (1, 8)}, title="GEMV"),
        "strategies": figures.strategies({Problem(1, 8, 50): {"simd": 1, "rows": 2}}, DEFAULT),
    }


@pytest.mark.parametrize("width", [1280, 390])
def test_no_figure_is_wider_than_its_page_or_fails_a_reader(show: Any, width: int) -> None:
    made = _all()
    assert set(made) == set(KINDS)
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for kind, figure in made.items():
        shown = show(figure, width)
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width, kind
        found = axe.run(shown.page, options=AXE).response["violations"]
        assert [f["id"] for f in found if f["impact"] in ("serious", "critical")] == [], kind


def test_stepper_shows_each_step_as_it_was_recorded(show: Any, trace: Any) -> None:
    shown = show(figures.stepper(trace))
    assert shown.status.startswith(f"Step 1 of {len(trace)}: line {trace.steps[0].line},")
    for _ in range(24):
        shown.figure.get_by_label("One step on").click()
    step = trace.steps[24]
    assert f"Step 25 of {len(trace)}: line {step.line}," in shown.status
    assert shown.figure.locator(".mm-now code").inner_text().strip() == trace.text(step)
    shown.figure.get_by_label("One step back").click()
    assert f"Step 24 of {len(trace)}" in shown.status
    shown.figure.locator(".mm-code").focus()
    for _ in range(6):
        shown.page.keyboard.press("ArrowRight")
    assert f"Step 30 of {len(trace)}" in shown.status
    shown.page.keyboard.press("End")
    last = trace.steps[-1]
    assert f"Step {len(trace)} of {len(trace)}: line {last.line}," in shown.status
    active = [lane for lane in range(32) if last.mask >> lane & 1]
    assert shown.figure.locator(".mm-lane.mm-active").all_inner_texts() == [str(lane) for lane in active]
    # Variables of the lane that the reader picks.
    shown.figure.get_by_label("lane 5, ").click()
    shown.page.keyboard.press("ArrowRight")
    expected = trace.variables(len(trace) - 1)
    rows = {row[0]: row for row in shown.rows()}
    assert set(rows) == set(expected)
    for name in ("i", "j", "M", "N", "K"):
        assert rows[name][2] == str(expected[name][6])


def test_stepper_says_who_waits_at_a_barrier(show: Any, trace: Any) -> None:
    shown = show(figures.stepper(trace))
    at = next(i for i, step in enumerate(trace.steps) if step.barrier)
    shown.figure.get_by_label("Step", exact=True).fill(str(at))
    words = shown.figure.locator(".mm-wait").inner_text()
    assert words.startswith("A barrier. SIMD-group 0 waits here until SIMD-groups 1, 2,")


def test_explorer_follows_the_chosen_lane(show: Any) -> None:
    x, w = mx.ones((64,)), mx.ones((8, 64))
    figure = figures.explorer(
        lambda: gemv.simd(x, w), {"W": (8, 64), "y": (1, 8)}, threadgroups=[(0, 0, 0)], title="GEMV"
    )
    shown = show(figure)
    assert "reads 2 of W's 512 elements, W[0, 0], W[0, 32]; writes 1 of y's 8 elements, y[0]" in shown.status
    shown.figure.get_by_label("SIMD-group").select_option("3")
    shown.figure.locator(".mm-lane").nth(17).click()
    assert "SIMD-group 3, lane 17: reads 2 of W's 512 elements, W[3, 17], W[3, 49]" in shown.status
    assert "writes nothing of y" in shown.status


@pytest.mark.parametrize(
    ("stride", "size", "sectors", "lines"),
    [(1, "4", 4, 1), (2, "4", 8, 2), (8, "4", 32, 8), (1, "16", 16, 4)],
)
def test_coalescing_counts_as_checked_mode_does(
    show: Any, stride: int, size: str, sectors: int, lines: int
) -> None:
    shown = show(figures.coalescing())
    shown.figure.get_by_label("Lane i reads").fill(str(stride))
    shown.figure.locator("select").select_option(size)
    assert f"They lie in {sectors} sectors of 32 bytes, in {lines} line" in shown.status
    kind = {"4": "float", "16": "float4"}[size]
    kernel = anymetal.metal_kernel(
        name="strided",
        input_names=["a"],
        output_names=["out"],
        source=f"""
            uint lane = thread_position_in_grid.x;
            {kind} v = ((const device {kind}*)a)[lane * {stride}];
            out[lane] = ((thread float*)&v)[0];
        """,
    )
    with anymetal.checked() as report:
        (out,) = kernel(
            inputs=[mx.zeros((4096,))],
            grid=(32, 1, 1),
            threadgroup=(32, 1, 1),
            output_shapes=[(32,)],
            output_dtypes=[mx.float32],
        )
        mx.eval(out)
    counted = report.counters.buffers["a"]
    assert (counted.sectors, counted.lines) == (sectors, lines)


def test_fragments_name_the_lane_of_the_chosen_element(show: Any) -> None:
    shown = show(figures.fragments())
    assert shown.status == "Row 0, column 0 is element 0 of lane 0. Lane 0 holds (0, 0) and (0, 1)."
    shown.figure.locator(".mm-cell").nth(0).focus()
    shown.page.keyboard.press("ArrowDown")
    shown.page.keyboard.press("ArrowRight")
    assert shown.status == "Row 1, column 1 is element 1 of lane 2. Lane 2 holds (1, 0) and (1, 1)."
    assert shown.figure.locator(".mm-mine").count() == 2


def test_roofline_draws_the_chip_that_is_chosen(show: Any) -> None:
    x, w = mx.ones((64, 64)), mx.ones((64, 64))
    with anymetal.checked() as report:
        mx.eval(gemm.mma(x, w))
    shown = show(figures.roofline({"MMA": report.counters}, yours={"mine": report.counters}))
    for chip in ("M1", "M4 Max"):
        shown.figure.get_by_label("Chip").select_option(chip)
        bound = anymetal.roofline(report.counters, chip)
        assert shown.status.startswith(f"{chip}: ")
        (row, mine) = shown.rows()
        assert row[0] == "1 MMA"
        assert mine[0] == "2 mine"
        assert row[3] == bound.limit
        number, unit = row[2].split()
        assert float(number) * {"µs": 1e-6, "ns": 1e-9}[unit] == pytest.approx(bound.seconds, rel=0.01)
    assert shown.figure.locator(".mm-yours").count() == 1


def test_census_adds_up_as_the_kernels_room_does(show: Any) -> None:
    shown = show(figures.census())
    for model in MODELS.values():
        shown.figure.locator("select").select_option(model.name)
        for power in (0, 9):
            shown.figure.get_by_label("tokens at once").fill(str(power))
            counted = census(model.config, 2**power)
            flops = counted["total"]["flops"]
            total = float(shown.status.split("In all ")[1].split()[0])
            prefix = shown.status.split("In all ")[1].split()[1].removesuffix("FLOP")
            assert total * {"G": 1e9, "T": 1e12, "P": 1e15}[prefix] == pytest.approx(flops, rel=0.006)
