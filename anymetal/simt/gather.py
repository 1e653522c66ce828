"""Memory accesses of 32 lanes at 32 addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ir import I64, Type, int_type
from .values import FULL, wide

if TYPE_CHECKING:
    from .body import Body


def mangle(type_: Type) -> str:
    """A scalar type's part in the name of an overloaded intrinsic."""
    return {"half": "f16", "bfloat": "bf16", "float": "f32", "double": "f64", "ptr": "p0"}.get(
        str(type_), str(type_)
    )


def lane_pointers(body: Body, pointers: str, at: int) -> str:
    """All addresses, ``at`` bytes on."""
    if at == 0:
        return pointers
    return body.emit(f"getelementptr i8, {wide('ptr')} {pointers}, {wide(I64)} splat (i64 {at})")


def gather(body: Body, pointers: str, type_: Type, *, everywhere: bool = False) -> str:
    """What the active lanes' addresses hold (``everywhere``: those of all lanes are good); zero in other
    lanes."""
    stored = int_type(8) if type_.bits == 1 else type_
    result = body.call(
        wide(stored),
        f"llvm.masked.gather.v32{mangle(stored)}.v32p0",
        [
            (wide("ptr"), pointers),
            ("i32", str(stored.size)),
            (wide("i1"), FULL if everywhere else body.active()),
            (wide(stored), "zeroinitializer"),
        ],
    )
    return body.emit(f"trunc {wide('i8')} {result} to {wide('i1')}") if stored != type_ else result


def scatter(body: Body, pointers: str, type_: Type, vector: str) -> None:
    """Active lanes write; where two write to one place, the last one's value stays."""
    if type_.bits == 1:
        vector, type_ = body.emit(f"zext {wide('i1')} {vector} to {wide('i8')}"), int_type(8)
    body.call(
        "void",
        f"llvm.masked.scatter.v32{mangle(type_)}.v32p0",
        [
            (wide(type_), vector),
            (wide("ptr"), pointers),
            ("i32", str(type_.size)),
            (wide("i1"), body.active()),
        ],
    )
