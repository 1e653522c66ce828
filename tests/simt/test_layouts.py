"""What a layout says of `thread_position_in_threadgroup`, against the positions themselves."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anymetal.simt.ir import LANES
from anymetal.simt.layouts import Layout, layouts_for

Size3 = tuple[int, int, int]


def positions(size: Size3, simdgroup: int) -> dict[str, list[int]]:
    """Of the threads of one SIMD-group, x first, then y, then z; as if it were full."""
    numbers = range(simdgroup * LANES, (simdgroup + 1) * LANES)
    x, y, _ = size
    return {
        "x": [n % x for n in numbers],
        "y": [n // x % y for n in numbers],
        "z": [n // (x * y) for n in numbers],
    }


def check(layout: Layout, size: Size3) -> None:
    count = size[0] * size[1] * size[2]
    for simdgroup in range(-(-count // LANES)):
        exist = min(LANES, count - simdgroup * LANES)
        if exist < LANES:
            assert layout.partial
        for axis, values in positions(size, simdgroup).items():
            shape = layout.position(axis)
            if not shape.linear:
                continue
            assert not shape.terms
            for lane in range(exist):
                assert values[lane] == values[0] + shape.pattern[lane], (axis, size, layout)
            assert shape.constant in (None, values[0])
            assert values[0] % shape.align == 0
            if shape.limit is not None:
                assert max(values[:exist]) < shape.limit


@settings(max_examples=300, derandomize=True)
@given(
    grid=st.tuples(st.integers(1, 90), st.integers(1, 40), st.integers(1, 6)),
    threadgroup=st.tuples(
        st.sampled_from([1, 2, 4, 5, 7, 8, 16, 24, 32, 33, 48, 64]),
        st.sampled_from([1, 2, 3, 4, 8, 16]),
        st.integers(1, 4),
    ),
)
@example(grid=(64, 1, 1), threadgroup=(32, 1, 1))
@example(grid=(70, 3, 1), threadgroup=(32, 2, 1))
@example(grid=(12, 7, 1), threadgroup=(8, 4, 1))
def test_every_threadgroup_of_a_launch_fits_its_layout(grid: Size3, threadgroup: Size3) -> None:
    whole = (min(grid[0], threadgroup[0]), min(grid[1], threadgroup[1]), min(grid[2], threadgroup[2]))
    layouts = layouts_for(grid, whole)
    for z in range(0, grid[2], whole[2]):
        for y in range(0, grid[1], whole[1]):
            for x in range(0, grid[0], whole[0]):
                size = (
                    min(whole[0], grid[0] - x),
                    min(whole[1], grid[1] - y),
                    min(whole[2], grid[2] - z),
                )
                check(layouts[0] if size == whole else layouts[-1], size)


@pytest.mark.parametrize(
    ("grid", "threadgroup", "kinds"),
    [
        ((64, 1, 1), (64, 1, 1), ["rows"]),
        ((70, 1, 1), (32, 1, 1), ["rows"]),
        ((64, 4, 2), (32, 4, 2), ["rows"]),
        ((16, 16, 1), (8, 4, 1), ["tile"]),
        ((17, 16, 1), (8, 4, 1), ["tile", "any"]),
        ((7, 5, 3), (7, 5, 3), ["any"]),
    ],
)
def test_which_layouts_a_launch_gets(grid: Size3, threadgroup: Size3, kinds: list[str]) -> None:
    assert [layout.kind for layout in layouts_for(grid, threadgroup)] == kinds


def test_full_simdgroups_only_where_every_threadgroup_is_a_multiple_of_32() -> None:
    assert not any(layout.partial for layout in layouts_for((128, 1, 1), (64, 1, 1)))
    assert any(layout.partial for layout in layouts_for((130, 1, 1), (64, 1, 1)))
    assert all(layout.large for layout in layouts_for((17, 16, 1), (8, 4, 1), large=True))
