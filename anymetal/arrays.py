"""MLX arrays as memory: where an input's elements lie, and outputs that a kernel can write into.

Nothing is copied that MLX does not copy on a GPU. The addresses come from the buffer protocol, which
evaluates the array first; they hold as long as the array does.
"""

from __future__ import annotations

import ctypes
import io
import math
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import numpy as np

from anymetal.errors import LaunchError

# The wheel of MLX carries the headers of its own kernels, which every custom kernel includes.
INCLUDE = str(Path(mx.__file__).parent / "include")

# The element types by MLX's names in Metal. `double` is missing on purpose: a GPU has none.
METAL_TYPES: dict[Any, str] = {
    mx.float32: "float",
    mx.float16: "float16_t",
    mx.bfloat16: "bfloat16_t",
    mx.complex64: "complex64_t",
    mx.bool_: "bool",
    mx.int8: "int8_t",
    mx.int16: "int16_t",
    mx.int32: "int32_t",
    mx.int64: "int64_t",
    mx.uint8: "uint8_t",
    mx.uint16: "uint16_t",
    mx.uint32: "uint32_t",
    mx.uint64: "uint64_t",
}

_SMALL_BYTES = 512 << 10  # up to here a copy of a NumPy array is faster than a round trip to MLX's stream
_EMPTY = (ctypes.c_int64 * 16)()  # what a buffer without elements points to

# What an element holds that no thread has written: not a number, so that a forgotten store shows.
_UNWRITTEN: dict[Any, Any] = {
    mx.float32: math.nan,
    mx.float16: math.nan,
    mx.bfloat16: math.nan,
    mx.complex64: complex(math.nan, math.nan),
    mx.bool_: True,
    mx.int8: -1,
    mx.int16: -1,
    mx.int32: -1,
    mx.int64: -1,
    mx.uint8: 2**8 - 1,
    mx.uint16: 2**16 - 1,
    mx.uint32: 2**32 - 1,
    mx.uint64: 2**64 - 1,
}
# MLX has bfloat16 and NumPy has not; MLX narrows from float32 on the way in.
_NUMPY_TYPES: dict[Any, Any] = {
    mx.float32: np.float32,
    mx.float16: np.float16,
    mx.bfloat16: np.float32,
    mx.complex64: np.complex64,
    mx.bool_: np.bool_,
    mx.int8: np.int8,
    mx.int16: np.int16,
    mx.int32: np.int32,
    mx.int64: np.int64,
    mx.uint8: np.uint8,
    mx.uint16: np.uint16,
    mx.uint32: np.uint32,
    mx.uint64: np.uint64,
}


class _PyBuffer(ctypes.Structure):
    """CPython's `Py_buffer`, which is part of the stable ABI."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


_PyBUF_STRIDED = 0x18  # shape and strides
_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = [ctypes.py_object, ctypes.POINTER(_PyBuffer), ctypes.c_int]
_get_buffer.restype = ctypes.c_int
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.argtypes = [ctypes.POINTER(_PyBuffer)]
_release_buffer.restype = None


def to_array(value: Any) -> mx.array:
    """An input as an array, as MLX takes it: an array, a Python or NumPy number, or anything that is
    array-like.
    """
    if isinstance(value, mx.array):
        return value
    if value is None:
        raise TypeError("[metal_kernel] `inputs` must hold arrays or numbers, got None.")
    if isinstance(value, (list, tuple, str, bytes, dict, set)):
        raise ValueError(f"Invalid type {type(value).__name__} received in array initialization.")
    return mx.array(value)


def row_contiguous(array: mx.array) -> mx.array:
    """`array`, evaluated; or a copy of it, where its elements are not in row-major order without gaps."""
    if _view(array).c_contiguous:
        return array
    return mx.contiguous(array, stream=mx.cpu)


def evaluated(array: mx.array) -> mx.array:
    """`array` itself, evaluated."""
    _view(array)
    return array


def _view(array: mx.array) -> memoryview:
    try:
        return memoryview(array)  # type: ignore[arg-type]  # the stubs leave out the buffer protocol
    except RuntimeError as e:
        if "transformations" not in str(e):
            raise
        raise LaunchError(
            "[metal_kernel] anymetal runs a kernel as soon as it is called, so it needs the inputs' values. "
            "Inside mx.compile and mx.vmap arrays have none yet: call the kernel outside of them (for "
            "mx.compile, compile the steps before and after it on their own; for mx.vmap, give the kernel "
            "the batch as one more axis of its grid)."
        ) from e


def address(array: mx.array) -> int:
    """Where the first element of an evaluated `array` lies."""
    if array.size == 0:
        return ctypes.addressof(_EMPTY)
    buffer = _PyBuffer()
    _get_buffer(array, buffer, _PyBUF_STRIDED)
    at = buffer.buf
    _release_buffer(buffer)
    return int(at)


def strides(array: mx.array) -> tuple[int, ...]:
    """The strides of an evaluated `array`, in elements."""
    itemsize = array.itemsize
    return tuple(s // itemsize for s in (_view(array).strides or ()))


def extent(array: mx.array) -> int:
    """The bytes from an evaluated array's first element in memory to the end of its last."""
    nbytes = array.nbytes
    if nbytes == 0 or _view(array).c_contiguous:
        return nbytes
    return array.itemsize * (1 + sum((n - 1) * abs(s) for n, s in zip(array.shape, strides(array))))


def before(array: mx.array) -> int:
    """The bytes of an evaluated array that lie before its first element: strides may be below zero."""
    if array.nbytes == 0 or _view(array).c_contiguous:
        return 0
    return array.itemsize * sum((n - 1) * -s for n, s in zip(array.shape, strides(array)) if s < 0)


def output(shape: tuple[int, ...], dtype: Any, init_value: float | None) -> mx.array:
    """A new evaluated array, row-major. Each element is `init_value`, or by default what marks it as
    unwritten.
    """
    size = () if math.prod(shape) * dtype.size > _SMALL_BYTES else shape
    if init_value is None:
        made = mx.array(np.full(size, _UNWRITTEN[dtype], _NUMPY_TYPES[dtype]), dtype)
    else:
        with np.errstate(
            invalid="ignore", over="ignore"
        ):  # MLX converts from float32, and does not mind either
            made = mx.array(np.full(size, init_value, np.float32).astype(_NUMPY_TYPES[dtype]), dtype)
    if size != shape:
        made = mx.full(shape, made, dtype, stream=mx.cpu)
        mx.eval(made)
    return made


def traced(arrays: list[mx.array]) -> bool:
    """Whether a gradient is being taken through one of `arrays` (evaluated).

    MLX forgets how an evaluated array was made, unless a gradient still needs it. What it remembers shows
    in the graph that it draws.
    """
    if not arrays:
        return False
    graph = io.StringIO()
    mx.export_to_dot(graph, *arrays)
    return "->" in graph.getvalue()


def without_gradient(inputs: list[mx.array], outputs: list[mx.array]) -> list[mx.array]:
    """`outputs`, so that a gradient through them raises: without this they would pass for constants."""

    @mx.custom_function
    def kernel(*_: mx.array) -> list[mx.array]:
        return outputs

    def refuse(*_: Any) -> Any:
        raise ValueError(
            "[metal_kernel] A custom kernel has no gradient of its own. Wrap the call in "
            "`mx.custom_function` and give it a `vjp`."
        )

    kernel.vjp(refuse)
    kernel.jvp(refuse)
    return cast(list[mx.array], kernel(*inputs))
