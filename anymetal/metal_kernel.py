"""`mx.fast.metal_kernel` without a GPU: the same contract, run by anymetal on the CPU.

The contract is that of MLX 0.32 (`mlx/backend/common/metal_kernel.cpp` and *Custom Metal Kernels* in its
documentation). Two things differ, as they must: a kernel runs when it is called and not when its result is
first needed; and an output element that no thread writes holds NaN (or all ones), where a GPU leaves
whatever was there.
"""

from __future__ import annotations

import ctypes
import math
import operator
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anymetal import signature
from anymetal.checks import report
from anymetal.errors import CompileError
from anymetal.runtime import build, limits
from anymetal.runtime.launch import Plan, Size3, launch, plan

_KEEP_PLANS = 256
_MATH_MODES = ("safe", "relaxed", "fast")
# A file that neither Metal nor MLX brings: it may change between two runs.
_OWN_INCLUDE = re.compile(
    r'^[ \t]*#[ \t]*(?:include|import)\b(?![ \t]*["<](?:metal_|simd/|mlx/))', re.MULTILINE
)
_NAME = re.compile(r"[A-Za-z0-9_]+\Z")


def metal_kernel(
    name: str,
    input_names: Sequence[str],
    output_names: Sequence[str],
    source: str,
    header: str = "",
    ensure_row_contiguous: bool = True,
    atomic_outputs: bool = False,
    compile_options: Mapping[str, str] | None = None,
) -> MetalKernel:
    """A custom Metal kernel defined by the body of its function, to be run on the CPU by anymetal.

    The arguments are those of `mx.fast.metal_kernel`:

    - `name`: letters, digits and underscores.
    - `input_names`, `output_names`: the kernel's parameters, in order.
    - `source`: the body. The signature is generated from the arrays of each call.
    - `header`: text that goes before the kernel; it ends with a newline where its last line is a directive
      or a comment.
    - `ensure_row_contiguous`: copy inputs that are not row-major without gaps.
    - `atomic_outputs`: make the outputs `device atomic<T>*`.
    - `compile_options`: `{"math_mode": "safe" | "relaxed" | "fast"}`.

    Raises `ValueError` and `TypeError` where MLX does. The source is compiled when the kernel is first
    called.
    """
    for what, value in (("name", name), ("source", source), ("header", header)):
        if not isinstance(value, str):
            raise TypeError(f"[metal_kernel] `{what}` must be a str, got {value!r}.")
    for what, flag in (("ensure_row_contiguous", ensure_row_contiguous), ("atomic_outputs", atomic_outputs)):
        if not isinstance(flag, bool):
            raise TypeError(f"[metal_kernel] `{what}` must be a bool, got {flag!r}.")
    options = _math_mode(compile_options)
    kernel = MetalKernel(
        name,
        _names("input_names", input_names),
        _names("output_names", output_names),
        source,
        header,
        ensure_row_contiguous,
        atomic_outputs,
        options,
    )
    if not kernel.output_names:
        raise ValueError("[metal_kernel] Must specify at least one output.")
    if not _NAME.match(name):
        raise ValueError(
            "[metal_kernel] `name` becomes part of a function's name in Metal: letters, digits and "
            f"underscores only, got {name!r}."
        )
    return kernel


@dataclass(frozen=True, eq=False)  # one object a variant, so identity will do
class _Variant:
    """The kernel for one combination of types: its text, as MLX has it and as the front end takes it."""

    generated: signature.Generated
    source: build.Source


