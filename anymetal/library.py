"""Whole ``.metal`` sources: a ``Library`` has ``Function``s, and a function runs over a grid.

lib = anymetal.Library(source, include_dirs=["include"], constants={"has_bias": True})
gemv = lib.function("gemv<float, 4>")
gemv(weights, x, y, np.int32(n), grid=(32 * rows, 1, 1), threadgroup=(32, 1, 1))
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anymetal.arguments import Arguments, declared
from anymetal.checks import report
from anymetal.errors import CompileError, LaunchError
from anymetal.runtime import build, cache, limits
from anymetal.runtime.launch import Plan, Size3, launch, plan

if TYPE_CHECKING:
    from anymetal.frontend import Kernel, Outline

Constant = bool | int | float
MATH_MODES = ("safe", "relaxed", "fast")
_KEEP_PLANS = 1024
_NAX = "MetalPerformancePrimitives"


class Library:
    """A Metal source with all that it includes, and its kernels.

    - `source`: the text, or the `pathlib.Path` of a file (then its folder is searched for includes first).
    - `include_dirs`: where `#include` looks.
    - `defines`: macros, by name.
    - `constants`: function constants, by index or by name. One without a value is undefined, as on a GPU.
    - `math_mode`: "safe", "relaxed" or "fast"; "fast" defines `__FAST_MATH__`.

    Raises `CompileError` where the source cannot be read. Kernels are compiled one by one, when `function`
    asks. May be used from several Python threads at once.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        include_dirs: Sequence[str | os.PathLike[str]] = (),
        defines: Mapping[str, str | int] | None = None,
        constants: Mapping[int | str, Constant] | None = None,
        math_mode: str = "safe",
    ) -> None:
        if not isinstance(source, (str, Path)):
            raise TypeError(f"`source` must be a str or a pathlib.Path, got {type(source).__name__}.")
        if math_mode not in MATH_MODES:
            raise ValueError(f"`math_mode` must be one of {', '.join(MATH_MODES)}, got {math_mode!r}.")
        if isinstance(include_dirs, (str, bytes, os.PathLike)):
            raise TypeError(f"`include_dirs` must be a list of folders, got {include_dirs!r}.")
        folders = [os.fspath(folder) for folder in include_dirs]
        name = "source"
        if isinstance(source, Path):
            name = str(source)
            folders.insert(0, str(source.parent))
            source = source.read_text()
        for folder in folders:
            if not os.path.isdir(folder):
                raise ValueError(f"`include_dirs` names a folder that does not exist: {folder!r}.")
        self._files = {name: source}
        self._math_mode = math_mode
        self._text, self._outline = _read(source, name, self._files, folders, dict(defines or {}), math_mode)
        self._constants = _constants(dict(constants or {}), self._outline.constants)
        self._functions: dict[str, Function] = {}
        self._lock = threading.Lock()

    @property
    def functions(self) -> tuple[str, ...]:
        """The kernels' names. Those of `templates` are kernels once they have arguments."""
        return self._outline.kernels

    @property
    def templates(self) -> tuple[str, ...]:
        """The names of kernel templates: `function("name<float, 4>")` instantiates one."""
        return self._outline.templates

    def __repr__(self) -> str:
        listed = ", ".join([*self.functions, *(f"{t}<...>" for t in self.templates)])
        return f"<anymetal library: {listed or 'no kernels'}>"

    def function(self, name: str) -> Function:
        """The kernel `name`: its own name, its `[[host_name]]`, or an instantiation such as "gemv<float, 4>".

        Raises `CompileError` where there is none, or where it does not compile.
        """
        name = self._resolve(name)
        with self._lock:
            found = self._functions.get(name)
        if found is None:
            text = build.Source(
                self._text,
                files=self._files,
                math_mode=self._math_mode,
                constants=self._constants,
                kernel=name,
                preprocessed=True,
            )
            made = Function(text, build.module(text).kernels[name])
            with self._lock:
                found = self._functions.setdefault(name, made)
        return found

    def _resolve(self, name: str) -> str:
        if not isinstance(name, str):
            raise TypeError(f"a function's name must be a str, got {name!r}.")
        for candidate in (name, name.replace(" ", "")):
            if candidate in self.functions:
                return candidate
        template, bracket, _ = name.partition("<")
        if template.rpartition("::")[2].strip() in self.templates:
            if bracket:
                return name
            raise CompileError(
                f"{name!r} is a template: ask for an instantiation, such as {name}<float>, with the "
                "arguments that it takes"
            )
        has = ", ".join([*self.functions, *(f"{t}<...>" for t in self.templates)]) or "none"
        raise CompileError(f"no kernel is called {name!r}; the source has: {has}")


