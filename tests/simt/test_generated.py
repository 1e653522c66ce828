"""What is written: scalars stay scalars, neighbours become one load, full loops have no masks."""

from __future__ import annotations

import re

import llvmlite.binding as llvm
import pytest

from anymetal.simt import Unsupported, layouts_for, widen
from anymetal.simt.layouts import Layout

DECLARED = """
declare i32 @__simt_lane()
declare i32 @__simt_simdgroup()
declare i32 @__simt_thread_in_threadgroup_x()
declare i32 @__simt_threadgroup_in_grid_x()
declare ptr addrspace(1) @__simt_device_buffer(i32)
declare float @__simt_reduce_add_f32(float)
declare void @__simt_threadgroup_barrier(i32)
declare float @llvm.fmuladd.f32(float, float, float)
"""
FULL = (Layout("rows"),)
PARTIAL = (Layout("rows", partial=True),)


def widened(body: str, layouts: tuple[Layout, ...] = FULL) -> str:
    """The SIMD-group functions of a kernel with these instructions; LLVM accepts all that is written."""
    text = f"define void @f() {{\nentry:\n{body}\n}}\n{DECLARED}"
    made = widen(text, "f", layouts)
    llvm.parse_assembly(made.ir).verify()
    return made.ir[made.ir.index("@simdgroup.0(") :]


def block(text: str, label: str) -> str:
    """The instructions from one label to the next block's of the kernel."""
    return re.split(r'\n"(?:full|parted)\.|\nresume\.|\n}', text.split(f'"{label}":', 1)[1])[0]


HEAD = """
  %lane = call i32 @__simt_lane()
  %in = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  %out = call ptr addrspace(1) @__simt_device_buffer(i32 1)
  %wide = zext i32 %lane to i64
  %to = getelementptr float, ptr addrspace(1) %out, i64 %wide
"""


def test_a_uniform_value_stays_a_scalar() -> None:
    text = widened("""
  %in = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  %group = call i32 @__simt_threadgroup_in_grid_x()
  %wide = zext i32 %group to i64
  %at = getelementptr float, ptr addrspace(1) %in, i64 %wide
  %x = load float, ptr addrspace(1) %at
  %y = fmul float %x, 3.0
  store float %y, ptr addrspace(1) %at
  ret void""")
    body = block(text, "full.entry")
    assert "fmul float" in body
    assert "32 x" not in body
    assert "parted" not in text


def test_consecutive_lanes_are_one_load_and_one_store() -> None:
    body = block(
        widened(
            HEAD
            + """
  %at = getelementptr float, ptr addrspace(1) %in, i64 %wide
  %x = load float, ptr addrspace(1) %at
  store float %x, ptr addrspace(1) %to
  ret void"""
        ),
        "full.entry",
    )
    assert body.count("load <32 x float>") == 1
    assert "gather" not in body
    assert "scatter" not in body
    assert "shufflevector" not in body


@pytest.mark.parametrize(
    "index",
    [
        "%a = mul i32 %lane, 3\n  %b = add i32 %a, 0",
        "%a = and i32 %lane, 7\n  %b = mul i32 %a, 4",
        "%a = lshr i32 %lane, 2\n  %b = add i32 %a, 5",
        "%a = xor i32 %lane, 31\n  %b = add i32 %a, 0",
    ],
    ids=["stride 3", "lane % 8 * 4", "lane / 4", "backwards"],
)
def test_a_known_pattern_is_loads_and_shuffles(index: str) -> None:
    body = block(
        widened(
            HEAD
            + f"""
  {index}
  %c = zext i32 %b to i64
  %at = getelementptr float, ptr addrspace(1) %in, i64 %c
  %x = load float, ptr addrspace(1) %at
  store float %x, ptr addrspace(1) %to
  ret void"""
        ),
        "full.entry",
    )
    assert "gather" not in body
    assert "shufflevector" in body


def loaded(index: str) -> str:
    """What becomes of a load of halves at an index made of `%lane`."""
    return block(
        widened(
            HEAD
            + f"""
  {index}
  %c = zext i32 %b to i64
  %at = getelementptr half, ptr addrspace(1) %in, i64 %c
  %x = load half, ptr addrspace(1) %at
  %y = fpext half %x to float
  store float %y, ptr addrspace(1) %to
  ret void"""
        ),
        "full.entry",
    )


def test_an_odd_count_is_two_loads_that_overlap() -> None:
    body = loaded("%b = mul i32 %lane, 4")  # 125 halves
    assert body.count("load <64 x half>") == 2
    assert "load <125 x half>" not in body


def test_what_half_of_the_lanes_share_is_a_scalar_for_each_half() -> None:
    body = loaded("%b = lshr i32 %lane, 4")
    assert body.count("= load half,") == 2
    assert "load <" not in body


