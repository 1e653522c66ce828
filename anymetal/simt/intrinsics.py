"""The short list of operations that a back end provides to Metal's headers, and what each does to a value's
shape.

Thread and threadgroup ids, buffers, cross-lane operations, barriers and 8×8 matrices: everything else that
Metal offers is built from these in the front end's headers.
"""

from __future__ import annotations

from dataclasses import replace

from . import shapes
from .ir import Instruction, Unsupported
from .layouts import Layout
from .shapes import FRAGMENT, UNIFORM, VARYING, Shape

PREFIX = "__simt_"
AXES = "xyz"
# Words of the launch block (see ``driver``): each group of three is x, y, z.
THREADS_PER_GRID, DISPATCHED, GROUPS_PER_GRID, BUFFERS, THREADGROUP_BUFFERS = 3, 6, 9, 16, 48

BARRIER = "__simt_threadgroup_barrier"
MMA = "__simt_mma"
MATRIX_LOAD = "__simt_matrix_load_"
MATRIX_STORE = "__simt_matrix_store_"

IGNORED = (
    "llvm.lifetime.",
    "llvm.assume",
    "llvm.experimental.noalias",
    "llvm.dbg.",
    "llvm.donothing",
    "llvm.prefetch",
)


def shape(instruction: Instruction, given: list[Shape], layout: Layout) -> Shape:
    """The shape of a call's result."""
    callee = instruction.callee
    if not callee.startswith(PREFIX):
        if callee.startswith(("llvm.umin.", "llvm.umax.")):
            return shapes.bitwise(callee[:9], given[0], given[1], instruction.type.bits)
        return UNIFORM if all(s.uniform for s in given) else VARYING
    name = callee.removeprefix(PREFIX)
    if name == "lane":
        return shapes.known(shapes.LANE)
    if name.startswith("thread_in_threadgroup_"):
        return layout.position(name[-1])
    if name.startswith("shuffle_"):
        # A source lane known to be the same everywhere, or a value that is, gives one value.
        return UNIFORM if given[1].uniform or given[0].uniform else VARYING
    if name.startswith("scan_"):
        return VARYING
    if name == "mma" or callee.startswith(MATRIX_LOAD):
        return FRAGMENT
    if name == "simdgroup" or "threads_per_threadgroup" in name:
        return replace(UNIFORM, limit=1025)
    if is_id(callee) or name.startswith(("reduce_", "ballot")) or name.endswith(("_buffer", "barrier")):
        return UNIFORM
    if callee.startswith(MATRIX_STORE):
        return UNIFORM
    raise Unsupported(f"the operation {callee}")


def is_id(callee: str) -> bool:
    """Whether the call asks where this thread is, or how large the launch is."""
    name = callee.removeprefix(PREFIX)
    stem = name[:-2] if name[-2:] in ("_x", "_y", "_z") else name
    return stem in (
        "lane",
        "simdgroup",
        "thread_in_threadgroup",
        "threadgroup_in_grid",
        "threads_per_threadgroup",
        "dispatch_threads_per_threadgroup",
        "threads_per_grid",
        "threadgroups_per_grid",
    )
