"""Affine groups: w = scale · q + bias, as MLX stores them. 2, 3, 4, 5, 6 or 8 bits a code.

A group is 32, 64 or 128 neighbouring weights of a row with one scale and one bias. Its codes are a stream of
bits (see ``packing``) that always ends with a whole uint32.

Source: MLX's ``quantize`` (https://github.com/ml-explore/mlx/blob/main/mlx/backend/cpu/quantized.cpp), which
this gives the same codes, scales and biases as.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels import arguments
from kernels.quantized import weights
from kernels.quantized.affine.packing import check_width, pack, unpack
from kernels.tolerance import Float64

GROUPS = (32, 64, 128)
"""Weights that share a scale and a bias."""


def _group(group: object) -> None:
    if group not in GROUPS:
        raise ValueError(f"group is {group}; it must be one of {', '.join(map(str, GROUPS))}.")


def _check(packed: mx.array, scales: mx.array, biases: mx.array, bits: int, group: int, rank: int) -> None:
    """What ``Affine`` (rank 2) and ``Experts`` (rank 3) ask of their arrays."""
    check_width(bits)
    _group(group)
    for name, array in (("packed", packed), ("scales", scales), ("biases", biases)):
        if not isinstance(array, mx.array):
            raise TypeError(f"{name} is a {type(array).__name__}; it must be an mx.array.")
    outer = "[N, " if rank == 2 else "[E, N, "
    if packed.dtype != mx.uint32 or packed.ndim != rank:
        raise ValueError(
            f"packed has dtype {arguments.name_of(packed.dtype)} and shape {tuple(packed.shape)}; "
            f"it must be uint32 of shape {outer}K * {bits} / 32]."
        )
    if 0 in packed.shape:
        raise ValueError(f"packed has shape {tuple(packed.shape)}; no axis may be 0.")
    if scales.dtype not in arguments.FLOATS:
        raise ValueError(
            f"scales has dtype {arguments.name_of(scales.dtype)}; it must have float32, float16 or bfloat16."
        )
    words = packed.shape[-1]
    if words * 32 % (bits * group):
        raise ValueError(
            f"packed has shape {tuple(packed.shape)}, which holds {words * 32 / bits:g} codes a row; "
            f"it must hold a multiple of the group, {group}."
        )
    needed = (*packed.shape[:-1], words * 32 // (bits * group))
    for name, array in (("scales", scales), ("biases", biases)):
        if array.shape != needed:
            raise ValueError(
                f"{name} has shape {tuple(array.shape)}; packed of shape {tuple(packed.shape)} at {bits} "
                f"bits in groups of {group} needs {needed}."
            )
    if biases.dtype != scales.dtype:
        raise ValueError(
            f"biases has dtype {arguments.name_of(biases.dtype)} and scales has "
            f"{arguments.name_of(scales.dtype)}; both must have the same dtype."
        )


@dataclass(frozen=True)
class Affine:
    """Weights [N, K] in affine groups.

    packed: uint32 [N, K · bits / 32], the codes.
    scales, biases: float32, float16 or bfloat16 [N, K / group].
    bits: 2, 3, 4, 5, 6 or 8.
    group: 32, 64 or 128.
    """

    packed: mx.array
    scales: mx.array
    biases: mx.array
    bits: int = 4
    group: int = 64

    def __post_init__(self) -> None:
        _check(self.packed, self.scales, self.biases, self.bits, self.group, 2)

    @property
    def format(self) -> str:
        return f"affine, {self.bits} bits in groups of {self.group}"

    @property
    def shape(self) -> tuple[int, int]:
        return self.packed.shape[0], self.packed.shape[1] * 32 // self.bits

    @property
    def nbytes(self) -> int:
        return int(self.packed.nbytes + self.scales.nbytes + self.biases.nbytes)

    def codes(self) -> NDArray[np.uint8]:
        """The codes 0 … 2^bits − 1, [N, K]."""
        return unpack(np.array(self.packed), self.bits)

    def _groups(self) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        """Codes [N, K / group, group], scales and biases [N, K / group, 1]."""
        scales, biases = (np.array(a.astype(mx.float32))[..., None] for a in (self.scales, self.biases))
        return self.codes().reshape(*scales.shape[:2], self.group), scales, biases

    def dequantize(self) -> NDArray[np.float32]:
        """scale · q + bias: the product is exact where the scales have 16 bits; then one rounding."""
        q, scales, biases = self._groups()
        return (q.astype(np.float32) * scales + biases).reshape(self.shape)

    def magnitudes(self) -> Float64:
        q, scales, biases = self._groups()
        sizes = q.astype(np.float64) * np.abs(scales) + np.abs(biases)
        return sizes.reshape(self.shape)


@dataclass(frozen=True)
class Experts:
    """E matrices [N, K] in affine groups, the experts of a mixture: one array each, experts outermost.

    packed: uint32 [E, N, K · bits / 32].
    scales, biases: float32, float16 or bfloat16 [E, N, K / group].
    bits, group: as for ``Affine``.
    """

    packed: mx.array
    scales: mx.array
    biases: mx.array
    bits: int = 4
    group: int = 64

    def __post_init__(self) -> None:
        _check(self.packed, self.scales, self.biases, self.bits, self.group, 3)

    @property
    def format(self) -> str:
        return f"{self.packed.shape[0]} experts in affine, {self.bits} bits in groups of {self.group}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """E, N and K."""
        experts, n, words = self.packed.shape
        return experts, n, words * 32 // self.bits

    @property
    def nbytes(self) -> int:
        """Bytes of all experts."""
        return int(self.packed.nbytes + self.scales.nbytes + self.biases.nbytes)

    def __len__(self) -> int:
        return int(self.packed.shape[0])

    def __getitem__(self, expert: int) -> Affine:
        """One expert's weights, copied.

        Raises:
            IndexError: there is no such expert.
        """
        if not 0 <= expert < len(self):
            raise IndexError(f"expert is {expert}; it must be 0 … {len(self) - 1}.")
        return Affine(self.packed[expert], self.scales[expert], self.biases[expert], self.bits, self.group)

    def __iter__(self) -> Iterator[Affine]:
        return (self[expert] for expert in range(len(self)))


def quantize(w: object, bits: int = 4, group: int = 64, dtype: mx.Dtype | None = None) -> Affine:
    """Each group's range, in 2^bits − 1 steps; the end of larger magnitude stands for itself, and so does
    zero where the range holds it.

    Args:
        w: [N, K], an array of floats, of NumPy or MLX. K is a multiple of ``group``.
        bits: 2, 3, 4, 5, 6 or 8.
        group: 32, 64 or 128.
        dtype: of scales and biases: float32, float16 or bfloat16. w is rounded to it first, as
            ``mx.quantize`` of such an array would see it. Unless said, w's own (float32 for a float64).

    Raises:
        TypeError: w is no array of floats.
        ValueError: its rank or K, or bits, group or dtype does not fit.
    """
    check_width(bits)
    _group(group)
    own = _own(w)
    dtype = own if dtype is None else dtype
    if dtype not in arguments.FLOATS:
        raise ValueError(f"dtype is {dtype}; it must be float32, float16 or bfloat16.")
    values = weights.numbers(w, group, f"affine in groups of {group}")
    if 0 in values.shape:
        raise ValueError(f"w has shape {values.shape}; N and K must be at least 1.")
    if dtype != own:
        values = np.array(mx.array(values).astype(dtype).astype(mx.float32))
    n, k = values.shape
    groups = values.reshape(n, k // group, group)
    codes, scales, biases = _quantize(groups, bits)
    packed = mx.array(pack(codes.reshape(n, k), bits))
    return Affine(packed, mx.array(scales).astype(dtype), mx.array(biases).astype(dtype), bits, group)


def _own(w: object) -> mx.Dtype:
    if isinstance(w, mx.array) and w.dtype in arguments.FLOATS:
        return w.dtype
    return mx.float16 if isinstance(w, np.ndarray) and w.dtype == np.float16 else mx.float32


def _quantize(
    groups: NDArray[np.float32], bits: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Codes of [N, groups, group] numbers, scales and biases of [N, groups]: in float32, as MLX has it."""
    most = np.float32((1 << bits) - 1)
    low, high = groups.min(axis=-1), groups.max(axis=-1)
    negative = np.abs(low) > np.abs(high)
    # The end that becomes the bias, code 0. The scale leads away from it: negative where that end is the top.
    edge = np.where(negative, low, high)
    with np.errstate(all="ignore"):
        scale = np.maximum((high - low) / most, np.float32(1e-7))
        scale = np.where(negative, scale, -scale)
        # Stretched so that the edge is a whole number of steps from zero.
        steps = np.rint(edge / scale)
        scales = np.where(steps == 0, scale, edge / steps)
        biases = np.where(steps == 0, np.float32(0), edge)
        codes = np.rint((groups - biases[..., None]) / scales[..., None]).clip(0, most)
        return codes.astype(np.uint8), scales, biases
