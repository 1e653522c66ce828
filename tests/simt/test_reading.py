"""IR text to objects, LLVM's clean-up before, and integer vectors taken apart."""

from __future__ import annotations

import pytest

from anymetal.simt import prepare as prepare_module
from anymetal.simt.ir import (
    BFLOAT,
    FLOAT,
    HALF,
    I1,
    I8,
    I32,
    I64,
    Constant,
    GlobalRef,
    Instruction,
    Local,
    Type,
    Unsupported,
    layout,
    pointer_type,
    scalars,
    vector_type,
)
from anymetal.simt.parse import parse_module
from anymetal.simt.prepare import prepare
from anymetal.simt.scalarise import scalarise

KERNEL = """
%pair = type { i8, <2 x half>, [3 x float] }
@table = internal addrspace(2) constant [2 x i32] [i32 7, i32 -1], align 4
@shared = internal addrspace(3) global [16 x float] undef, align 16

define void @f() {
entry:
  %lane = call i32 @__simt_lane()
  %out = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  %wide = zext nneg i32 %lane to i64
  %at = getelementptr inbounds %pair, ptr addrspace(1) %out, i64 %wide, i32 2, i64 1
  %low = icmp samesign ult i32 %lane, 16
  br i1 %low, label %yes, label %no, !prof !0
yes:
  %x = load float, ptr addrspace(1) %at, align 4, !tbaa !1
  %y = fadd fast float %x, 1.5
  br label %no
no:
  %z = phi float [ %y, %yes ], [ 0x7FF8000000000000, %entry ]
  %c = load i32, ptr addrspace(2) getelementptr inbounds (i8, ptr addrspace(2) @table, i64 4), align 4
  %s = uitofp i32 %c to float
  %t = tail call contract float @llvm.fmuladd.f32(float %z, float %s, float noundef -2.0)
  store float %t, ptr addrspace(3) @shared, align 4
  ret void
}
declare i32 @__simt_lane()
declare ptr addrspace(1) @__simt_device_buffer(i32)
declare float @llvm.fmuladd.f32(float, float, float)
"""


def test_a_whole_kernel_is_read() -> None:
    module = parse_module(KERNEL)
    f = module.functions["f"]
    assert list(f.blocks) == ["entry", "yes", "no"]
    named = {i.name: i for _, i in f.instructions() if i.name}
    assert named["lane"].callee == "__simt_lane"
    assert named["out"].type == pointer_type(1)
    assert named["at"].op == "getelementptr"
    assert named["at"].attributes["source"].kind == "struct"
    assert named["low"].attributes["predicate"] == "ult"
    assert named["low"].type == I1
    assert named["y"].attributes["flags"] == ["fast"] or "fast" in named["y"].attributes["flags"]
    assert named["z"].attributes["sources"] == ["yes", "entry"]
    assert named["z"].operands[0] == Local("y", FLOAT)
    assert named["t"].callee == "llvm.fmuladd.f32"
    reference = named["c"].operands[0]
    assert isinstance(reference, GlobalRef)
    assert (reference.name, reference.offset) == ("table", 4)
    assert f.blocks["entry"].successors == ["yes", "no"]
    assert f.blocks["no"].terminator.op == "ret"
    assert [i.name for i in f.blocks["no"].phis] == ["z"]
    assert module.globals["shared"].address_space == 3
    assert module.globals["shared"].type.size == 64
    assert module.globals["table"].address_space == 2


def test_what_is_not_known_is_named() -> None:
    text = "define void @f() {\nentry:\n  %x = landingpad { ptr, i32 } cleanup\n  ret void\n}\n"
    with pytest.raises(Unsupported, match="landingpad"):
        parse_module(text)


@pytest.mark.parametrize(
    ("type_", "size", "align"),
    [
        (I1, 1, 1),
        (I8, 1, 1),
        (HALF, 2, 2),
        (BFLOAT, 2, 2),
        (FLOAT, 4, 4),
        (I64, 8, 8),
        (pointer_type(1), 8, 8),
        (vector_type(2, HALF), 4, 4),
        (vector_type(3, FLOAT), 16, 16),  # as in Metal: three take the room of four
        (vector_type(4, I8), 4, 4),
        (Type("array", "[3 x float]", length=3, elements=(FLOAT,)), 12, 4),
        (Type("struct", "{ i8, float, i8 }", elements=(I8, FLOAT, I8)), 12, 4),
        (Type("struct", "<{ i8, float, i8 }>", elements=(I8, FLOAT, I8), packed=True), 6, 1),
    ],
    ids=str,
)
def test_sizes(type_: Type, size: int, align: int) -> None:
    assert (type_.size, type_.align) == (size, align)


