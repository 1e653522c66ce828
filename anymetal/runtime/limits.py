"""The limits of the device that anymetal stands in for.

They are those of Apple GPUs of family 7 and later (Apple, *Metal Feature Set Tables*). The CPU would allow
more; a kernel that passes here should also run on a Mac.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

from anymetal.errors import LaunchError

MAX_THREADS_PER_THREADGROUP = 1024
MAX_THREADGROUP_BYTES = 32 * 1024
MAX_BUFFERS = 31
MAX_AXIS = 2**31 - 1  # MLX takes each axis as a C int
SIMD_WIDTH = 32


def check_size3(name: str, value: Sequence[int]) -> tuple[int, int, int]:
    """`value` as three positive ints. `TypeError` where it is not three integers, `LaunchError` where one
    is < 1.
    """
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or len(value) != 3:
        raise TypeError(f"`{name}` must be three ints (x, y, z), got {value!r}.")
    try:
        x, y, z = (operator.index(v) for v in value)
    except TypeError:
        raise TypeError(f"`{name}` must be three ints (x, y, z), got {value!r}.") from None
    if max(x, y, z) > MAX_AXIS:
        raise TypeError(f"`{name}` must be three ints of 32 bits, got {value!r}.")
    for axis, v in zip("xyz", (x, y, z)):
        if v < 1:
            raise LaunchError(
                f"`{name}` must be at least 1 along every axis, got {v} along {axis}: {(x, y, z)}."
            )
    return x, y, z


def check_threadgroup(threadgroup: tuple[int, int, int], limit: int = MAX_THREADS_PER_THREADGROUP) -> None:
    """`LaunchError` where `threadgroup` holds more than `limit` threads."""
    x, y, z = threadgroup
    if x * y * z > limit:
        whose = "a threadgroup" if limit == MAX_THREADS_PER_THREADGROUP else "a threadgroup of this kernel"
        raise LaunchError(
            f"Thread group size ({x * y * z}) is greater than the maximum allowed threads per threadgroup "
            f"({limit}): `threadgroup` is {threadgroup}, {x} x {y} x {z} = {x * y * z} threads; {whose} has "
            f"at most {limit}."
        )


def check_threadgroup_memory(static: int, dynamic: int = 0) -> None:
    """`LaunchError` where threadgroup memory is over the limit.

    `static` is what the kernel declares and `dynamic` what the launch adds, in bytes a threadgroup.
    """
    total = static + dynamic
    if total > MAX_THREADGROUP_BYTES:
        parts = f" ({static} in the kernel, {dynamic} in the launch)" if dynamic else ""
        raise LaunchError(
            f"Threadgroup memory size ({total}) exceeds the maximum threadgroup memory allowed "
            f"({MAX_THREADGROUP_BYTES}): the kernel asks for {total} bytes a threadgroup{parts}, "
            f"{total - MAX_THREADGROUP_BYTES} too many."
        )


def check_program(threadgroup: tuple[int, int, int], most: int | None, static: int, dynamic: int = 0) -> None:
    """`LaunchError` where a kernel cannot be launched so: `most` threads is its own limit, if it has one, and
    memory is as for `check_threadgroup_memory`.
    """
    if most is not None:
        check_threadgroup(threadgroup, min(most, MAX_THREADS_PER_THREADGROUP))
    check_threadgroup_memory(static, dynamic)


def check_buffers(count: int) -> None:
    """`LaunchError` where a kernel takes more buffers than an argument table has."""
    if count > MAX_BUFFERS:
        raise LaunchError(
            f"The kernel takes {count} buffers (each input and output is one, and each `_shape`, `_strides` "
            f"and `_ndim` that the body names); at most {MAX_BUFFERS} are allowed."
        )
