"""Lab 04 as a learner meets it: slips in its cells, and right copies and predictions written another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import numpy as np
import pytest

import anymetal
from grader.grading import judged
from grader.labs import find, lab04, task
from tests.labs.states import Lab, graded
from tests.labs.test_lab03 import float_and_half

LAB = Lab("04_counting")


def test_the_skeleton_is_told_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "your answer has no `x`. Asked about every_other." in report
    ok, report = graded(LAB.copy(tmp_path, "predict-answers"))
    assert not ok
    assert "three kernels' counters: passed" in report
    assert "no element of y was written" in report
    assert "with the m and n of the second half" in report


@pytest.mark.parametrize(
    ("cell", "change", "words"),
    [
        ("predict-answers", ("groups * 160 * 32", "groups * 160 * 4"), "a whole row apart"),
        ("repair-kernel", ("= tile[t.x][t.y]", "= tile[t.y][t.x]"), "inside it nothing has changed places"),
    ],
)
def test_a_slip_in_the_solution_is_named(
    tmp_path: Path, cell: str, change: tuple[str, str], words: str
) -> None:
    path = LAB.copy(tmp_path, *LAB.to_solve())
    notebook = nbformat.read(path, as_version=4)
    (chosen,) = (each for each in notebook.cells if each.id == cell)
    assert change[0] in chosen.source
    chosen.source = chosen.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


# --- predictions --------------------------------------------------------------------------------------


def by_enumeration(name: str) -> dict[str, dict[str, int]]:
    """The counters from a list of who reads what when: no kernel runs, and nothing is multiplied."""
    accesses: dict[str, list[list[int]]] = {"x": [], "y": []}  # of each SIMD-group, its lanes' elements
    lanes = np.arange(32)
    if name == "every_other":
        size = 4
        for first in range(0, 1024, 32):
            accesses["x"].append([*(2 * (first + lanes))])
            accesses["y"].append([*(first + lanes)])
    elif name == "rows":
        size, accesses["w"] = 4, []
        for first in range(0, 96, 32):
            accesses["y"].append([*(first + lanes)])
            for k in range(160):
                accesses["x"].append([k] * 32)
                accesses["w"].append([*((first + lanes) * 160 + k)])
    else:
        size, accesses["w"] = 2, []
        for m in range(8):
            for first in (0, 32):
                accesses["y"].append([*(m * 64 + first + lanes)])
                for k in range(48):
                    accesses["x"].append([m * 48 + k] * 32)
                    accesses["w"].append([*(k * 64 + first + lanes)])
    return {
        array: {
            "asked": size * sum(map(len, each)),
            "must_move": size * len({element for access in each for element in access}),
            "sectors": sum(len({element * size // 32 for element in access}) for access in each),
        }
        for array, each in accesses.items()
    }


def test_what_is_counted_is_what_the_definitions_say() -> None:
    for name in lab04.KERNELS:
        assert lab04.expected(name) == by_enumeration(name)


def test_right_numbers_pass_whatever_they_are_made_of() -> None:
    answers = {
        name: {
            array: {key: np.int64(value) for key, value in row.items()}
            for array, row in by_enumeration(name).items()
        }
        for name in lab04.KERNELS
    }
    assert judged(task("04.predict"), answers, seed=1).passed
    floats = {
        name: {array: {key: float(value) for key, value in row.items()} for array, row in arrays.items()}
        for name, arrays in answers.items()
    }
    assert judged(task("04.predict"), floats, seed=1).passed


@pytest.mark.parametrize("answer", [3, [1, 2], {"rows": 3}, {"every_other": {"x": {"asked": None}}}], ids=str)
def test_what_is_no_prediction_is_refused(answer: object) -> None:
    result = judged(task("04.predict"), answer, seed=1)
    assert result.kind in {"not-values", "missing", "not-a-mapping", "not-a-number"}


# --- copies -------------------------------------------------------------------------------------------

PADDED_AND_TURNED_ON_THE_WAY_IN = """
    threadgroup T tile[16 * 17];
    uint M = x_shape[0], N = x_shape[1];
    uint lx = thread_position_in_threadgroup.x, ly = thread_position_in_threadgroup.y;
    uint m0 = thread_position_in_grid.y - ly, n0 = thread_position_in_grid.x - lx;
    bool whole = m0 + ly < M && n0 + lx < N;
    tile[lx * 17 + ly] = whole ? x[(m0 + ly) * N + n0 + lx] : T(0);
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (n0 + ly < N && m0 + lx < M) {
        y[(n0 + ly) * M + m0 + lx] = tile[ly * 17 + lx];
    }
