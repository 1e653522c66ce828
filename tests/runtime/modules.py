"""Small modules, written by hand as `simt.widen` would make them. Threadgroups come off a counter."""

import ctypes
from collections.abc import Callable

import numpy as np

from anymetal.runtime.jit import Entry, Loaded

# Each threadgroup stores its number plus one into buffer 0, at its own place. An element touched twice
# would show: the store adds to what is there.
COUNT = """
define void @count(ptr %launch, ptr %scratch) {
entry:
  %groups.p = getelementptr i64, ptr %launch, i64 1
  %groups = load i64, ptr %groups.p
  %chunk.p = getelementptr i64, ptr %launch, i64 2
  %chunk = load i64, ptr %chunk.p
  %out.p = getelementptr i64, ptr %launch, i64 16
  %out.i = load i64, ptr %out.p
  %out = inttoptr i64 %out.i to ptr
  br label %take
take:
  %first = atomicrmw add ptr %launch, i64 %chunk seq_cst
  %none = icmp uge i64 %first, %groups
  br i1 %none, label %end, label %some
some:
  %past = add i64 %first, %chunk
  %fits = icmp ult i64 %past, %groups
  %last = select i1 %fits, i64 %past, i64 %groups
  br label %group
group:
  %g = phi i64 [ %first, %some ], [ %g.next, %group ]
  %at = getelementptr i32, ptr %out, i64 %g
  %old = load i32, ptr %at
  %g.i32 = trunc i64 %g to i32
  %one = add i32 %g.i32, 1
  %new = add i32 %old, %one
  store i32 %new, ptr %at
  %g.next = add i64 %g, 1
  %more = icmp ult i64 %g.next, %last
  br i1 %more, label %group, label %take
end:
  ret void
}
"""

# 32 lanes of exp(x) from buffer 0 into buffer 1, by way of libm and by way of LLVM's intrinsic.
EXP = """
declare float @erff(float)
declare <32 x float> @llvm.exp.v32f32(<32 x float>)
define void @exp(ptr %launch, ptr %scratch) {
  %in.p = getelementptr i64, ptr %launch, i64 16
  %in.i = load i64, ptr %in.p
  %in = inttoptr i64 %in.i to ptr
  %out.p = getelementptr i64, ptr %launch, i64 17
  %out.i = load i64, ptr %out.p
  %out = inttoptr i64 %out.i to ptr
  %x = load <32 x float>, ptr %in, align 4
  %e = call <32 x float> @llvm.exp.v32f32(<32 x float> %x)
  %x0 = extractelement <32 x float> %x, i32 0
  %r = call float @erff(float %x0)
  %y = insertelement <32 x float> %e, float %r, i32 0
  store <32 x float> %y, ptr %out, align 4
  ret void
}
"""

# Half and bfloat: 32 lanes of float from buffer 0, narrowed and widened again, into buffers 1 and 2.
NARROW = """
define void @narrow(ptr %launch, ptr %scratch) {
  %in.p = getelementptr i64, ptr %launch, i64 16
  %in.i = load i64, ptr %in.p
  %in = inttoptr i64 %in.i to ptr
  %h.p = getelementptr i64, ptr %launch, i64 17
  %h.i = load i64, ptr %h.p
  %h.out = inttoptr i64 %h.i to ptr
  %b.p = getelementptr i64, ptr %launch, i64 18
  %b.i = load i64, ptr %b.p
  %b.out = inttoptr i64 %b.i to ptr
  %x = load <32 x float>, ptr %in, align 4
  %h = fptrunc <32 x float> %x to <32 x half>
  %hf = fpext <32 x half> %h to <32 x float>
  store <32 x float> %hf, ptr %h.out, align 4
  %b = fptrunc <32 x float> %x to <32 x bfloat>
  %bf = fpext <32 x bfloat> %b to <32 x float>
  store <32 x float> %bf, ptr %b.out, align 4
  ret void
}
"""


def coded(function: Callable[[int, int], None]) -> Loaded:
    """A Python function of a block and a scratch as if it were machine code."""
    call = Entry(function)
    return Loaded(call=call, address=ctypes.cast(call, ctypes.c_void_p).value or 0)


def to_bfloat(x: np.ndarray) -> np.ndarray:
    """float32 rounded to bfloat16, to nearest, ties to even, as float32; by exact arithmetic in float64."""
    mantissa, exponent = np.frexp(x.astype(np.float64))
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = np.ldexp(np.round(mantissa * 256), exponent - 8)  # np.round takes ties to even
        return np.where(np.isfinite(x), rounded, x).astype(np.float32)