class MetalKernel:
    """What `metal_kernel` returns: call it with keyword arguments to run the kernel."""

    def __init__(
        self,
        name: str,
        input_names: tuple[str, ...],
        output_names: tuple[str, ...],
        source: str,
        header: str,
        ensure_row_contiguous: bool,
        atomic_outputs: bool,
        math_mode: str,
    ) -> None:
        self.name = name
        self.input_names = input_names
        self.output_names = output_names
        self.source = source
        self.header = header
        self.ensure_row_contiguous = ensure_row_contiguous
        self.atomic_outputs = atomic_outputs
        self.math_mode = math_mode
        self._extras = tuple(signature.extras(n, source) for n in input_names)
        self._plain = not any(e.shape or e.strides or e.ndim for e in self._extras)
        self._variants: dict[tuple[object, ...], _Variant] = {}
        self._plans: dict[tuple[object, ...], tuple[Plan, build.Program]] = {}

    def __repr__(self) -> str:
        names = f"{', '.join(self.input_names)} -> {', '.join(self.output_names)}"
        return f"<anymetal kernel {self.name!r}: {names}>"

    def __call__(
        self,
        *,
        inputs: Sequence[Any],
        output_shapes: Sequence[Sequence[int]],
        output_dtypes: Sequence[Any],
        grid: tuple[int, int, int],
        threadgroup: tuple[int, int, int],
        template: Sequence[tuple[str, Any]] | None = None,
        init_value: float | None = None,
        verbose: bool = False,
        stream: Any = None,
    ) -> list[Any]:
        """Runs the kernel and returns its outputs, a list of `mx.array`.

        - `inputs`: arrays or numbers, one for each name.
        - `output_shapes`, `output_dtypes`: one for each output; outputs are row-major.
        - `grid`: how many threads to run, along x, y and z. It counts threads, not threadgroups.
        - `threadgroup`: how many threads a threadgroup has, 1,024 at most; cut to the grid.
        - `template`: `(name, value)` pairs; a value is an `mx.Dtype`, an `int` or a `bool`.
        - `init_value`: what outputs hold before the kernel runs.
        - `verbose`: print the generated source.
        - `stream`: the GPU's; accepted for MLX's sake.

        Raises `TypeError` and `ValueError` as MLX does, `CompileError` where the source is not Metal that
        compiles, `LaunchError` (a `ValueError`) where the launch breaks a limit of the device.
        """
        from anymetal import arrays

        if isinstance(inputs, (str, bytes, dict)) or not hasattr(inputs, "__iter__"):
            raise TypeError(f"[metal_kernel] `inputs` must be a list of arrays or numbers, got {inputs!r}.")
        given = [arrays.to_array(v) for v in inputs]
        shapes = [_shape(s) for s in _listed("output_shapes", output_shapes)]
        dtypes = tuple(_listed("output_dtypes", output_dtypes))
        arguments = _template(template, arrays.METAL_TYPES)
        if not isinstance(verbose, bool):
            raise TypeError(f"[metal_kernel] `verbose` must be a bool, got {verbose!r}.")
        if init_value is not None:
            init_value = _number("init_value", init_value)
        _check_count("inputs", len(given), len(self.input_names))
        _check_count("output_shapes", len(shapes), len(self.output_names))
        _check_count("output_dtypes", len(dtypes), len(self.output_names))
        for dtype in dtypes:
            _metal_type(dtype, arrays.METAL_TYPES)
        if stream is not None:
            _check_stream(stream)
        size = limits.check_size3("grid", grid)
        group = limits.check_size3("threadgroup", threadgroup)

        kinds = tuple((a.dtype, a.ndim == 0, a.size < signature.CONSTANT_BELOW) for a in given)
        key = (kinds, dtypes, arguments)
        variant = self._variants.get(key)
        if variant is None:
            variant = self._variants[key] = self._generate(kinds, dtypes, arguments, arrays.METAL_TYPES)
        if verbose:
            text = variant.generated.text
            print(f"Generated source code for `{self.name}`:\n```\n{text}\n```", file=sys.stdout)
        # Inputs first: where they have no values, nothing else matters.
        prepare = arrays.row_contiguous if self.ensure_row_contiguous else arrays.evaluated
        passed = [prepare(a) for a in given]
        large = any(n >= 2**31 for n in (*map(arrays.extent, passed), *map(_nbytes, shapes, dtypes)))
        limits.check_threadgroup(group)
        watched = report.active()
        if watched is None:
            planned, _ = self._plans.get((variant, size, group, large)) or self._plan(
                variant, size, group, large
            )

        addresses, words = self._addresses(passed)
        made = [arrays.output(s, d, init_value) for s, d in zip(shapes, dtypes)]
        addresses += [arrays.address(a) for a in made]
        if watched is None:
            launch(planned, addresses)
        else:
            buffers = self._buffers(passed, words, made, unset=init_value is None)
            self._checked(watched, variant, size, group, large, buffers)
        return arrays.without_gradient(given, made) if arrays.traced(given) else made

    def _addresses(self, passed: list[Any]) -> tuple[list[int], list[Any]]:
        """Where each input lies, and its shape, strides and ndim where named; and what owns those."""
        from anymetal import arrays

        if self._plain:
            return [arrays.address(a) for a in passed], []
        addresses: list[int] = []
        words: list[Any] = []
        for array, named in zip(passed, self._extras):
            addresses.append(arrays.address(array))
            if array.ndim == 0:
                continue
            own: list[Any] = []
            if named.shape:
                own.append((ctypes.c_int32 * array.ndim)(*array.shape))
            if named.strides:
                own.append((ctypes.c_int64 * array.ndim)(*arrays.strides(array)))
            if named.ndim:
                own.append(ctypes.c_int32(array.ndim))
            addresses += [ctypes.addressof(w) for w in own]
            words += own
        return addresses, words

    def _buffers(
        self, passed: list[Any], words: list[Any], made: list[Any], unset: bool
    ) -> list[tuple[str, int, int, int, bool, int, int]]:
        """What `checks.state.Buffer` holds of each buffer."""
        from anymetal import arrays

        rest = iter(words)
        found: list[tuple[str, int, int, int, bool, int, int]] = []
        for name, array, named in zip(self.input_names, passed, self._extras):
            address = arrays.address(array)
            extent, before = arrays.extent(array), arrays.before(array)
            found.append((name, address, extent, array.itemsize, False, _lead(address), before))
            if array.ndim == 0:
                continue
            for wanted, suffix, element in (
                (named.shape, "shape", 4),
                (named.strides, "strides", 8),
                (named.ndim, "ndim", 4),
            ):
                if wanted:
                    word = next(rest)
                    found.append(
                        (
                            f"{name}_{suffix}",
                            ctypes.addressof(word),
                            ctypes.sizeof(word),
                            element,
                            False,
                            0,
                            0,
                        )
                    )
        for name, array in zip(self.output_names, made):
            address = arrays.address(array)
            found.append((name, address, array.nbytes, array.itemsize, unset, _lead(address), 0))
        return found

    def _checked(
        self,
        watched: report.Report,
        variant: _Variant,
        grid: Size3,
        threadgroup: Size3,
        large: bool,
        buffers: list[tuple[str, int, int, int, bool, int, int]],
    ) -> None:
        """The launch, watched by a monitor (see `anymetal.checks`)."""
        from anymetal.checks.launch import run
        from anymetal.checks.state import Buffer

        run(
            variant.source,
            variant.generated.name,
            grid=grid,
            threadgroup=threadgroup,
            large=large,
            buffers={i: Buffer(*b) for i, b in enumerate(buffers)},
            files=variant.source.files,
            report=watched,
        )

    def _generate(
        self,
        kinds: tuple[tuple[Any, bool, bool], ...],
        dtypes: tuple[Any, ...],
        arguments: tuple[tuple[str, str, str], ...],
        types: Mapping[Any, str],
    ) -> _Variant:
        from anymetal import arrays

        _check_header(self.header)
        generated = signature.generate(
            name=self.name,
            header=self.header,
            source=self.source,
            input_names=self.input_names,
            inputs=[
                signature.Input(_metal_type(d, types), constant, scalar) for d, scalar, constant in kinds
            ],
            output_names=self.output_names,
            output_types=[_metal_type(d, types) for d in dtypes],
            template=[signature.Template(*a) for a in arguments],
            atomic_outputs=self.atomic_outputs,
        )
        buffers = len(self.input_names) + len(self.output_names)
        buffers += sum(e.shape + e.strides + e.ndim for e, k in zip(self._extras, kinds) if not k[1])
        limits.check_buffers(buffers)
        files = {signature.SOURCE: self.source, signature.HEADER: self.header}
        text = build.Source(
            generated.marked, files=files, include_dirs=(arrays.INCLUDE,), math_mode=self.math_mode
        )
        if _OWN_INCLUDE.search(self.header) or _OWN_INCLUDE.search(self.source):
            text = text.expanded()
        return _Variant(generated, text)

    def _plan(
        self, variant: _Variant, grid: Size3, threadgroup: Size3, large: bool
    ) -> tuple[Plan, build.Program]:
        program = build.program(variant.source, variant.generated.name, grid, threadgroup, large)
        limits.check_program(threadgroup, program.max_threads, program.threadgroup_bytes)
        made = plan(
            program.loaded,
            grid=grid,
            threadgroup=threadgroup,
            frame_bytes=program.frame_bytes,
            threadgroup_bytes=program.threadgroup_bytes,
        )
        if len(self._plans) >= _KEEP_PLANS:
            self._plans.clear()  # the programs themselves stay in `build`'s memory
        self._plans[(variant, grid, threadgroup, large)] = (made, program)
        return made, program


