"""Arrays to grade with: random, never symmetric, each with a red zone of NaN on both sides.

An input is a slice out of the middle of a larger array that holds NaN everywhere else. MLX passes such a
slice to a kernel as it is, so a kernel that reads past either end reads NaN, and its result says so. Round
packed numbers every bit is set, which is a NaN too where a scale is read from it.
"""

from __future__ import annotations

from collections.abc import Mapping

import mlx.core as mx
import numpy as np

from grader.exercise import DTYPES, Case, Exercise, Float64
from kernels.tolerance import exact

ZONE_BEFORE = 256
# A wrong kernel may take any size for the length of a row, and round any size up to a threadgroup's edge. The
# zone behind covers what it then reads, so that the process survives. Of large cases it covers the beginning:
# the first cases are small, and a kernel that is wrong there goes no further.
LARGEST_THREADGROUP_EDGE = 128
RED_ZONE_MOST = 1 << 20
UNSIGNED = {1: mx.uint8, 2: mx.uint16, 4: mx.uint32}


def make(
    exercise: Exercise, case: Case, seed: int, *, red_zones: bool = True
) -> tuple[dict[str, mx.array], dict[str, Float64]]:
    """The arrays of one case: as MLX arrays for the kernel, and their exact values in float64.

    `red_zones=False` leaves the NaN before and behind away, which cost more memory than large arrays.
    """
    rng = np.random.default_rng(seed)
    values: dict[str, Float64] = {}
    for name, axes in exercise.drawn.items():
        shape = exercise.shape(axes, case)
        if case.data == "positive":
            values[name] = rng.uniform(0.5, 1.5, shape)
        else:
            values[name] = rng.standard_normal(shape) * case.scale
    if case.data == "cancelling":
        _cancel(exercise, values, rng)
    packed, stands_for = _encoded(exercise, values, case)
    plain = [name for name in exercise.arguments if name not in packed]
    if case.data in ("nan", "inf"):
        _put_special(case.data, {name: values[name] for name in plain})
    behind = min((max(case.sizes.values()) + LARGEST_THREADGROUP_EDGE) ** 2, RED_ZONE_MOST)
    dtype = DTYPES[case.dtype]
    arrays: dict[str, mx.array] = {}
    for name in exercise.arguments:
        if name in packed:
            arrays[name] = packed_with_red_zones(packed[name], behind) if red_zones else packed[name]
        elif red_zones:
            arrays[name] = with_red_zones(values[name], dtype, behind)
        else:
            arrays[name] = mx.array(values[name].astype(np.float32)).astype(dtype)
    mx.eval(*arrays.values())
    return arrays, {**values, **{name: exact(arrays[name]) for name in plain}, **stands_for}


def _encoded(
    exercise: Exercise, values: Mapping[str, Float64], case: Case
) -> tuple[dict[str, mx.array], Mapping[str, Float64]]:
    """The packed arguments, and the numbers that they stand for."""
    if exercise.encoding is None:
        return {}, {}
    given, stands_for = exercise.encoding.encode(values, case)
    packed = {
        name: array if isinstance(array, mx.array) else mx.array(array) for name, array in given.items()
    }
    for name, array in packed.items():
        needed = exercise.shape(exercise.arguments[name], case)
        if tuple(array.shape) != needed:
            raise ValueError(f"{exercise.id} packs {name} in shape {tuple(array.shape)}; it needs {needed}.")
    return packed, stands_for


def packed_with_red_zones(array: mx.array, behind: int) -> mx.array:
    """`array`, of any dtype, in a buffer with elements of bytes 0xFF before it and `behind` of them after."""
    bits = UNSIGNED[array.dtype.size]
    flat = mx.concatenate(
        [
            mx.full((ZONE_BEFORE,), 2 ** (8 * array.dtype.size) - 1, dtype=bits),
            array.reshape(-1).view(bits),
            mx.full((behind,), 2 ** (8 * array.dtype.size) - 1, dtype=bits),
        ]
    )
    whole = flat.view(array.dtype)
    mx.eval(whole)  # a slice of what is in memory is a view; of what is not, a copy
    view = whole[ZONE_BEFORE : ZONE_BEFORE + array.size].reshape(array.shape)
    mx.eval(view)
    return view


def with_red_zones(values: Float64, dtype: mx.Dtype, behind: int) -> mx.array:
    """`values` rounded to `dtype`, in a buffer with NaN before and `behind` times NaN behind."""
    flat = np.full(ZONE_BEFORE + values.size + behind, np.nan, np.float32)
    flat[ZONE_BEFORE : ZONE_BEFORE + values.size] = values.ravel()
    whole = mx.array(flat).astype(dtype)
    view = whole[ZONE_BEFORE : ZONE_BEFORE + values.size].reshape(values.shape)
    mx.eval(view)
    return view


def _cancel(exercise: Exercise, values: dict[str, Float64], rng: np.random.Generator) -> None:
    """Make neighbouring products nearly opposite, so that what is left is as small as a half's rounding.

    Along the summed axis, the odd entries repeat the even ones: the first argument exactly, the others
    negated and changed by about one part in 500. A product rounded to half before it is added loses the
    answer.
    """
    for position, (name, axes) in enumerate(exercise.drawn.items()):
        if exercise.terms not in axes:
            continue
        value = np.moveaxis(values[name], axes.index(exercise.terms), 0)  # a view
        even = value[0 : value.shape[0] // 2 * 2 : 2]
        change = 1 + rng.uniform(1, 3, even.shape) / 1000
        value[1::2] = even if position == 0 else -even * change


def _put_special(kind: str, values: Mapping[str, Float64]) -> None:
    """One NaN, or one +∞ and one −∞, each in the middle of an argument."""
    for position, value in enumerate(values.values()):
        if kind == "nan" and position > 0:
            return
        special = np.nan if kind == "nan" else (np.inf if position == 0 else -np.inf)
        value[tuple(size // 2 for size in value.shape)] = special