class Function:
    """A kernel of a library. Call it with its arguments, a grid and a threadgroup."""

    def __init__(self, source: build.Source, kernel: Kernel) -> None:
        self._source = source
        self._buffers = sorted(
            (p for p in kernel.parameters if p.kind == "buffer"), key=lambda p: p.index or 0
        )
        self._memory = sorted(p.index or 0 for p in kernel.parameters if p.kind == "threadgroup")
        self._plans: dict[tuple[object, ...], tuple[Plan, build.Program]] = {}
        self.name = kernel.name
        for parameter in self._buffers:
            limits.check_buffers((parameter.index or 0) + 1)

    def __repr__(self) -> str:
        listed = ", ".join(f"{declared(p)} {p.name} [[buffer({p.index})]]" for p in self._buffers)
        return f"<anymetal function {self.name}({listed})>"

    def __call__(
        self,
        *arguments: Any,
        threadgroup: Size3,
        grid: Size3 | None = None,
        threadgroups: Size3 | None = None,
        threadgroup_memory: Sequence[int] = (),
    ) -> None:
        """Run the kernel and return when it is done.

        - `arguments`: one for each buffer, in the order of their indices; or one dict from index to value.
          A NumPy array (C-contiguous, of the parameter's type; the kernel writes into it), an MLX array
          (where the kernel only reads), or, where it only reads, a number, a list of numbers, `bytes`, an
          `np.void` or a `ctypes.Structure`. None leaves out a buffer that the kernel does not use, such as
          one that a function constant has switched off.
        - `grid`: threads along x, y and z; or `threadgroups`: how many of them along each.
        - `threadgroup`: threads of one threadgroup, 1,024 at most; cut to the grid.
        - `threadgroup_memory`: bytes of [[threadgroup(0)]], [[threadgroup(1)]] and so on; multiples of 16.

        bfloat16 in NumPy is `uint16` that holds the bits. Raises `TypeError` for an argument of the wrong
        type, `LaunchError` (a `ValueError`) for one of the wrong size or a launch that no device allows.
        """
        size = limits.check_size3("threadgroup", threadgroup)
        limits.check_threadgroup(size)
        whole = _grid(grid, threadgroups, size)
        memory = self._threadgroup_memory(threadgroup_memory)
        passed = self._arguments(arguments)
        key = (whole, size, memory, passed.large)
        watched = report.active()
        if watched is None or passed.off:
            planned, program = self._plans.get(key) or self._plan(*key)
            for index, name in passed.off.items():
                if index in program.buffers:
                    raise LaunchError(
                        f"buffer {index}, `{name}`, of {self.name} is missing, and the kernel uses it."
                    )
        if watched is None:
            launch(planned, passed.addresses)
        else:
            self._checked(watched, whole, size, memory, passed)
        for copy_back in passed.after:
            copy_back()

    def _checked(
        self,
        watched: report.Report,
        grid: Size3,
        threadgroup: Size3,
        memory: tuple[int, ...],
        passed: Arguments,
    ) -> None:
        """The launch, watched by a monitor (see `anymetal.checks`)."""
        from anymetal.checks.launch import run
        from anymetal.checks.state import Buffer

        buffers = {}
        for parameter in self._buffers:
            index = parameter.index or 0
            if index in passed.addresses:
                nbytes = passed.sizes[index]
                element = parameter.size if parameter.size and nbytes % parameter.size == 0 else 1
                buffers[index] = Buffer(parameter.name, passed.addresses[index], nbytes, element)
        run(
            self._source,
            self.name,
            grid=grid,
            threadgroup=threadgroup,
            large=passed.large,
            buffers=buffers,
            files=self._source.files,
            report=watched,
            threadgroup_arguments=memory,
        )

    def _arguments(self, given: tuple[Any, ...]) -> Arguments:
        if len(given) == 1 and isinstance(given[0], Mapping):
            by_index = dict(given[0])
            known = {p.index for p in self._buffers}
            for index in by_index:
                if index not in known:
                    listed = ", ".join(f"{p.index} ({p.name})" for p in self._buffers)
                    raise LaunchError(f"{self.name} has no buffer {index!r}; it has: {listed or 'none'}.")
            values = [by_index.get(p.index) for p in self._buffers]
        else:
            if len(given) != len(self._buffers):
                names = ", ".join(p.name for p in self._buffers)
                raise LaunchError(
                    f"{self.name} takes {len(self._buffers)} buffers ({names}), got {len(given)} arguments."
                )
            values = list(given)
        passed = Arguments()
        for value, parameter in zip(values, self._buffers):
            passed.add(value, parameter)
        return passed

    def _threadgroup_memory(self, sizes: Sequence[int]) -> tuple[int, ...]:
        checked = tuple(sizes)
        needed = max(self._memory, default=-1) + 1
        if len(checked) != needed:
            listed = ", ".join(f"[[threadgroup({i})]]" for i in self._memory) or "no threadgroup memory"
            raise LaunchError(
                f"{self.name} takes {listed}: `threadgroup_memory` must hold {needed} sizes in bytes, got "
                f"{len(checked)}."
            )
        for i, size in enumerate(checked):
            if isinstance(size, bool) or not hasattr(size, "__index__"):
                raise TypeError(f"`threadgroup_memory` must hold ints, got {size!r}.")
            if size < 0 or size % 16 or (size == 0 and i in self._memory):
                raise LaunchError(
                    f"`threadgroup_memory` must hold positive multiples of 16 bytes, got {size} for "
                    f"[[threadgroup({i})]]."
                )
        return tuple(int(size) for size in checked)

    def _plan(
        self, grid: Size3, threadgroup: Size3, memory: tuple[int, ...], large: bool
    ) -> tuple[Plan, build.Program]:
        program = build.program(self._source, self.name, grid, threadgroup, large)
        limits.check_program(threadgroup, program.max_threads, program.threadgroup_bytes, sum(memory))
        made = plan(
            program.loaded,
            grid=grid,
            threadgroup=threadgroup,
            frame_bytes=program.frame_bytes,
            threadgroup_bytes=program.threadgroup_bytes,
            threadgroup_arguments=memory,
        )
        if len(self._plans) >= _KEEP_PLANS:
            self._plans.clear()
        self._plans[(grid, threadgroup, memory, large)] = (made, program)
        return made, program


