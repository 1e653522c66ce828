"""How a threadgroup's threads fall onto SIMD-groups, and so what is known of
``thread_position_in_threadgroup``.

Threads are numbered x first, then y, then z, and each 32 in a row make a SIMD-group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import shapes
from .ir import LANES
from .shapes import Shape

_UNIFORM = Shape("linear", limit=1024)


@dataclass(frozen=True)
class Layout:
    """One arrangement of a threadgroup.

    kind: ``rows`` (x is a multiple of 32 wide, or y = z = 1: lanes run along x), ``tile`` (x and y are powers
    of two, x below 32: lanes cover a known tile), ``any`` (nothing is known). x, y: the tile's extent.
    partial: a SIMD-group may have fewer than 32 threads. large: a buffer holds 2 GiB or more, so 32-bit
    indices may wrap between lanes.
    """

    kind: str
    x: int = 0
    y: int = 0
    partial: bool = False
    large: bool = False

    def position(self, axis: str) -> Shape:
        """The shape of ``thread_position_in_threadgroup`` along an axis."""
        if self.kind == "rows":
            return Shape("linear", shapes.LANE, align=LANES, limit=1024) if axis == "x" else _UNIFORM
        if self.kind == "tile":
            if axis == "x":
                return shapes.known(tuple(lane % self.x for lane in range(LANES)))
            if axis == "y" and self.x * self.y <= LANES:
                return shapes.known(tuple(lane // self.x % self.y for lane in range(LANES)))
            rows = tuple(lane // self.x for lane in range(LANES))
            if axis == "y":
                return Shape("linear", rows, align=LANES // self.x, limit=1024)
            planes = tuple(lane // (self.x * self.y) for lane in range(LANES))
            align = LANES // (self.x * self.y) if planes != shapes.ZERO else 1
            return Shape("linear", planes, align=align, limit=1024)
        return shapes.VARYING


def _is_power_of_two(n: int) -> bool:
    return n > 0 and n & (n - 1) == 0


def layouts_for(
    grid: Sequence[int], threadgroup: Sequence[int], *, large: bool = False
) -> tuple[Layout, ...]:
    """The layouts a launch needs: the one of whole threadgroups first, then that of ragged ones, if it is
    another.

    grid, threadgroup: threads along x, y and z; the threadgroup already cut to the grid.
    """
    edges = tuple(n % t for n, t in zip(grid, threadgroup, strict=True))
    shapes_used = {tuple(threadgroup)}
    for mask in range(1, 8):
        cut = tuple(
            e if mask >> axis & 1 else t for axis, (e, t) in enumerate(zip(edges, threadgroup, strict=True))
        )
        if all(cut) and all(not (mask >> axis & 1) or (edges[axis] and grid[axis] > 0) for axis in range(3)):
            shapes_used.add(cut)
    partial = any(x * y * z % LANES for x, y, z in shapes_used)

    def along_x(x: int, y: int, z: int) -> bool:
        return x % LANES == 0 or y * z == 1

    if all(along_x(*s) for s in shapes_used):
        return (Layout("rows", partial=partial, large=large),)
    x, y, z = threadgroup
    if along_x(x, y, z):
        whole = Layout("rows", partial=x * y * z % LANES != 0, large=large)
    elif x < LANES and _is_power_of_two(x) and _is_power_of_two(y):
        whole = Layout("tile", x, y, partial=x * y * z % LANES != 0, large=large)
    else:
        return (Layout("any", partial=partial, large=large),)
    if len(shapes_used) == 1:
        return (whole,)
    return (whole, Layout("any", partial=partial, large=large))
