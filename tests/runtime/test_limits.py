"""The device's limits: each message says which limit, what was asked, and what is allowed."""

from __future__ import annotations

import numpy as np
import pytest

from anymetal import LaunchError
from anymetal.runtime import limits


def test_sizes_come_back_as_ints() -> None:
    size = limits.check_size3("grid", [np.int64(3), 2, 1])  # type: ignore[list-item]
    assert size == (3, 2, 1)
    assert all(type(v) is int for v in size)


@pytest.mark.parametrize(
    "bad", [(1, 1), (1, 1, 1, 1), 5, None, "abc", (1.0, 1, 1), (2**31, 1, 1), ("1", 1, 1)]
)
def test_what_is_not_three_ints_is_a_type_error(bad: object) -> None:
    with pytest.raises(TypeError, match="`grid` must be three ints"):
        limits.check_size3("grid", bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(("bad", "axis"), [((0, 1, 1), "x"), ((1, -4, 1), "y"), ((1, 1, 0), "z")])
def test_zero_and_negative_sizes(bad: tuple[int, int, int], axis: str) -> None:
    with pytest.raises(LaunchError, match=rf"`threadgroup` must be at least 1 .* along {axis}"):
        limits.check_size3("threadgroup", bad)


def test_threads_of_a_threadgroup() -> None:
    limits.check_threadgroup((32, 32, 1))
    with pytest.raises(
        LaunchError, match=r"\(1056\) is greater than the maximum .* \(1024\).*33 x 32 x 1 = 1056"
    ):
        limits.check_threadgroup((33, 32, 1))
    with pytest.raises(LaunchError, match="this kernel has at most 64"):
        limits.check_threadgroup((65, 1, 1), 64)


def test_threadgroup_memory() -> None:
    limits.check_threadgroup_memory(32768)
    with pytest.raises(LaunchError, match=r"\(32772\) exceeds .* \(32768\).* 4 too many"):
        limits.check_threadgroup_memory(32772)
    with pytest.raises(LaunchError, match="32000 in the kernel, 1000 in the launch"):
        limits.check_threadgroup_memory(32000, 1000)


def test_buffers() -> None:
    limits.check_buffers(31)
    with pytest.raises(LaunchError, match=r"takes 32 buffers .* at most 31"):
        limits.check_buffers(32)