"""

BY_LINEAR_INDEX = """
    threadgroup T tile[256];
    uint M = x_shape[0], N = x_shape[1];
    uint t = thread_index_in_threadgroup;
    uint2 corner = threadgroup_position_in_grid.xy * 16;
    uint from = (corner.y + t / 16) * N + corner.x + t % 16;
    if (corner.x + t % 16 < N && corner.y + t / 16 < M) {
        tile[t] = x[from];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (corner.y + t % 16 >= M || corner.x + t / 16 >= N) {
        return;
    }
    y[(corner.x + t / 16) * M + corner.y + t % 16] = tile[t % 16 * 16 + t / 16];
"""


@pytest.mark.parametrize(
    "source", [PADDED_AND_TURNED_ON_THE_WAY_IN, BY_LINEAR_INDEX], ids=["padded", "linear_index"]
)
def test_a_right_copy_passes(source: str) -> None:
    exercise = find("04.repair")
    result = judged(float_and_half(exercise), exercise.launch(source), seed=4)
    assert result.passed, str(result)


def larger_tiles(x: mx.array) -> mx.array:
    """Tiles of 32 × 32, four elements a thread."""
    kernel: Any = mx.fast.metal_kernel(
        name="larger_tiles",
        input_names=["x"],
        output_names=["y"],
        source="""
            threadgroup T tile[32][33];
            uint M = x_shape[0], N = x_shape[1];
            uint2 t = thread_position_in_threadgroup.xy;
            uint2 corner = 32 * threadgroup_position_in_grid.xy;
            for (uint row = t.y; row < 32 && corner.y + row < M; row += 8) {
                if (corner.x + t.x < N) {
                    tile[row][t.x] = x[(corner.y + row) * N + corner.x + t.x];
                }
            }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            for (uint row = t.y; row < 32 && corner.x + row < N; row += 8) {
                if (corner.y + t.x < M) {
                    y[(corner.x + row) * M + corner.y + t.x] = tile[t.x][row];
                }
            }
        """,
    )
    rows, columns = x.shape
    y: mx.array
    (y,) = kernel(
        inputs=[x],
        template=[("T", x.dtype)],
        grid=(-(-columns // 32) * 32, -(-rows // 32) * 8, 1),
        threadgroup=(32, 8, 1),
        output_shapes=[(columns, rows)],
        output_dtypes=[x.dtype],
    )
    return y


def test_larger_tiles_pass() -> None:
    result = judged(float_and_half(find("04.repair")), larger_tiles, seed=5)
    assert result.passed, str(result)


def test_a_wrong_last_bit_of_a_float_is_found() -> None:
    """A copy rounds nothing, so the bound of sums does not hold here."""
    exercise = find("04.repair")
    source = BY_LINEAR_INDEX.replace(
        "= tile[t % 16 * 16 + t / 16];", "= T(float(tile[t % 16 * 16 + t / 16]) * 1.0000002f);"
    )
    assert not judged(exercise, exercise.launch(source), seed=6).passed


def test_the_lowest_coalescing_of_all_stores_counts() -> None:
    from grader import budgets

    exercise = find("04.repair")
    x = mx.ones((48, 80))
    by_hand = {}
    for name, source in (("apart", lab04.APART), ("side by side", BY_LINEAR_INDEX)):
        kernel = exercise.launch(source)
        spent = {each.what: each.yours for each in budgets.spent(exercise, kernel, lambda case: {"x": x})}
        with anymetal.checked() as report:
            kernel(x)
        by_hand[name] = report.counters.buffers["y"].coalescing
        assert spent["coalescing of the stores"] == by_hand[name]
    assert by_hand == {"apart": 0.25, "side by side": 1.0}