def _lead(address: int) -> int:
    """How far into a line an array starts on a GPU, where memory starts at a page: a view may start anywhere.

    On a CPU MLX's memory starts 8 bytes past a multiple of 16.
    """
    return (address - 8) % 16


def _math_mode(options: object) -> str:
    if options is None:
        return "safe"
    if not isinstance(options, dict):
        raise ValueError("[metal_kernel] Expected `compile_options` to be a dict.")
    mode = "safe"
    for key, value in options.items():
        if key != "math_mode":
            raise ValueError(f"[metal_kernel] Unknown compile option `{key}`.")
        if value not in _MATH_MODES:
            raise ValueError("[metal_kernel] Expected math_mode to be 'safe', 'relaxed', or 'fast'.")
        mode = value
    return mode


def _names(what: str, names: object) -> tuple[str, ...]:
    if (
        isinstance(names, str)
        or not isinstance(names, Sequence)
        or not all(isinstance(n, str) for n in names)
    ):
        raise TypeError(f"[metal_kernel] `{what}` must be a sequence of str, got {names!r}.")
    return tuple(names)


def _listed(what: str, values: object) -> list[Any]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise TypeError(f"[metal_kernel] `{what}` must be a list, got {values!r}.")
    return list(values)


def _shape(shape: object) -> tuple[int, ...]:
    try:
        sizes = tuple(operator.index(n) for n in shape)  # type: ignore[attr-defined]
    except TypeError:
        raise TypeError(
            f"[metal_kernel] Each of `output_shapes` must be a sequence of ints, got {shape!r}."
        ) from None
    for n in sizes:
        if not 0 <= n <= limits.MAX_AXIS:
            raise ValueError(
                f"[metal_kernel] `output_shapes` has an axis of size {n} in {sizes}; it must be >= 0."
            )
    return sizes


