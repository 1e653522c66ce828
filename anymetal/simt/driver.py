"""The outermost loop, in IR: take threadgroups off a shared counter and run their SIMD-groups until all have
ended."""

from __future__ import annotations

from .intrinsics import DISPATCHED, GROUPS_PER_GRID, THREADS_PER_GRID
from .ir import LANES

NEXT, COUNT, CHUNK, THREADGROUP_OFFSET, THREADGROUP_BYTES = 0, 1, 2, 12, 13

_AXES = "xyz"


def _word(name: str, index: int) -> list[str]:
    return [
        f"  %{name}.at = getelementptr i64, ptr %launch, i64 {index}",
        f"  %{name} = load i64, ptr %{name}.at, align 8, !invariant.load !0",
    ]


def driver(entry: str, whole: str, ragged: str | None, frame: int, suspends: bool) -> str:
    """``void @entry(ptr launch, ptr scratch)``.

    whole, ragged: the SIMD-group functions for threadgroups of full size and (if they need another) of those
    cut short at the grid's edge. frame: bytes that a SIMD-group keeps between barriers.
    """
    code = [f"define void @{entry}(ptr noalias %launch, ptr noalias %scratch) #0 {{", "entry:"]
    code += _word("count", COUNT) + _word("chunk", CHUNK)
    code += _word("threadgroup.offset", THREADGROUP_OFFSET) + _word("threadgroup.bytes", THREADGROUP_BYTES)
    for number, axis in enumerate(_AXES):
        for name, first in (("grid", THREADS_PER_GRID), ("whole", DISPATCHED), ("groups", GROUPS_PER_GRID)):
            code += _word(f"{name}64.{axis}", first + number)
            code.append(f"  %{name}.{axis} = trunc i64 %{name}64.{axis} to i32")
    code += [
        "  %threadgroup = getelementptr i8, ptr %scratch, i64 %threadgroup.offset",
        "  br label %take",
        "take:",
        "  %first = atomicrmw add ptr %launch, i64 %chunk monotonic, align 8",
        "  %any = icmp slt i64 %first, %count",
        "  br i1 %any, label %taken, label %finished",
        "finished:",
        "  ret void",
        "taken:",
        "  %beyond = add i64 %first, %chunk",
        "  %last = call i64 @llvm.smin.i64(i64 %beyond, i64 %count)",
        "  br label %group",
        "group:",
        "  %number64 = phi i64 [ %first, %taken ], [ %number64.next, %group.done ]",
        "  %number = trunc i64 %number64 to i32",
        "  %group.x = urem i32 %number, %groups.x",
        "  %plane = udiv i32 %number, %groups.x",
        "  %group.y = urem i32 %plane, %groups.y",
        "  %group.z = udiv i32 %plane, %groups.y",
    ]
    for axis in _AXES:
        code += [
            f"  %start.{axis} = mul i32 %group.{axis}, %whole.{axis}",
            f"  %rest.{axis} = sub i32 %grid.{axis}, %start.{axis}",
            f"  %size.{axis} = call i32 @llvm.umin.i32(i32 %rest.{axis}, i32 %whole.{axis})",
        ]
    code += [
        "  %area = mul i32 %size.x, %size.y",
        "  %threads = mul i32 %area, %size.z",
        f"  %rounded = add i32 %threads, {LANES - 1}",
        "  %simdgroups = lshr i32 %rounded, 5",
        "  call void @llvm.memset.p0.i64(ptr %threadgroup, i8 -1, i64 %threadgroup.bytes, i1 false)",
        "  br label %round",
        "round:",
        "  %going = phi i1 [ true, %group ], [ false, %round.done ]",
        "  br label %simdgroup",
        "simdgroup:",
        "  %index = phi i32 [ 0, %round ], [ %index.next, %simdgroup.done ]",
        "  %waiting = phi i32 [ 0, %round ], [ %waiting.next, %simdgroup.done ]",
    ]
    if suspends:
        code += [
            "  %state.at = getelementptr i32, ptr %states, i32 %index",
            "  %state.old = load i32, ptr %state.at, align 4",
            "  %state = select i1 %going, i32 0, i32 %state.old",
            "  %ended = icmp eq i32 %state, 0",
            "  %rest = xor i1 %going, true",
            "  %skip = and i1 %ended, %rest",
            "  br i1 %skip, label %simdgroup.skipped, label %simdgroup.run",
            "simdgroup.skipped:",
            "  br label %simdgroup.done",
            "simdgroup.run:",
        ]
    code += [
        f"  %begin = mul i32 %index, {LANES}",
        "  %left = sub i32 %threads, %begin",
        f"  %active = call i32 @llvm.umin.i32(i32 %left, i32 {LANES})",
        "  %index64 = zext i32 %index to i64",
        f"  %frame.offset = mul i64 %index64, {frame}",
        "  %frame = getelementptr i8, ptr %scratch, i64 %frame.offset",
    ]
    arguments = (
        "ptr %launch, ptr %frame, ptr %threadgroup, i32 %index, i32 %group.x, i32 %group.y, i32 %group.z, "
        f"i32 %size.x, i32 %size.y, i32 %size.z, i32 %active, i32 {'%state' if suspends else '0'}"
    )
    if ragged is None:
        code += [f"  %new = call i32 @{whole}({arguments})", "  br label %ran", "ran:"]
    else:
        code += [
            "  %same.x = icmp eq i32 %size.x, %whole.x",
            "  %same.y = icmp eq i32 %size.y, %whole.y",
            "  %same.z = icmp eq i32 %size.z, %whole.z",
            "  %same.xy = and i1 %same.x, %same.y",
            "  %same = and i1 %same.xy, %same.z",
            "  br i1 %same, label %run.whole, label %run.ragged",
            "run.whole:",
            f"  %new.whole = call i32 @{whole}({arguments})",
            "  br label %ran",
            "run.ragged:",
            f"  %new.ragged = call i32 @{ragged}({arguments})",
            "  br label %ran",
            "ran:",
            "  %new = phi i32 [ %new.whole, %run.whole ], [ %new.ragged, %run.ragged ]",
        ]
    if suspends:
        code += [
            "  store i32 %new, ptr %state.at, align 4",
            "  %stopped = icmp ne i32 %new, 0",
            "  %one = zext i1 %stopped to i32",
            "  %more = add i32 %waiting, %one",
            "  br label %simdgroup.done",
            "simdgroup.done:",
            "  %waiting.next = phi i32 [ %waiting, %simdgroup.skipped ], [ %more, %ran ]",
        ]
        code.insert(2, f"  %states = alloca [{LANES} x i32], align 64")
    else:
        code += ["  br label %simdgroup.done", "simdgroup.done:", "  %waiting.next = add i32 %waiting, 0"]
    code += [
        "  %index.next = add i32 %index, 1",
        "  %all = icmp eq i32 %index.next, %simdgroups",
        "  br i1 %all, label %round.done, label %simdgroup",
        "round.done:",
        "  %none = icmp eq i32 %waiting.next, 0",
        "  br i1 %none, label %group.done, label %round",
        "group.done:",
        "  %number64.next = add i64 %number64, 1",
        "  %end = icmp eq i64 %number64.next, %last",
        "  br i1 %end, label %take, label %group",
        "}",
    ]
    return "\n".join(code)


DECLARED = {
    "llvm.smin.i64": "declare i64 @llvm.smin.i64(i64, i64)",
    "llvm.umin.i32": "declare i32 @llvm.umin.i32(i32, i32)",
    "llvm.memset.p0.i64": "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
}