def test_addresses_that_vary_are_gathered() -> None:
    body = block(
        widened(
            HEAD
            + """
  %at = getelementptr i32, ptr addrspace(1) %in, i64 %wide
  %i = load i32, ptr addrspace(1) %at
  %j = zext i32 %i to i64
  %there = getelementptr float, ptr addrspace(1) %in, i64 %j
  %x = load float, ptr addrspace(1) %there
  store float %x, ptr addrspace(1) %to
  ret void"""
        ),
        "full.entry",
    )
    assert body.count("llvm.masked.gather.v32f32") == 1


GEMV = (
    HEAD
    + """
  %group = call i32 @__simt_threadgroup_in_grid_x()
  %n = zext i32 %group to i64
  %row = mul i64 %n, 4096
  br label %loop
loop:
  %k = phi i64 [ 0, %entry ], [ %k.next, %loop ]
  %sum = phi float [ 0.0, %entry ], [ %sum.next, %loop ]
  %here = add i64 %k, %wide
  %there = add i64 %here, %row
  %w.at = getelementptr float, ptr addrspace(1) %in, i64 %there
  %x.at = getelementptr float, ptr addrspace(1) %out, i64 %here
  %w = load float, ptr addrspace(1) %w.at
  %x = load float, ptr addrspace(1) %x.at
  %sum.next = call float @llvm.fmuladd.f32(float %w, float %x, float %sum)
  %k.next = add i64 %k, 32
  %on = icmp ult i64 %k.next, 4096
  br i1 %on, label %loop, label %done
done:
  %all = call float @__simt_reduce_add_f32(float %sum.next)
  %first = icmp eq i32 %lane, 0
  br i1 %first, label %write, label %end
write:
  %y = getelementptr float, ptr addrspace(1) %out, i64 %n
  store float %all, ptr addrspace(1) %y
  br label %end
end:
  ret void"""
)


@pytest.mark.parametrize("layouts", [FULL, PARTIAL], ids=["full", "partial"])
def test_the_inner_loop_of_a_gemv_has_no_mask(layouts: tuple[Layout, ...]) -> None:
    text = widened(GEMV, layouts)
    body = block(text, "full.loop")
    assert body.count("load <32 x float>, ptr %v") >= 2  # the weights and the vector
    assert "llvm.fmuladd.v32f32" in body
    for word in ("<32 x i1>", "masked", "gather", "select", "mask."):
        assert word not in body
    # Only where a SIMD-group may lack lanes is there a second copy of the loop.
    assert ('"parted.loop":' in text) == (layouts is PARTIAL)


def test_lanes_part_only_where_they_must() -> None:
    text = widened(GEMV)
    assert '"parted.write":' in text
    assert '"parted.entry":' not in text


BARRIER = (
    HEAD
    + """
  %at = getelementptr float, ptr addrspace(1) %in, i64 %wide
  %x = load float, ptr addrspace(1) %at
  call void @__simt_threadgroup_barrier(i32 2)
  store float %x, ptr addrspace(1) %to
  ret void"""
)


def test_a_barrier_saves_what_is_alive_and_returns() -> None:
    text = f"define void @f() {{\nentry:\n{BARRIER}\n}}\n{DECLARED}"
    made = widen(text, "f", layouts_for((256, 1, 1), (256, 1, 1)))
    llvm.parse_assembly(made.ir).verify()
    assert "resume.1" in made.ir
    assert made.frame_bytes % 128 == 0
    assert 128 <= made.frame_bytes <= 256  # the 32 loaded numbers, and no more than a few words beside
    assert made.buffers == frozenset({0, 1})
    assert made.threadgroup_bytes == 0


def test_without_a_barrier_nothing_is_kept() -> None:
    text = f"define void @f() {{\nentry:\n{GEMV}\n}}\n{DECLARED}"
    made = widen(text, "f", FULL)
    assert made.frame_bytes == 0
    assert "resume" not in made.ir


def test_threadgroup_variables_get_places_of_their_own() -> None:
    text = f"""@a = internal addrspace(3) global [5 x i8] undef, align 1
@b = internal addrspace(3) global [16 x float] undef, align 16
define void @f() {{
entry:
  %lane = call i32 @__simt_lane()
  %wide = zext i32 %lane to i64
  %p = getelementptr i8, ptr addrspace(3) @a, i64 %wide
  store i8 1, ptr addrspace(3) %p
  %q = getelementptr float, ptr addrspace(3) @b, i64 %wide
  store float 1.0, ptr addrspace(3) %q
  ret void
}}
{DECLARED}"""
    made = widen(text, "f", FULL)
    llvm.parse_assembly(made.ir).verify()
    assert made.threadgroup_bytes >= 5 + 64
    assert made.threadgroup_bytes <= 128


def test_what_cannot_be_widened_is_named() -> None:
    text = f"""define void @f() {{
entry:
  call void @mystery(i32 1)
  ret void
}}
declare void @mystery(i32)
{DECLARED}"""
    with pytest.raises(Unsupported, match="mystery"):
        widen(text, "f", FULL)


def test_the_same_kernel_is_written_the_same_way_twice() -> None:
    assert widened(GEMV, PARTIAL) == widened(GEMV, PARTIAL)