def _nbytes(shape: tuple[int, ...], dtype: Any) -> int:
    return math.prod(shape) * int(dtype.size)


def _number(what: str, value: object) -> float:
    if isinstance(value, (str, bytes)) or not (hasattr(value, "__float__") or hasattr(value, "__index__")):
        raise TypeError(f"[metal_kernel] `{what}` must be a number, got {value!r}.")
    return float(value)  # type: ignore[arg-type]


def _template(template: object, types: Mapping[Any, str]) -> tuple[tuple[str, str, str], ...]:
    """The template arguments as (name, kind, value in Metal)."""
    if template is None:
        return ()
    arguments = []
    for pair in _listed("template", template):
        if (
            isinstance(pair, str)
            or not isinstance(pair, Sequence)
            or len(pair) != 2
            or not isinstance(pair[0], str)
        ):
            raise TypeError(f"[metal_kernel] `template` must hold (name, value) pairs, got {pair!r}.")
        name, value = pair
        if isinstance(value, bool):
            arguments.append((name, "bool", str(int(value))))
        elif isinstance(value, int) and -(2**31) <= value < 2**31:
            arguments.append((name, "int", str(value)))
        elif type(value).__name__ == "Dtype" and type(value).__module__.startswith("mlx"):
            arguments.append((name, "typename", _metal_type(value, types)))
        else:
            raise ValueError(
                "[metal_kernel] Invalid template argument. Must be `mlx.core.Dtype`, `int` or `bool`. "
                f"Got {value!r} for `{name}`."
            )
    return tuple(arguments)


def _metal_type(dtype: Any, types: Mapping[Any, str]) -> str:
    try:
        return types[dtype]
    except (KeyError, TypeError):
        pass
    if type(dtype).__name__ == "Dtype":
        raise ValueError(f"{str(dtype).rpartition('.')[2]} is not supported on the GPU")
    raise TypeError(f"[metal_kernel] `output_dtypes` must hold `mlx.core.Dtype`s, got {dtype!r}.")


def _check_count(what: str, actual: int, expected: int) -> None:
    if actual != expected:
        raise ValueError(f"[metal_kernel] Expected `{what}` to have size {expected} but got size {actual}.")


def _check_stream(stream: Any) -> None:
    import mlx.core as mx

    if isinstance(stream, (mx.Device, mx.DeviceType)):
        # On a Mac this is refused, so it is here; any stream will do, for the default one is not the GPU's
        # here.
        if stream in (mx.cpu, mx.Device(mx.cpu)):
            raise ValueError("[metal_kernel] Only supports the GPU.")
    elif not isinstance(stream, mx.Stream) and type(stream).__name__ != "ThreadLocalStream":
        raise TypeError(f"[metal_kernel] `stream` must be a stream or a device, got {stream!r}.")


def _check_header(header: str) -> None:
    """MLX pastes the header right before the signature. A last line that would swallow it fails on a Mac."""
    last = header.rpartition("\n")[2]
    if last.lstrip().startswith("#") or "//" in last:
        count = header.count("\n") + 1
        raise CompileError(
            f"header:{count}: error: the header's last line needs a newline at its end: MLX puts the "
            f"kernel's signature right after it, on the same line\n{last}",
            file=signature.HEADER,
            line=count,
            column=len(last) + 1,
            text=last,
        )


_original: Callable[..., Any] | None = None


def install() -> bool:
    """Makes `mx.fast.metal_kernel` work on this machine. Returns whether anymetal now runs its kernels.

    Where Metal is available it changes nothing and returns False. Calling it again does no harm.
    """
    global _original
    import mlx.core as mx

    if mx.metal.is_available():
        return False
    current: Any = mx.fast.metal_kernel
    # Whoever watches launches puts a layer over ours, and says so as functools.wraps does: leave it there.
    if getattr(current, "__wrapped__", current) is not metal_kernel:
        _original = current
        mx.fast.metal_kernel = metal_kernel  # type: ignore[assignment]
    return True


def uninstall() -> None:
    """Puts MLX's own `mx.fast.metal_kernel` back."""
    global _original
    import mlx.core as mx

    if _original is not None:
        mx.fast.metal_kernel = _original
        _original = None
