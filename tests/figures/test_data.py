"""What figures are made of: recorded data, packed small and refused where it makes none."""

from __future__ import annotations

import json
import math
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal
import figures
from anymetal.checks.trace import LANES
from figures import packed
from figures.figure import PAGE, Figure
from kernels import gemm, gemv


@pytest.mark.parametrize(
    ("values", "small"),
    [
        ([3] * LANES, {"each": 3}),
        ([None] * LANES, {"each": None}),
        ([True] * LANES, {"each": True}),
        ([7 + 4 * lane for lane in range(LANES)], {"from": 7, "step": 4}),
        ([math.inf] * LANES, {"each": "∞"}),
        ([math.nan] * LANES, {"each": "NaN"}),
        ([0.1] * LANES, {"each": 0.1}),
    ],
)
def test_lanes_that_are_alike_take_little_room(values: list[Any], small: dict[str, Any]) -> None:
    assert packed.lanes(values) == small


def test_lanes_that_differ_are_written_out() -> None:
    some = [lane * lane for lane in range(LANES)]
    assert packed.lanes(some) == some
    missing = [None, *range(LANES - 1)]
    assert packed.lanes(missing) == missing
    # Equal in Python, but neither the same to read nor the same in JSON.
    assert packed.lanes([1, True] * 16) == [1, True] * 16


def test_html_holds_its_data_and_cannot_be_broken_out_of() -> None:
    figure = Figure("stepper", 'a "title" <b>', {"text": "</script><p>"}, "words & more")
    html = figure.html()
    inside = html.split('<script type="application/json">')[1].split("</script>")[0]
    assert json.loads(inside) == {"text": "</script><p>"}
    assert "<b>" not in html
    assert "words &amp; more" in html


def test_in_a_book_a_figure_is_html_and_elsewhere_a_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PAGE, "yes")
    assert set(figures.fragments()._repr_mimebundle_()) == {"text/plain", "text/html"}
    monkeypatch.delenv(PAGE)
    pytest.importorskip("anywidget")
    widget = figures.fragments().widget()
    assert widget.data["owner"][:4] == [0, 0, 1, 1]
    assert "export default" in widget._esm
    shown, _ = figures.fragments()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert shown["text/plain"].startswith("Which lane holds what.")


def test_two_simdgroups_of_one_kernel_are_followed_apart() -> None:
    x, w = mx.ones((64,)), mx.ones((8, 64))
    rows = [
        {
            access.index[0]
            for step in anymetal.trace(lambda: gemv.simd(x, w), simdgroup=simdgroup).steps
            for access in step.accesses
            if access.memory == "y"
        }
        for simdgroup in (0, 3)
    ]
    assert rows == [{0}, {3}]


def test_explorer_finds_who_touches_what() -> None:
    x, w = mx.ones((64,)), mx.ones((8, 64))
    figure = figures.explorer(
        lambda: gemv.simd(x, w), {"W": (8, 64), "y": (1, 8)}, threadgroups=[(0, 0, 0)], title="GEMV"
    )
    assert [(m["name"], m["kind"]) for m in figure.data["memories"]] == [("W", "reads"), ("y", "writes")]
    touched = figure.data["touched"]
    for row in range(8):
        lanes = touched[f"0,{row}"]["W"]
        found = [{e + j * s for e, n, s in lane for j in range(n)} for lane in lanes]
        assert found == [{row * 64 + lane, row * 64 + lane + 32} for lane in range(LANES)]
        assert touched[f"0,{row}"]["y"][0] == [[row, 1, 1]]


def test_fragments_are_those_that_a_kernel_sees() -> None:
    kernel = anymetal.metal_kernel(
        name="owners",
        input_names=["a"],
        output_names=["owner", "element"],
        source="""
            uint lane = thread_index_in_simdgroup;
            simdgroup_matrix<float, 8, 8> m;
            simdgroup_load(m, a, 8);
            for (uint j = 0; j < 2; j++) {
                uint place = uint(m.thread_elements()[j]);
                owner[place] = lane;
                element[place] = j;
            }
        """,
        header="#include <metal_simdgroup_matrix>\n",
    )
    owner, element = kernel(
        inputs=[mx.arange(64).astype(mx.float32).reshape(8, 8)],
        grid=(32, 1, 1),
        threadgroup=(32, 1, 1),
        output_shapes=[(64,)] * 2,
        output_dtypes=[mx.uint32] * 2,
    )
    data = figures.fragments().data
    assert data["owner"] == np.array(owner).tolist()
    assert data["element"] == np.array(element).tolist()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: figures.stepper(3), TypeError, "trace is a int"),  # type: ignore[arg-type]
        (lambda: figures.coalescing(size=3), ValueError, "size is 3"),
        (lambda: figures.coalescing(stride=99), ValueError, "stride is 99"),
        (lambda: figures.coalescing(offset=32), ValueError, "offset is 32"),
        (lambda: figures.census(model="GPT"), ValueError, "model is 'GPT'"),
        (lambda: figures.census(tokens=3), ValueError, "tokens is 3"),
        (lambda: figures.roofline({}, chip="Z80"), ValueError, "chip must be one of"),
        (
            lambda: figures.explorer(lambda: None, {}, threadgroups=[], title=""),
            ValueError,
            "threadgroups is empty",
        ),
    ],
)
def test_what_makes_no_figure_is_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_a_memory_that_is_never_touched_is_named() -> None:
    x, w = mx.ones((8, 8)), mx.ones((8, 8))
    with pytest.raises(ValueError, match="memories names 'Z'"):
        figures.explorer(lambda: gemm.mma(x, w), {"Z": (1, 1)}, threadgroups=[(0, 0, 0)], title="")
