"""Private memory, slots, and where a matrix's elements lie."""

from __future__ import annotations

import pytest

from anymetal.simt import cfg, divergence, private, slots
from anymetal.simt.ir import Unsupported
from anymetal.simt.layouts import Layout
from anymetal.simt.matrix import coordinate
from anymetal.simt.prepare import prepare

DECLARED = """
declare i32 @__simt_lane()
declare i32 @__simt_threadgroup_in_grid_x()
declare ptr addrspace(1) @__simt_device_buffer(i32)
"""


def test_every_element_of_a_matrix_has_one_lane() -> None:
    places = [(row, column + j) for lane in range(32) for row, column in [coordinate(lane)] for j in range(2)]
    assert sorted(places) == [(r, c) for r in range(8) for c in range(8)]
    # Spot checks from the arrangement that MLX's kernels rely on.
    assert [coordinate(lane) for lane in (0, 1, 2, 8, 16, 31)] == [
        (0, 0),
        (0, 2),
        (1, 0),
        (0, 4),
        (4, 0),
        (7, 6),
    ]


ARRAYS = (
    """
define void @f() {
entry:
  %small = alloca [8 x i8], align 1
  %large = alloca [4 x float], align 16
  %other = alloca [3 x float], align 4
  %lane = call i32 @__simt_lane()
  %wide = zext i32 %lane to i64
  %odd = trunc i32 %lane to i1
  %a = getelementptr [8 x i8], ptr %small, i64 0, i64 %wide
  store i8 1, ptr %a
  %chosen = select i1 %odd, ptr %large, ptr %other
  %b = getelementptr float, ptr %chosen, i64 %wide
  store float 2.0, ptr %b
  %x = load float, ptr %b
  %p = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  store float %x, ptr addrspace(1) %p
  ret void
}
"""
    + DECLARED
)


def test_arrays_that_one_pointer_may_reach_share_a_region() -> None:
    _, f = prepare(ARRAYS, "f")
    memory = private.find(f)
    assert memory.regions["small"] != memory.regions["large"]
    assert memory.regions["large"] == memory.regions["other"] == memory.regions["b"]
    assert memory.regions["small"].grain == 1
    assert memory.regions["small"].size == 8
    assert memory.regions["large"].grain == 4
    first, second = sorted((memory.offsets["large"], memory.offsets["other"]))
    assert first == 0
    assert second >= (16 if memory.offsets["large"] == 0 else 12)
    assert memory.regions["large"].size >= 28
    assert private.bytes_of(memory.regions["small"]) == 8 * 32
    assert "p" not in memory.regions  # device memory is none of the thread's own


def test_the_grain_is_the_smallest_piece_that_is_touched() -> None:
    text = """
define void @f() {
entry:
  %a = alloca [4 x i32], align 4
  store i32 7, ptr %a
  %q = getelementptr i8, ptr %a, i64 2
  %h = load i16, ptr %q
  %p = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  store i16 %h, ptr addrspace(1) %p
  ret void
}
"""
    _, f = prepare(text + DECLARED, "f")
    assert private.find(f).regions["a"].grain == 2


def test_a_private_pointer_kept_in_memory_is_refused() -> None:
    text = """
define void @f() {
entry:
  %a = alloca i32, align 4
  %keep = alloca ptr, align 8
  store ptr %a, ptr %keep
  %q = load ptr, ptr %keep
  store i32 1, ptr %q
  ret void
}
"""
    _, f = prepare(text + DECLARED, "f")
    with pytest.raises(Unsupported, match="own memory"):
        private.find(f)


LOOP = (
    """
define void @f() {
entry:
  %lane = call i32 @__simt_lane()
  %group = call i32 @__simt_threadgroup_in_grid_x()
  %p = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  br label %head
head:
  %i = phi i32 [ 0, %entry ], [ %next, %head ]
  %sum = phi i32 [ 0, %entry ], [ %more, %head ]
  %step = mul i32 %i, %group
  %more = add i32 %sum, %step
  %next = add i32 %i, 1
  %on = icmp ult i32 %next, %lane
  br i1 %on, label %head, label %exit
exit:
  %wide = zext i32 %lane to i64
  %at = getelementptr i32, ptr addrspace(1) %p, i64 %wide
  store i32 %more, ptr addrspace(1) %at
  ret void
}
"""
    + DECLARED
)


def test_what_is_alive_where_lanes_wait() -> None:
    _, f = prepare(LOOP, "f")
    graph = cfg.build(f)
    found = divergence.analyse(f, graph, Layout("rows"), set())
    live = slots.live_into(f, graph, found.shapes)
    assert {"i", "sum", "lane", "group", "p"} <= live["head"]
    assert "step" not in live["head"]
    out = next(b for b in graph.order if any(i.op == "store" for i in f.blocks[b].instructions))
    assert {"lane", "p"} <= live[out]
    assert not {"i", "next", "step", "group"} & live[out]
    assert live["entry"] == set()


def test_a_loop_left_at_different_times_is_divergent_and_its_sum_differs_outside() -> None:
    _, f = prepare(LOOP, "f")
    graph = cfg.build(f)
    found = divergence.analyse(f, graph, Layout("rows"), set())
    head = next(b for b in graph.order if len(graph.successors[b]) == 2)
    assert found.divergent == {head}
    assert found.shapes["sum"].uniform  # while lanes are in the loop, they count together
    store = next(i for _, i in f.instructions() if i.op == "store")
    left = store.operands[0]
    assert not divergence.shape_of(left, found.shapes).uniform
