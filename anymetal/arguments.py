"""A launch's arguments: Python values in, addresses of memory that fits the kernel's parameters out.

NumPy arrays pass as they are, and a kernel writes into them. MLX arrays are values that may share memory, so
they pass where a kernel only reads. Numbers, bytes and structs are copied.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from anymetal.errors import LaunchError

if TYPE_CHECKING:
    from anymetal.frontend import Parameter

Bytes = npt.NDArray[Any]

_DTYPES: dict[str, np.dtype[Any]] = {
    "bool": np.dtype(np.bool_),
    "i8": np.dtype(np.int8),
    "u8": np.dtype(np.uint8),
    "i16": np.dtype(np.int16),
    "u16": np.dtype(np.uint16),
    "i32": np.dtype(np.int32),
    "u32": np.dtype(np.uint32),
    "i64": np.dtype(np.int64),
    "u64": np.dtype(np.uint64),
    "f16": np.dtype(np.float16),
    "f32": np.dtype(np.float32),
}
_MLX = {**{key: dtype.name for key, dtype in _DTYPES.items()}, "bf16": "bfloat16"}
# Our machine code asks for no more than its widest number does, and MLX's allocator on a CPU gives no more.
_ALIGN = 8
_LARGE = 2**31


@dataclass
class Arguments:
    """Memory for one launch: ``addresses`` and ``sizes`` in bytes by buffer index, and what owns them.

    ``off`` names the parameters that got None. ``large``: a buffer holds 2 GiB or more, or might be followed
    that far.
    """

    addresses: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    owners: list[object] = field(default_factory=list)
    off: dict[int, str] = field(default_factory=dict)
    large: bool = False
    after: list[Callable[[], None]] = field(default_factory=list)
    _aligned: dict[tuple[int, int], Bytes] = field(default_factory=dict)

    def add(self, value: Any, parameter: Parameter) -> None:
        """Take ``value`` for ``parameter``. Raises ``TypeError`` or ``LaunchError`` where it does not fit."""
        assert parameter.index is not None
        if value is None:
            self.off[parameter.index] = parameter.name
            return
        if _is_mlx(value):
            self._add_mlx(value, parameter)
            return
        array, written = _memory(value, parameter)
        nbytes = array.nbytes
        if nbytes == 0:
            array = np.zeros(_ALIGN, np.uint8)  # an address that nobody may follow
        address = array.ctypes.data
        if address % _ALIGN:
            array = self._align(array, written)
            address = array.ctypes.data
        self._keep(parameter.index, address, array, nbytes)

    def _keep(self, index: int, address: int, owner: object, nbytes: int) -> None:
        self.addresses[index] = address
        self.sizes[index] = nbytes
        self.owners.append(owner)
        self.large = self.large or nbytes >= _LARGE

    def _align(self, array: Bytes, written: bool) -> Bytes:
        """A copy of ``array`` at an aligned address, whose contents go back after the launch."""
        key = (array.ctypes.data, array.nbytes)  # one array given twice stays one
        copy = self._aligned.get(key)
        if copy is None:
            room = np.empty(array.nbytes + _ALIGN, np.uint8)
            start = -room.ctypes.data % _ALIGN
            copy = room[start : start + array.nbytes]
            copy[:] = array.reshape(-1).view(np.uint8)
            self._aligned[key] = copy
        if written:
            whole, target = copy, array.reshape(-1).view(np.uint8)
            self.after.append(lambda: np.copyto(target, whole))
        return copy

    def _add_mlx(self, value: Any, parameter: Parameter) -> None:
        from anymetal import arrays

        assert parameter.index is not None
        if not parameter.const:
            raise TypeError(
                f"{_named(parameter)} is written by the kernel, and an mlx.core.array is a value that others "
                "may share: pass a NumPy array, and mx.array(it) afterwards."
            )
        given = str(value.dtype).rpartition(".")[2]
        needed = _MLX.get(parameter.element or "")
        if needed is not None and given.rstrip("_") != needed.rstrip("_"):
            raise TypeError(
                f"{_named(parameter)} needs an array of {needed}, got an mlx.core.array of {given}."
            )
        _check_size(value.nbytes, parameter, exact=False)
        row_major = arrays.row_contiguous(value)
        address = arrays.address(row_major)
        if address % _ALIGN and value.nbytes:
            view: Any = memoryview(row_major)  # type: ignore[arg-type]  # the stubs leave that protocol out
            address = self._align(np.frombuffer(view, np.uint8), written=False).ctypes.data
        self._keep(parameter.index, address, (row_major, *self._aligned.values()), value.nbytes)


def _is_mlx(value: Any) -> bool:
    mlx = sys.modules.get("mlx.core")  # whoever has an array of MLX has imported it
    return mlx is not None and isinstance(value, mlx.array)


def _named(parameter: Parameter) -> str:
    return f"buffer {parameter.index}, `{parameter.name}` ({declared(parameter)}),"


def declared(parameter: Parameter) -> str:
    """A parameter's type as Metal has it."""
    const = "const " if parameter.const and parameter.address_space != "constant" else ""
    return f"{const}{parameter.address_space} {parameter.type}{'&' if parameter.reference else '*'}"


