"""Runs of loads and stores that become whole rows, and what they copy."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from anymetal.simt import widen
from anymetal.simt.layouts import Layout

KERNEL = """
define void @f() {{
entry:
  %lane = call i32 @__simt_lane()
  %in = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  %out = call ptr addrspace(1) @__simt_device_buffer(i32 1)
  %wide = zext i32 %lane to i64
  %row = lshr i64 %wide, 1
  %half = and i64 %wide, 1
  %first = mul i64 %row, {pitch}
  %inside = mul i64 %half, 4
  %index = add i64 %first, %inside
  %from = getelementptr i32, ptr addrspace(1) %in, i64 %index
  %to = getelementptr i32, ptr addrspace(1) %out, i64 %index
{body}
  ret void
}}
declare i32 @__simt_lane()
declare ptr addrspace(1) @__simt_device_buffer(i32)
"""


def run(count: int, more: str = "") -> str:
    """Each lane copies `count` neighbouring elements; two lanes a row."""
    lines = []
    for i in range(count):
        lines.append(f"  %p{i} = getelementptr i8, ptr addrspace(1) %from, i64 {4 * i}")
        lines.append(f"  %x{i} = load i32, ptr addrspace(1) %p{i}, align 4")
    for i in range(count):
        lines.append(f"  %q{i} = getelementptr i8, ptr addrspace(1) %to, i64 {4 * i}")
        lines.append(f"  store i32 %x{i}, ptr addrspace(1) %q{i}, align 4")
    return widen(KERNEL.format(pitch=100, body="\n".join([*lines, more])), "f", (Layout("rows"),)).ir


def test_neighbours_that_meet_move_rows() -> None:
    ir = run(4)
    assert ir.count("load <8 x i32>") == ir.count("store <8 x i32>") == 16
    assert "gather" not in ir.split("parted")[0]


def test_a_run_too_short_is_left_alone() -> None:
    assert "<8 x i32>" not in run(2)


def test_a_value_that_is_used_elsewhere_too_is_loaded() -> None:
    again = "  %r = getelementptr i8, ptr addrspace(1) %to, i64 16\n"
    ir = run(4, more=again + "  store i32 %x1, ptr addrspace(1) %r, align 4")
    assert "<8 x i32>" not in ir


@pytest.mark.parametrize("shift", [0, 1])
def test_all_of_a_run_is_read_before_any_is_written(shift: int) -> None:
    """Each lane moves eight elements up by one, within its own memory."""
    anymetal.install()
    kernel: Any = mx.fast.metal_kernel(
        name=f"move_{shift}",
        input_names=["x"],
        output_names=["y"],
        source=f"""
        uint lane = thread_position_in_grid.x;
        threadgroup float tile[32 * 12];
        threadgroup float* mine = tile + lane * 12;
        for (int i = 0; i < 12; i++) mine[i] = x[lane * 12 + i];
        float held[8];
        for (int i = 0; i < 8; i++) held[i] = mine[i];
        for (int i = 0; i < 8; i++) mine[i + {shift}] = held[i];
        for (int i = 0; i < 12; i++) y[lane * 12 + i] = mine[i];
        """,
    )
    x = np.arange(32 * 12, dtype=np.float32)
    (y,) = kernel(
        inputs=[mx.array(x)],
        grid=(32, 1, 1),
        threadgroup=(32, 1, 1),
        output_shapes=[x.shape],
        output_dtypes=[mx.float32],
    )
    want = x.reshape(32, 12).copy()
    want[:, shift : shift + 8] = x.reshape(32, 12)[:, :8]
    np.testing.assert_array_equal(np.array(y), want.ravel())
