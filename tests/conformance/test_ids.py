"""Every thread knows where it is: all attributes, in every arrangement of threads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .running import LAUNCHES, Array, Size3, run1

SCALARS = [
    "thread_index_in_simdgroup",
    "thread_index_in_threadgroup",
    "simdgroup_index_in_threadgroup",
    "simdgroups_per_threadgroup",
    "dispatch_simdgroups_per_threadgroup",
    "threads_per_simdgroup",
    "thread_execution_width",
    "quadgroup_index_in_threadgroup",
    "quadgroups_per_threadgroup",
    "dispatch_quadgroups_per_threadgroup",
    "thread_index_in_quadgroup",
]
TRIPLES = [
    "thread_position_in_grid",
    "thread_position_in_threadgroup",
    "threadgroup_position_in_grid",
    "threads_per_threadgroup",
    "dispatch_threads_per_threadgroup",
    "threads_per_grid",
    "threadgroups_per_grid",
]
NUMBER = "uint n = {0}.x + threads_per_grid.x * ({0}.y + threads_per_grid.y * {0}.z);\n".format(
    "thread_position_in_grid"
)


def threads(grid: Size3, threadgroup: Size3) -> Iterator[dict[str, tuple[int, ...]]]:
    """What each thread must find, threadgroup by threadgroup."""
    full = tuple(min(t, g) for t, g in zip(threadgroup, grid))
    counts = tuple(-(-g // t) for g, t in zip(grid, full))
    for gz, gy, gx in np.ndindex(counts[::-1]):
        at = (gx, gy, gz)
        size = tuple(min(f, g - a * f) for f, g, a in zip(full, grid, at))
        number = size[0] * size[1] * size[2]
        dispatched = full[0] * full[1] * full[2]
        for index in range(number):
            inside = (index % size[0], index // size[0] % size[1], index // (size[0] * size[1]))
            yield {
                "thread_index_in_simdgroup": (index % 32,),
                "thread_index_in_threadgroup": (index,),
                "simdgroup_index_in_threadgroup": (index // 32,),
                "simdgroups_per_threadgroup": (-(-number // 32),),
                "dispatch_simdgroups_per_threadgroup": (-(-dispatched // 32),),
                "threads_per_simdgroup": (32,),
                "thread_execution_width": (32,),
                "quadgroup_index_in_threadgroup": (index // 4,),
                "quadgroups_per_threadgroup": (-(-number // 4),),
                "dispatch_quadgroups_per_threadgroup": (-(-dispatched // 4),),
                "thread_index_in_quadgroup": (index % 4,),
                "thread_position_in_grid": tuple(a * f + i for a, f, i in zip(at, full, inside)),
                "thread_position_in_threadgroup": inside,
                "threadgroup_position_in_grid": at,
                "threads_per_threadgroup": size,
                "dispatch_threads_per_threadgroup": full,
                "threads_per_grid": grid,
                "threadgroups_per_grid": counts,
            }


def ids(grid: Size3, threadgroup: Size3) -> tuple[Array, Array]:
    """All attributes of all threads: as a kernel finds them, and as they must be."""
    names = [*SCALARS, *(f"{t}.{axis}" for t in TRIPLES for axis in "xyz")]
    body = NUMBER + "".join(f"out[n * {len(names)} + {i}] = {name};\n" for i, name in enumerate(names))
    total = grid[0] * grid[1] * grid[2]
    found = run1(body, {}, (total, len(names)), "uint32", grid=grid, threadgroup=threadgroup, init_value=0)
    expected = np.zeros_like(found)
    for thread in threads(grid, threadgroup):
        x, y, z = thread["thread_position_in_grid"]
        expected[x + grid[0] * (y + grid[1] * z)] = [v for name in (*SCALARS, *TRIPLES) for v in thread[name]]
    return found, expected


@pytest.mark.parametrize(("grid", "threadgroup"), LAUNCHES, ids=str)
def test_every_attribute(grid: Size3, threadgroup: Size3) -> None:
    found, expected = ids(grid, threadgroup)
    np.testing.assert_array_equal(found, expected)


def _triples(limits: tuple[int, int, int]) -> st.SearchStrategy[Size3]:
    return st.tuples(*(st.integers(1, n) for n in limits))


@settings(max_examples=12, derandomize=True)
@given(grid=_triples((70, 40, 5)), threadgroup=_triples((40, 12, 2)))
def test_every_attribute_in_any_arrangement(grid: Size3, threadgroup: Size3) -> None:
    found, expected = ids(grid, threadgroup)
    np.testing.assert_array_equal(found, expected)
