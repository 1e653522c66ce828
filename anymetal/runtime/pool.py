"""The threads that help with launches: `pool.c`, which does the work, and Python's threads, which enter it.

The threads are Python's for their stacks, whose size Python chooses well on each platform, and because a
daemon thread may still sleep in C when the interpreter ends. They never come back from there, so they never
ask for the interpreter again.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from functools import cache
from pathlib import Path

from anymetal.errors import AnymetalError
from anymetal.runtime import native

_FUNCTIONS = ("pool_bytes", "pool_init", "pool_serve", "pool_run")
_ALIGN = 128
_memories: list[object] = []  # of all pools: threads never end, and neither does what they sleep on
_Bytes = ctypes.CFUNCTYPE(ctypes.c_size_t)
_Init = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_Serve = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Run = ctypes.CFUNCTYPE(
    None,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int64,
)


def _functions() -> dict[str, int]:
    return native.load_functions(Path(__file__).with_name("pool.c"), _FUNCTIONS)


@cache
def prepare() -> None:
    """Begins to compile `pool.c`, once in a process: clang is at it for about as long as at a kernel."""

    def work() -> None:
        with contextlib.suppress(AnymetalError, RuntimeError):  # the first launch will say it
            _functions()

    threading.Thread(target=work, name="anymetal-prepare").start()


class Pool:
    """Helper threads, started when first needed, for all launches of the process. `size`: how many there
    are.
    """

    def __init__(self) -> None:
        functions = _functions()
        nbytes = _Bytes(functions["pool_bytes"])()
        memory = ctypes.create_string_buffer(nbytes + _ALIGN)
        _memories.append(memory)
        self._at = -(-ctypes.addressof(memory) // _ALIGN) * _ALIGN
        if _Init(functions["pool_init"])(self._at):
            raise OSError("no mutex or condition can be made for anymetal's threads")
        self._serve = _Serve(functions["pool_serve"])
        self._run = _Run(functions["pool_run"])
        self._lock = threading.Lock()
        self.size = 0

    def run(self, entry: int, block: int, scratch: int, nbytes: int, helpers: int) -> None:
        """Runs the machine code at `entry`, here and on at most `helpers` of the pool's threads.

        `block` and `scratch` are addresses; each helper has `nbytes` of scratch of its own. Returns when all
        that began have ended.
        """
        if self.size < helpers:
            self._grow(helpers)
        self._run(self._at, entry, block, scratch, nbytes, helpers)

    def _grow(self, size: int) -> None:
        with self._lock:
            while self.size < size:
                name = f"anymetal-{self.size}"
                try:
                    threading.Thread(target=self._serve, args=(self._at,), name=name, daemon=True).start()
                except RuntimeError:  # no more threads, or the interpreter is about to end
                    return
                self.size += 1