def _memory(value: Any, parameter: Parameter) -> tuple[Bytes, bool]:
    """``value`` as memory, and whether the kernel may write there."""
    if isinstance(value, np.ndarray):
        return _array(value, parameter), not parameter.const
    if not parameter.const:
        raise TypeError(
            f"{_named(parameter)} is written by the kernel: it needs a NumPy array, got {_what(value)}."
        )
    if isinstance(value, (bytes, bytearray, memoryview, ctypes.Structure, ctypes.Union, ctypes.Array)):
        whole: Any = value
        raw = np.frombuffer(whole, np.uint8)
        _check_size(raw.nbytes, parameter, exact=True)
        return raw, False
    if isinstance(value, np.generic):
        array = np.array(value)
        _check_dtype(array, parameter, f"np.{value.dtype.name}({value})")
        _check_size(array.nbytes, parameter, exact=True)
        return array, False
    array = _numbers(value, parameter)
    _check_size(array.nbytes, parameter, exact=not isinstance(value, (list, tuple)))
    return array, False


def _array(array: Bytes, parameter: Parameter) -> Bytes:
    _check_dtype(array, parameter, f"an array of {array.dtype}")
    if not array.flags.c_contiguous:
        raise LaunchError(
            f"{_named(parameter)} needs a C-contiguous array, got strides {array.strides} for shape "
            f"{array.shape}: pass np.ascontiguousarray(it), or the array that it is a view of."
        )
    if not parameter.const and not array.flags.writeable:
        raise LaunchError(f"{_named(parameter)} is written by the kernel, and the array is read-only.")
    _check_size(array.nbytes, parameter, exact=False)
    return array


def _check_dtype(array: Bytes, parameter: Parameter, got: str) -> None:
    dtype = array.dtype
    if dtype.hasobject:
        raise TypeError(f"{_named(parameter)} cannot hold Python objects, got {got}.")
    element = parameter.element
    if element is None:
        return  # a struct: any bytes will do
    if element == "bf16":
        # NumPy has no bfloat16; its bits travel as uint16, or as the type that other packages add.
        if dtype != np.uint16 and dtype.name != "bfloat16":
            raise TypeError(
                f"{_named(parameter)} needs bfloat16: an mlx.core.array of bfloat16, or a NumPy array of "
                f"uint16 that holds its bits; got {got}."
            )
    elif dtype != _DTYPES[element]:
        raise TypeError(f"{_named(parameter)} needs {_DTYPES[element]}, got {got}.")


def _check_size(nbytes: int, parameter: Parameter, *, exact: bool) -> None:
    size = parameter.size
    if parameter.reference and (nbytes != size if exact else nbytes < size):
        raise LaunchError(f"{_named(parameter)} needs {size} bytes, got {nbytes}.")
    if not parameter.reference and exact and size and nbytes % size:
        raise LaunchError(f"{_named(parameter)} needs elements of {size} bytes, got {nbytes} bytes.")


def _numbers(value: Any, parameter: Parameter) -> Bytes:
    """A Python number, or a list of them, as the parameter's element type; nothing is lost on the way."""
    element = parameter.element
    if not isinstance(value, (bool, int, float, list, tuple)):
        raise TypeError(
            f"{_named(parameter)} needs a NumPy array, an mlx.core.array, a number, bytes or a struct, got "
            f"{_what(value)}."
        )
    if element is None:
        raise TypeError(
            f"{_named(parameter)} is a struct of {parameter.size} bytes: pass bytes, a ctypes.Structure or "
            f"an np.void, got {_what(value)}."
        )
    raw = np.array(value)
    if raw.dtype.kind not in "biuf" or (raw.size and raw.dtype.kind not in _accepted(element)):
        raise TypeError(f"{_named(parameter)} needs {_MLX[element]}, got {_what(value)}.")
    if element == "bf16":
        bits = raw.astype(np.float32).view(np.uint32).astype(np.uint64)
        return np.asarray((bits + 0x7FFF + (bits >> 16 & 1)) >> 16, np.uint16)
    dtype = _DTYPES[element]
    if dtype.kind in "iu" and raw.size:
        limits = np.iinfo(dtype)
        if int(raw.min()) < limits.min or int(raw.max()) > limits.max:
            raise LaunchError(
                f"{_named(parameter)} needs {dtype}, from {limits.min} to {limits.max}, got {_what(value)}."
            )
    with np.errstate(over="ignore"):
        return raw.astype(dtype)


def _accepted(element: str) -> str:
    if element == "bool":
        return "b"
    return "biuf" if element in ("f16", "bf16", "f32") else "biu"


def _what(value: Any) -> str:
    text = repr(value)
    return (
        text
        if len(text) <= 60 and isinstance(value, (bool, int, float, list, tuple))
        else type(value).__name__
    )