def _grid(grid: Size3 | None, threadgroups: Size3 | None, threadgroup: Size3) -> Size3:
    if (grid is None) == (threadgroups is None):
        raise TypeError("a launch needs either `grid` (threads) or `threadgroups`, and not both.")
    if threadgroups is None:
        return limits.check_size3("grid", grid)  # type: ignore[arg-type]
    x, y, z = (n * t for n, t in zip(limits.check_size3("threadgroups", threadgroups), threadgroup))
    return limits.check_size3("threadgroups", (x, y, z))


def _read(
    source: str,
    name: str,
    files: Mapping[str, str],
    folders: Sequence[str],
    defines: Mapping[str, str | int],
    math_mode: str,
) -> tuple[str, Outline]:
    """The preprocessed source, and what it offers. Includes are read each time: they may have changed."""
    from anymetal.frontend import Outline, outline, preprocess

    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    try:
        text = preprocess(
            f'#line 1 "{quoted}"\n{source}',
            files=files,
            include_dirs=folders,
            defines=defines,
            math_mode=math_mode,
        )
    except CompileError as e:
        if _NAX in str(e):
            raise CompileError(
                f"Metal 4's tensor operations ({_NAX}, which MLX's *_nax.h headers need) are not supported "
                f"by anymetal: use the kernels without `nax` in their name\n{e}",
                file=e.file,
                line=e.line,
                column=e.column,
                text=e.text,
            ) from None
        raise
    key = cache.key("outline", text)
    stored = cache.load(key)
    if stored is not None:
        try:
            kept = stored[0]
            return text, Outline(tuple(kept["kernels"]), tuple(kept["templates"]), dict(kept["constants"]))
        except (KeyError, TypeError):
            cache.discard(key)
    found = outline(text, files)
    cache.store(
        key,
        {"kernels": found.kernels, "templates": found.templates, "constants": found.constants},
        b"",
    )
    return text, found


def _constants(
    given: Mapping[int | str, Any], declared: Mapping[str, int]
) -> tuple[tuple[int | str, Constant], ...]:
    """Function constants by index, sorted, so that the same ones are found again in the cache."""
    checked: dict[int, Constant] = {}
    for key, value in given.items():
        index = declared.get(key) if isinstance(key, str) else key
        if index is None or index not in declared.values():
            has = ", ".join(f"{i} ({name})" for name, i in sorted(declared.items(), key=lambda d: d[1]))
            raise ValueError(f"the source has no function constant {key!r}; it has: {has or 'none'}.")
        if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
            value = value.item()  # a NumPy number
        if not isinstance(value, (bool, int, float)):
            raise TypeError(f"function constant {key!r} must be a bool, an int or a float, got {value!r}.")
        if index in checked:
            raise ValueError(f"function constant {index} has two values: by its name and by its index.")
        checked[index] = value
    return tuple(sorted(checked.items()))
