"""Addresses are made again where they are used; masked accesses of small types stand in one function."""

from __future__ import annotations

from anymetal.frontend import compile_source
from anymetal.simt import layouts_for, widen
from anymetal.simt.prepare import prepare
from anymetal.simt.rematerialise import rematerialise

ACROSS = """
declare ptr addrspace(1) @__simt_device_buffer(i32)
declare i32 @__simt_lane()
define void @f() {
entry:
  %lane = call i32 @__simt_lane()
  %c = icmp ult i32 %lane, 5
  %base = call ptr addrspace(1) @__simt_device_buffer(i32 0)
  %one = getelementptr i8, ptr addrspace(1) %base, i64 4
  %two = getelementptr i8, ptr addrspace(1) %one, i64 4
  br i1 %c, label %left, label %end
left:
  store i32 1, ptr addrspace(1) %two
  store i32 2, ptr addrspace(1) %two
  br label %end
end:
  store i32 3, ptr addrspace(1) %base
  ret void
}
"""


def test_only_the_base_crosses_blocks() -> None:
    _, function = prepare(ACROSS, "f")
    rematerialise(function)
    left = function.blocks["left"].instructions
    assert [i.op for i in left] == ["getelementptr", "getelementptr", "store", "store", "br"]
    first, second, *stores = left[:4]
    assert first.operands[0].name == "base"  # type: ignore[union-attr]
    assert second.operands[0].name == first.name  # type: ignore[union-attr]
    assert {s.operands[1].name for s in stores} == {second.name}  # type: ignore[union-attr]
    assert [i.op for i in function.blocks["end"].instructions] == ["store", "ret"]


def test_masked_gathers_of_half_are_one_function() -> None:
    source = """
    kernel void f(device const half* x [[buffer(0)]], device const uint* at [[buffer(1)]],
                  device float* y [[buffer(2)]], uint i [[thread_position_in_grid]]) {
      float sum = 0;
      if (at[i] & 1) for (uint k = 0; k < 8; k++) sum += x[at[8 * i + k]];
      y[i] = sum;
    }"""
    module = compile_source(source)
    wide = widen(module.ir, module.kernels["f"].entry, layouts_for((64, 1, 1), (64, 1, 1))).ir
    assert wide.count("define internal <32 x half> @gather.f16(") == 1
    assert wide.count("call <32 x half> @gather.f16(") >= 1
    # The only masked gather of half that LLVM will take apart is the one in that function.
    masks = [line for line in wide.splitlines() if "@llvm.masked.gather.v32f16.v32p0(" in line]
    assert sum("%mask" in line for line in masks if "call" in line) == 1
