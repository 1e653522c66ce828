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
    vector, intrinsic = wide(stored), f"llvm.masked.gather.v32{mangle(stored)}.v32p0"
    mask = FULL if everywhere else body.active()
    if _is_slow(stored, mask):
        types = f"{wide('ptr')}, i32, {wide('i1')}, {vector}"
        inner = f"{wide('ptr')} %p, i32 {stored.size}, {wide('i1')} %mask, {vector} zeroinitializer"
        body.declared[intrinsic] = f"declare {vector} @{intrinsic}({types})"
        name = f"gather.{mangle(stored)}"
        body.declared[name] = (
            f"define internal {vector} @{name}({wide('ptr')} %p, {wide('i1')} %mask) noinline #0 {{\n"
            f"  %r = call {vector} @{intrinsic}({inner})\n  ret {vector} %r\n}}"
        )
        result = body.emit(f"call {vector} @{name}({wide('ptr')} {pointers}, {wide('i1')} {mask})")
    else:
        given = [(wide("ptr"), pointers), ("i32", str(stored.size)), (wide("i1"), mask)]
        result = body.call(vector, intrinsic, [*given, (vector, "zeroinitializer")])
    return body.emit(f"trunc {wide('i8')} {result} to {wide('i1')}") if stored != type_ else result


def scatter(body: Body, pointers: str, type_: Type, vector: str) -> None:
    """Active lanes write; where two write to one place, the last one's value stays."""
    if type_.bits == 1:
        vector, type_ = body.emit(f"zext {wide('i1')} {vector} to {wide('i8')}"), int_type(8)
    intrinsic = f"llvm.masked.scatter.v32{mangle(type_)}.v32p0"
    mask = body.active()
    if _is_slow(type_, mask):
        types = f"{wide(type_)}, {wide('ptr')}, i32, {wide('i1')}"
        inner = f"{wide(type_)} %v, {wide('ptr')} %p, i32 {type_.size}, {wide('i1')} %mask"
        body.declared[intrinsic] = f"declare void @{intrinsic}({types})"
        name = f"scatter.{mangle(type_)}"
        body.declared[name] = (
            f"define internal void @{name}({wide(type_)} %v, {wide('ptr')} %p, {wide('i1')} %mask) noinline"
            f" #0 {{\n  call void @{intrinsic}({inner})\n  ret void\n}}"
        )
        given = f"{wide(type_)} {vector}, {wide('ptr')} {pointers}, {wide('i1')} {mask}"
        body.do(f"call void @{name}({given})")
    else:
        arguments = [(wide(type_), vector), (wide("ptr"), pointers), ("i32", str(type_.size))]
        body.call("void", intrinsic, [*arguments, (wide("i1"), mask)])


def _is_slow(type_: Type, mask: str) -> bool:
    """Whether LLVM would write 32 branches, as no CPU has an instruction for it.

    They then stand in a function of their own: a kernel that has hundreds of such accesses, each in the midst
    of live vectors, would take minutes to compile.
    """
    return type_.size < 4 and mask != FULL
