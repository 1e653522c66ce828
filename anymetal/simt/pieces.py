"""Several vectors made one, in the two orders that are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ir import LANES, Type
from .values import indices

if TYPE_CHECKING:
    from .body import Body


def concatenate(body: Body, vectors: list[str], lanes: int, type_: Type) -> tuple[str, int]:
    """Vectors of so many lanes behind one another, filled up to a power of two; and the length of that."""
    joined = list(vectors)
    while len(joined) & (len(joined) - 1):
        joined.append("poison")
    while len(joined) > 1:
        part = f"<{lanes} x {type_}>"
        lanes *= 2
        order = indices(list(range(lanes)))
        joined = [
            body.emit(f"shufflevector {part} {a}, {part} {b}, {order}")
            for a, b in zip(joined[::2], joined[1::2], strict=True)
        ]
    return joined[0], lanes


def interleave(body: Body, vectors: list[str], type_: Type) -> str:
    """Element 0 of each vector, then element 1 of each, …"""
    count = len(vectors)
    joined, lanes = concatenate(body, vectors, LANES, type_)
    order = indices([vector * LANES + lane for lane in range(LANES) for vector in range(count)])
    return body.emit(f"shufflevector <{lanes} x {type_}> {joined}, <{lanes} x {type_}> poison, {order}")
