"""Which loads walk through memory, and that they alone are asked for ahead."""

from __future__ import annotations

import re

import pytest

from anymetal.simt import widen
from anymetal.simt.layouts import Layout
from anymetal.simt.streams import FAR_ROUNDS, MAX_STEP

KERNEL = """
define void @f() {{
entry:
  %lane = call i32 @__simt_lane()
  %in = call ptr addrspace({space}) @__simt_{buffer}(i32 0)
  %out = call ptr addrspace(1) @__simt_device_buffer(i32 1)
  %group = call i32 @__simt_{place}()
  %many = mul i32 %group, 4096
  %first = add i32 %many, %lane
  %wide = zext i32 %first to i64
  %to = getelementptr float, ptr addrspace(1) %out, i64 %wide
  br label %loop
loop:
  %k = phi i64 [ 0, %entry ], [ %next, %loop ]
  %sum = phi float [ 0.0, %entry ], [ %more, %loop ]
  %index = add i64 %k, %wide
  %at = getelementptr float, ptr addrspace({space}) %in, i64 %index
  %x = load float, ptr addrspace({space}) %at, align 4
  %more = fadd float %sum, %x
  %next = add i64 %k, {step}
  %go = icmp slt i64 %next, 4096
  br i1 %go, label %loop, label %done
done:
  store float %more, ptr addrspace(1) %to, align 4
  ret void
}}
declare i32 @__simt_lane()
declare i32 @__simt_simdgroup()
declare i32 @__simt_threadgroup_in_grid_x()
declare i32 @__simt_threads_per_grid_x()
declare ptr addrspace(1) @__simt_device_buffer(i32)
declare ptr addrspace(3) @__simt_threadgroup_buffer(i32)
"""


def prefetches(step: int, space: int = 1, buffer: str = "device_buffer", place: str = "simdgroup") -> int:
    text = KERNEL.format(step=step, space=space, buffer=buffer, place=place)
    return widen(text, "f", (Layout("rows"),)).ir.count("call void @llvm.prefetch")


@pytest.mark.parametrize("step", [32, 64, MAX_STEP // 4, -32])
def test_a_load_that_walks_is_asked_for_ahead_line_by_line(step: int) -> None:
    assert prefetches(step) == 2  # 32 floats are two cache lines


def test_a_load_that_stays_is_not() -> None:
    assert prefetches(0) == 0


@pytest.mark.parametrize("step", [MAX_STEP // 4 + 1, 4096])
def test_a_load_that_jumps_is_asked_for_as_the_rounds_will_want_it(step: int) -> None:
    text = KERNEL.format(step=step, space=1, buffer="device_buffer", place="simdgroup")
    ir = widen(text, "f", (Layout("rows"),)).ir
    assert ir.count("call void @llvm.prefetch") == 2
    assert f"i64 {FAR_ROUNDS * 4 * step}" in ir


def test_a_step_that_only_the_launch_knows_is_multiplied_out() -> None:
    text = KERNEL.format(step="%rows", space=1, buffer="device_buffer", place="simdgroup").replace(
        "  br label %loop\nloop",
        "  %size = call i32 @__simt_threads_per_grid_x()\n"
        "  %rows = zext i32 %size to i64\n  br label %loop\nloop",
        1,
    )
    ir = widen(text, "f", (Layout("rows"),)).ir
    assert ir.count("call void @llvm.prefetch") == 2
    assert re.search(rf"mul i64 %\S+, {4 * FAR_ROUNDS}\b", ir)


def test_threadgroup_memory_is_near_already() -> None:
    assert prefetches(32, 3, "threadgroup_buffer") == 0


def test_what_every_simdgroup_reads_stays_near_by_itself() -> None:
    assert prefetches(32, place="threadgroup_in_grid_x") == 2
    assert prefetches(32, place="threads_per_grid_x") == 0


def test_an_index_that_lags_a_round_behind_another_walks_too() -> None:
    text = KERNEL.format(step=64, space=1, buffer="device_buffer", place="simdgroup")
    text = text.replace("%index = add i64 %k,", "%index = add i64 %before,").replace(
        "  %sum = phi", "  %before = phi i64 [ -64, %entry ], [ %k, %loop ]\n  %sum = phi"
    )
    assert widen(text, "f", (Layout("rows"),)).ir.count("call void @llvm.prefetch") == 2
