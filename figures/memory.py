"""Figures of how lanes and memory meet: coalescing, and the fragments of a matrix."""

from __future__ import annotations

from anymetal.simt.matrix import SIDE, coordinate
from figures.figure import Figure

SIZES = (1, 2, 4, 16)


def coalescing(*, stride: int = 1, size: int = 4, offset: int = 0, most: int = 64) -> Figure:
    """Lane i reads element offset + i · stride; the reader moves stride, offset and size.

    Args:
        stride: elements from one lane's to the next, where the slider starts.
        size: bytes of an element: 1, 2, 4 or 16.
        offset: the element of lane 0, from 0 to 31.
        most: the largest stride of the slider.

    Raises:
        ValueError: a number is outside its range.
    """
    if size not in SIZES:
        raise ValueError(f"size is {size}; it must be one of {', '.join(map(str, SIZES))} bytes.")
    if not 0 <= stride <= most:
        raise ValueError(f"stride is {stride}; it must be from 0 to most, which is {most}.")
    if not 0 <= offset < 32:
        raise ValueError(f"offset is {offset}; it must be from 0 to 31.")
    alt = (
        "32 lanes read elements a stride apart. With a stride of 1, floats fill one line of 128 bytes; with "
        "a stride of 8 or more, each lane needs a sector of 32 bytes for its 4."
    )
    data = {"stride": stride, "size": size, "offset": offset, "most": most}
    return Figure("coalescing", "Which lines 32 lanes touch", data, alt)


def fragments() -> Figure:
    """Which lane holds what of an 8 × 8 ``simdgroup_matrix``, as the compiler has it."""
    owner, element = [-1] * SIDE * SIDE, [-1] * SIDE * SIDE
    for lane in range(32):
        row, first = coordinate(lane)
        for index in (0, 1):
            place = row * SIDE + first + index
            owner[place], element[place] = lane, index
    alt = (
        "An 8 by 8 matrix in which each lane holds two neighbours in a row: "
        + "; ".join(" ".join(map(str, owner[row * SIDE : row * SIDE + SIDE])) for row in range(SIDE))
        + "."
    )
    return Figure("fragments", "Which lane holds what", {"owner": owner, "element": element}, alt)