def test_scalars_of_nested_types() -> None:
    inner = vector_type(2, HALF)
    nested = Type(
        "struct",
        "{ i8, <2 x half>, [2 x float] }",
        elements=(I8, inner, Type("array", "[2 x float]", length=2, elements=(FLOAT,))),
    )
    assert scalars(nested) == ((I8, 0), (HALF, 4), (HALF, 6), (FLOAT, 8), (FLOAT, 12))
    assert layout(nested)[2] == (0, 4, 8)


SWITCH = """
define void @f() {
entry:
  %lane = call i32 @__simt_lane()
  switch i32 %lane, label %other [ i32 1, label %one
    i32 5, label %five ]
one:
  br label %end
five:
  br label %end
other:
  br label %end
end:
  %v = phi i32 [ 10, %one ], [ 50, %five ], [ 0, %other ]
  %p = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  store i32 %v, ptr addrspace(1) %p
  ret void
}
define void @unused() {
  ret void
}
declare i32 @__simt_lane()
declare ptr addrspace(1) @__simt_device_buffer(i32)
"""


def test_switches_become_branches_and_other_kernels_go() -> None:
    module, f = prepare(SWITCH, "f")
    assert list(module.functions) == ["f"]
    assert {i.op for _, i in f.instructions() if i.op in ("br", "switch", "ret")} == {"br", "ret"}
    assert all(len(b.successors) <= 2 for b in f.blocks.values())


LOOP = """
define void @f() {
entry:
  %n = call i32 @__simt_lane()
  br label %head
head:
  %i = phi i32 [ 0, %entry ], [ %next, %a ], [ %next, %b ]
  %next = add i32 %i, 1
  %odd = trunc i32 %i to i1
  br i1 %odd, label %a, label %b
a:
  %more = icmp ult i32 %next, %n
  br i1 %more, label %head, label %end
b:
  %again = icmp ult i32 %next, 9
  br i1 %again, label %head, label %end
end:
  %p = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  store i32 %next, ptr addrspace(1) %p
  ret void
}
declare i32 @__simt_lane()
declare ptr addrspace(1) @__simt_device_buffer(i32)
"""


def test_loops_get_one_latch_and_values_leave_through_phis() -> None:
    _, f = prepare(LOOP, "f")
    sources = [b.name for b in f.blocks.values() if "head" in b.successors]
    assert len(sources) == 2  # the way in and one latch
    store = next(i for _, i in f.instructions() if i.op == "store")
    left = store.operands[0]
    assert isinstance(left, Local)
    home = {i.name: i for _, i in f.instructions() if i.name}
    assert home[left.name].op == "phi"


def test_a_kernel_that_is_not_there() -> None:
    assert prepare_module  # the pass under test
    with pytest.raises(Unsupported, match="'g'"):
        prepare(LOOP, "g")


VECTORS = """
define void @f() {
entry:
  %x = call i32 @__simt_thread_in_threadgroup_x()
  %y = call i32 @__simt_thread_in_threadgroup_y()
  %p = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  %a = insertelement <2 x i32> poison, i32 %x, i64 0
  %b = insertelement <2 x i32> %a, i32 %y, i64 1
  %c = mul <2 x i32> %b, <i32 8, i32 4>
  %d = shufflevector <2 x i32> %c, <2 x i32> poison, <2 x i32> <i32 1, i32 0>
  %e = call <2 x i32> @llvm.umin.v2i32(<2 x i32> %d, <2 x i32> <i32 100, i32 200>)
  %g = extractelement <2 x i32> %e, i64 1
  store i32 %g, ptr addrspace(1) %p
  store <2 x i32> %e, ptr addrspace(1) %p
  ret void
}
declare i32 @__simt_thread_in_threadgroup_x()
declare i32 @__simt_thread_in_threadgroup_y()
declare ptr addrspace(1) @__simt_device_buffer(i32)
declare <2 x i32> @llvm.umin.v2i32(<2 x i32>, <2 x i32>)
"""


def test_integer_vectors_are_taken_apart_and_put_together_where_needed() -> None:
    _, f = prepare(VECTORS, "f")
    scalarise(f)
    named = {i.name: i for _, i in f.instructions() if i.name}
    single, whole = (i for _, i in f.instructions() if i.op == "store")

    def at(operand: object) -> Instruction:
        assert isinstance(operand, Local)
        return named[operand.name]

    least = at(single.operands[0])
    assert least.callee == "llvm.umin.i32"
    assert least.operands[1] == Constant(I32, 200)
    product = at(least.operands[0])
    assert (product.op, product.type) == ("mul", I32)
    assert product.operands[1] == Constant(I32, 8)
    assert at(product.operands[0]).callee.endswith("_x")
    assert at(whole.operands[0]).op == "insertelement"
    assert not any(i.op == "mul" and i.type.kind == "vector" for i in named.values())
