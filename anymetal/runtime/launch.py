"""A launch: the block that the machine code reads, memory for each worker, and threads over threadgroups.

Every worker runs the same function. It takes threadgroups off a counter in the launch block, a few at a
time, until there are none left; so a slow threadgroup delays nobody but itself. The calling thread is one
of the workers, and it never waits for a helper that has not yet begun: a busy machine costs speed, not
progress.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from anymetal.runtime.limits import MAX_BUFFERS, SIMD_WIDTH

if TYPE_CHECKING:
    from anymetal.runtime.jit import Loaded
    from anymetal.runtime.pool import Pool

# The launch block is int64[96]; what each slot means is the contract between this module and `simt`.
SLOTS = 96
NEXT, GROUPS, CHUNK = 0, 1, 2
GRID, THREADGROUP, GROUPS_PER_GRID = 3, 6, 9
THREADGROUP_OFFSET, THREADGROUP_BYTES = 12, 13
BUFFER, THREADGROUP_ARGUMENT = 16, 48
ALIGN = 128

_Block = ctypes.c_int64 * SLOTS
Size3 = tuple[int, int, int]

# Below this, waking a helper costs more than it saves.
SMALL_NS = 40_000
# Launches running that must take longer before it is believed: one may have lost its CPU to another process.
SLOW = 3
# About so many helpings a worker: few enough that the counter costs nothing, enough that nobody waits long
# for the last one.
HELPINGS = 64

_threads: contextvars.ContextVar[int | None] = contextvars.ContextVar("anymetal_threads", default=None)


def _up(n: int, to: int) -> int:
    return -(-n // to) * to


@lru_cache(maxsize=1)
def available_threads() -> int:
    """How many CPUs this process may use: those it may run on, or fewer where its container has a quota."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cpus, -(-int(quota) // int(period))))
    except (OSError, ValueError):  # no such file, or "max": no quota
        return cpus


def _as_thread_count(value: object, name: str) -> int:
    try:
        count = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        count = 0
    if isinstance(value, float) or not 1 <= count <= 4096:
        raise ValueError(f"{name} must be a whole number of threads from 1 to 4096, got {value!r}.")
    return int(count)


