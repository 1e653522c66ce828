"""From source to a function that can be launched: front end, widening, machine code; a cache at each end.

In memory: programs by (source, kernel, layout). On disk: the same, as object code; and the front end's IR
by source, so that another grid for the same source does not call clang again. A hit on disk imports neither
the front end nor the widener.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from anymetal.errors import CompileError
from anymetal.runtime import cache
from anymetal.runtime.launch import Size3, thread_count

if TYPE_CHECKING:
    from anymetal.frontend import Kernel, Module
    from anymetal.runtime.jit import Loaded

KEEP_PROGRAMS = 512


@dataclass(frozen=True)
class Source:
    """Metal source and all that bears on what it means.

    `text` is what clang sees, with `#line` markers; `files` maps the markers' names to the text as the
    learner wrote it. `math_mode` is "safe", "relaxed" or "fast". `constants` are function constants by index
    or name. `kernel` compiles that one alone, which may be an instantiation that the text does not hold.
    `preprocessed` text holds all that it included; other text is taken to include only what changes with the
    packages that bring it (see `expanded`).
    """

    text: str
    files: Mapping[str, str] = field(default_factory=dict)
    include_dirs: tuple[str, ...] = ()
    defines: tuple[tuple[str, str | int], ...] = ()
    math_mode: str = "safe"
    constants: tuple[tuple[int | str, bool | int | float], ...] = ()
    kernel: str | None = None
    preprocessed: bool = False

    def identity(self) -> tuple[object, ...]:
        """All that the compiled code depends on."""
        # repr: True, 1 and 1.0 are equal, and so are 0.0 and -0.0.
        constants = repr(self.constants)
        return (self.text, self.include_dirs, self.defines, self.math_mode, constants, self.kernel)

    def expanded(self) -> Source:
        """The same after preprocessing: what it includes is then part of the text, and of the cache's key."""
        from anymetal.frontend import preprocess

        text = preprocess(
            self.text,
            files=self.files,
            include_dirs=self.include_dirs,
            defines=dict(self.defines),
            math_mode=self.math_mode,
        )
        return replace(self, text=text, preprocessed=True)


@dataclass(frozen=True)
class Program:
    """Machine code of one kernel for one family of grids. Memory in bytes; `max_threads` a threadgroup, if
    it says.
    """

    loaded: Loaded
    frame_bytes: int
    threadgroup_bytes: int
    buffers: frozenset[int]
    max_threads: int | None


_lock = threading.Lock()
_programs: OrderedDict[tuple[object, ...], Program] = OrderedDict()
_building: dict[tuple[object, ...], threading.Lock] = {}


def program(source: Source, kernel: str, grid: Size3, threadgroup: Size3, large: bool = False) -> Program:
    """The program of `kernel` in `source` for a grid and threadgroup in threads, built if need be.

    `threadgroup` is cut to the grid here. `large` says that a buffer holds 2 GiB or more. Raises
    `CompileError` where the source does not compile.
    """
    from anymetal.simt import layouts_for

    threadgroup = tuple(min(t, g) for t, g in zip(threadgroup, grid))  # type: ignore[assignment]
    layouts = layouts_for(grid, threadgroup, large=large)
    where = (source.identity(), kernel, layouts)
    with _lock:
        found = _programs.get(where)
        if found is not None:
            _programs.move_to_end(where)
            return found
        mine = _building.setdefault(where, threading.Lock())
    with mine:  # two threads that want the same program build it once
        with _lock:
            found = _programs.get(where)
        try:
            if found is None:
                found = _from_disk_or_source(source, kernel, layouts)
                with _lock:
                    _programs[where] = found
                    while len(_programs) > KEEP_PROGRAMS:
                        _programs.popitem(last=False)
        finally:
            with _lock:
                _building.pop(where, None)
    return found


def _from_disk_or_source(source: Source, kernel: str, layouts: tuple[Any, ...]) -> Program:
    from anymetal.runtime import jit

    key = cache.key("program", source.identity(), kernel, layouts, jit.host())
    stored = cache.load(key)
    if stored is not None:
        try:
            return _program(*stored)
        except (RuntimeError, KeyError, TypeError, ValueError):
            cache.discard(key)  # whole, yet not what this process can link: build it again
    description, code = _build(source, kernel, layouts)
    made = _program(description, code)
    cache.store(key, description, code)
    return made


def _program(description: Mapping[str, Any], code: bytes) -> Program:
    from anymetal.runtime import jit

    return Program(
        loaded=jit.load(code, description["entry"]),
        frame_bytes=int(description["frame_bytes"]),
        threadgroup_bytes=int(description["threadgroup_bytes"]),
        buffers=frozenset(description["buffers"]),
        max_threads=description["max_threads"],
    )


def _build(source: Source, kernel: str, layouts: tuple[Any, ...]) -> tuple[dict[str, Any], bytes]:
    from anymetal.runtime import jit, pool
    from anymetal.simt import Unsupported, widen

    if thread_count() > 1:
        pool.prepare()  # the launch will need it, and clang can compile both at once
    found = module(source)
    one = kernel_named(found, kernel)
    try:
        wide = widen(found.ir, one.entry, layouts)
    except Unsupported as e:
        raise unsupported(e) from e
    description = {
        "entry": wide.entry,
        "frame_bytes": wide.frame_bytes,
        "threadgroup_bytes": wide.threadgroup_bytes,
        "buffers": sorted(wide.buffers),
        "max_threads": one.max_threads,
    }
    return description, jit.compile_object(wide.ir)


def kernel_named(found: Module, name: str) -> Kernel:
    """A kernel of a module; raises `CompileError` where there is none of that name."""
    if name not in found.kernels:
        names = ", ".join(sorted(found.kernels)) or "none"
        raise CompileError(f"no kernel is called {name!r}; the source has: {names}")
    return found.kernels[name]


def unsupported(reason: Exception) -> CompileError:
    """What the learner is told of a construct that cannot be widened."""
    return CompileError(f"anymetal cannot run this kernel yet: {reason}")


def module(
    source: Source, *, line_tables: bool = False, variables: bool = False, optimised: bool = True
) -> Module:
    """What the front end makes of `source`: IR for one thread, and its kernels. Kept on disk as text.

    `line_tables`: instructions say which line they come from. `variables`: and which variable holds what. Not
    `optimised`: before LLVM's passes.
    """
    from anymetal.frontend import Kernel, Module, Parameter, compile_source
    from anymetal.frontend.clang import HERE

    # Places name files of Metal's library where it is installed.
    here = str(HERE) if line_tables else ""
    key = cache.key("module", source.identity(), line_tables, variables, optimised, here)
    stored = cache.load(key)
    if stored is not None:
        try:
            kernels = {
                name: Kernel(**{**k, "parameters": tuple(Parameter(**p) for p in k["parameters"])})
                for name, k in stored[0].items()
            }
            return Module(ir=stored[1].decode(), kernels=kernels)
        except (TypeError, KeyError, AttributeError, UnicodeDecodeError):
            cache.discard(key)
    made = compile_source(
        source.text,
        files=source.files,
        include_dirs=source.include_dirs,
        defines=dict(source.defines),
        math_mode=source.math_mode,
        constants=dict(source.constants),
        kernel=source.kernel,
        preprocessed=source.preprocessed,
        line_tables=line_tables,
        variables=variables,
        optimised=optimised,
    )
    cache.store(key, {name: asdict(k) for name, k in made.kernels.items()}, made.ir.encode())
    return made


def forget() -> None:
    """Drops every program that no kernel object holds. For tests."""
    with _lock:
        _programs.clear()
