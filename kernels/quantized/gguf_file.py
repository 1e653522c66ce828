"""The tensors of a .gguf file, as the kernels of this book take them.

The ``gguf`` package reads the file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). It is needed
for this module alone, so it is imported late.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels.quantized import q4_0, q4_k, q8_0

Tensor = q4_0.Q4_0 | q8_0.Q8_0 | q4_k.Q4_K | mx.array
"""Weights [N, K] in a format of GGUF, or an array of float32, float16 or bfloat16."""

# Type of a tensor: how its blocks become weights, and the bytes of a block.
_QUANTIZED: dict[str, tuple[Callable[[mx.array], Tensor], int]] = {
    "Q4_0": (q4_0.Q4_0, q4_0.BYTES),
    "Q8_0": (q8_0.Q8_0, q8_0.BYTES),
    "Q4_K": (q4_k.Q4_K, q4_k.BYTES),
}
_FLOATS = ("F32", "F16", "BF16")


def tensors(path: str | os.PathLike[str], names: Collection[str] | None = None) -> dict[str, Tensor]:
    """The tensors of a file by name, copied out of it, in the file's order.

    GGUF counts axes from the fastest: what it lists as [K, N] is [N, K] here, a row an output.

    Args:
        path: the file.
        names: the tensors wanted. None stands for all of them.

    Raises:
        ImportError: the ``gguf`` package is not installed.
        OSError: the file cannot be read.
        ValueError: it is no GGUF file; it has no tensor of a name asked for; or a tensor asked for is of
            another type than F32, F16, BF16, Q4_0, Q8_0 and Q4_K, or quantized and no matrix.
    """
    found = {str(each.name): each for each in _reader(path).tensors}
    missing = [name for name in names or () if name not in found]
    if missing:
        known = ", ".join([*found][:6]) + (", …" if len(found) > 6 else "")
        raise ValueError(f"{os.fspath(path)} has no tensor {missing[0]!r}; it has {len(found)}: {known}.")
    return {name: _tensor(each) for name, each in found.items() if names is None or name in names}


def _reader(path: str | os.PathLike[str]) -> Any:
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise ImportError(
            "Reading a .gguf file needs the gguf package, which is not installed: pip install gguf."
        ) from error
    try:
        return GGUFReader(path)
    # Whatever a reader trips over in a file of another kind, or in one that ends too early.
    except (ValueError, IndexError, UnicodeDecodeError, OverflowError) as error:
        raise ValueError(f"{os.fspath(path)} is not a GGUF file that can be read: {error}") from error


def _tensor(found: Any) -> Tensor:
    kind = str(found.tensor_type.name)
    # Copied at once: the package maps the file into memory, and the file may go.
    data: NDArray[Any] = np.array(found.data)
    if kind in _QUANTIZED:
        make, octets = _QUANTIZED[kind]
        if data.ndim != 2:
            axes = [int(axis) for axis in reversed(found.shape)]
            raise ValueError(
                f"tensor {found.name!r} is {kind} of shape {axes}; quantized weights must be of shape [N, K]."
            )
        return make(mx.array(data.reshape(data.shape[0], data.shape[1] // octets, octets)))
    if kind not in _FLOATS:
        known = ", ".join([*_FLOATS, *_QUANTIZED])
        raise ValueError(f"tensor {found.name!r} has type {kind}; this book reads {known}.")
    if kind == "BF16":
        return mx.array(data.view(np.uint16)).view(mx.bfloat16)
    return mx.array(data)