def thread_count() -> int:
    """Threads that a launch may use: `threads(n)`, else the variable ANYMETAL_THREADS, else one for each
    CPU.
    """
    here = _threads.get()
    if here is not None:
        return here
    text = os.environ.get("ANYMETAL_THREADS")
    return _as_thread_count(text, "ANYMETAL_THREADS") if text else available_threads()


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Launches inside the `with` block, in this Python thread, use at most `n` CPU threads."""
    token = _threads.set(_as_thread_count(n, "`n`"))
    try:
        yield
    finally:
        _threads.reset(token)


@dataclass
class Plan:
    """All that launches of one kernel over one grid have in common. Sizes are in threads, memory in bytes.

    `small`, `tries` and `slow` are what earlier launches taught: whether one thread does it sooner than
    helpers wake, how often that may still be tried, and how many launches running have spoken against it.
    """

    code: Loaded
    block: bytes
    groups: int
    scratch: int
    small: bool = False
    tries: int = 2
    slow: int = 0


def plan(
    code: Loaded,
    *,
    grid: Size3,
    threadgroup: Size3,
    frame_bytes: int,
    threadgroup_bytes: int,
    threadgroup_arguments: Sequence[int] = (),
) -> Plan:
    """Lays out the launch block and a worker's scratch.

    `grid` counts threads; `threadgroup` is cut to it, axis by axis. `frame_bytes` is what a SIMD-group
    keeps across barriers, `threadgroup_bytes` the kernel's own threadgroup memory; `threadgroup_arguments`
    are the sizes in bytes of [[threadgroup(0)]], [[threadgroup(1)]] and so on. Sizes are taken as checked
    (see `limits`).
    """
    size = tuple(min(t, g) for t, g in zip(threadgroup, grid))
    counts = tuple(-(-g // t) for t, g in zip(size, grid))
    groups = counts[0] * counts[1] * counts[2]
    simdgroups = -(-size[0] * size[1] * size[2] // SIMD_WIDTH)
    block = _Block()
    block[GROUPS] = groups
    block[CHUNK] = 1
    block[GRID : GRID + 3] = list(grid)
    block[THREADGROUP : THREADGROUP + 3] = list(size)
    block[GROUPS_PER_GRID : GROUPS_PER_GRID + 3] = list(counts)
    offset = _up(simdgroups * frame_bytes, ALIGN)
    end = threadgroup_bytes
    for i, nbytes in enumerate(threadgroup_arguments):
        end = _up(end, 16)  # Metal aligns each argument's memory to 16 bytes
        block[THREADGROUP_ARGUMENT + i] = end  # from where threadgroup memory begins
        end += nbytes
    block[THREADGROUP_OFFSET] = offset
    block[THREADGROUP_BYTES] = end
    return Plan(code=code, block=bytes(block), groups=groups, scratch=offset + _up(end, ALIGN))


class _Scratch(threading.local):
    """A worker thread's memory, kept from launch to launch while it is small."""

    KEEP = 4 << 20

    def __init__(self) -> None:
        self.size = 0
        self.memory: ctypes.Array[ctypes.c_char] | None = None

    def take(self, size: int) -> tuple[int, object]:
        """The address of at least `size` bytes, aligned, and the object that owns them."""
        memory = self.memory
        if memory is None or size > self.size:
            memory = ctypes.create_string_buffer(size + ALIGN)
            if size <= self.KEEP:
                self.memory, self.size = memory, size
        return _up(ctypes.addressof(memory), ALIGN), memory


_scratch = _Scratch()


_pool: Pool | None = None
_pool_lock = threading.Lock()


def _helpers() -> Pool:
    """The process's pool, made when first needed: a launch on one thread asks for none."""
    global _pool
    if _pool is None:
        with _pool_lock:
            if _pool is None:
                from anymetal.runtime.pool import Pool

                _pool = Pool()
    return _pool


def _after_fork() -> None:
    global _pool, _pool_lock  # the parent's threads do not exist in the child
    _pool, _pool_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def launch(plan: Plan, buffers: Mapping[int, int] | Sequence[int]) -> None:
    """Runs a kernel over its grid and returns when every threadgroup is done.

    `buffers` gives the address of each [[buffer(i)]], by index. The caller owns what lies there: nothing,
    Ctrl-C included, ends a launch before no thread uses it any more.
    """
    block = _Block.from_buffer_copy(plan.block)
    items = buffers.items() if isinstance(buffers, Mapping) else enumerate(buffers)
    for i, address in items:
        if not 0 <= i < MAX_BUFFERS:
            raise IndexError(f"buffer index {i} is not in 0..{MAX_BUFFERS - 1}")
        block[BUFFER + i] = address
    helpers = min(thread_count(), plan.groups) - 1
    scratch, _owner = _scratch.take(plan.scratch)
    at = ctypes.addressof(block)
    if helpers == 0:
        block[CHUNK] = plan.groups
        plan.code.call(at, scratch)
        return
    start = time.perf_counter_ns()
    if plan.small:
        block[CHUNK] = plan.groups
        plan.code.call(at, scratch)
        plan.slow = plan.slow + 1 if time.perf_counter_ns() - start > SMALL_NS else 0
        if plan.slow == SLOW:
            plan.small, plan.slow = False, 0
            plan.tries -= 1
        return
    block[CHUNK] = max(1, plan.groups // ((helpers + 1) * HELPINGS))
    _helpers().run(plan.code.address, at, scratch, plan.scratch, helpers)
    if plan.tries > 0 and time.perf_counter_ns() - start < SMALL_NS:
        plan.small = True
