"""Figures of quantized weights: the bits of a real block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np

from figures.figure import Figure
from kernels.quantized.affine import Affine
from kernels.quantized.q4_0 import Q4_0
from kernels.quantized.q4_k import Q4_K
from kernels.quantized.q4_k import format as q4_k

Part = tuple[int, int, int]
"""A byte, its lowest bit that counts, and how many bits from there."""


@dataclass(frozen=True)
class _Block:
    """Bytes, fields (name, first byte, number of bytes) and values (name, parts, what they say)."""

    bytes: list[int]
    fields: list[tuple[str, int, int]]
    values: list[tuple[str, list[Part], str]]


def bits(w: Q4_0 | Q4_K | Affine, row: int = 0, block: int = 0) -> Figure:
    """One block of weights: choose a value to see its bits, or a byte to see whose it is.

    Args:
        w: quantized weights.
        row, block: which row, and which block or group of it.

    Raises:
        TypeError: w is of another format.
        ValueError: there is no such row or block.
    """
    make: Any
    if isinstance(w, Q4_0):
        make, count = _q4_0, w.blocks.shape[1]
    elif isinstance(w, Q4_K):
        make, count = _q4_k, w.blocks.shape[1]
    elif isinstance(w, Affine):
        make, count = _affine, w.scales.shape[1]
    else:
        raise TypeError(f"w is a {type(w).__name__}; it must be a Q4_0, a Q4_K or an Affine.")
    if not 0 <= row < w.shape[0]:
        raise ValueError(f"row is {row}; w has rows 0 to {w.shape[0] - 1}.")
    if not 0 <= block < count:
        raise ValueError(f"block is {block}; a row of w has blocks 0 to {count - 1}.")
    made: _Block = make(w, row, block)
    data = {
        "bytes": made.bytes,
        "fields": [{"name": name, "first": first, "count": n} for name, first, n in made.fields],
        "values": [{"name": n, "parts": [list(p) for p in parts], "says": s} for n, parts, s in made.values],
    }
    fields = "; ".join(f"{name}, {count} bytes" for name, _, count in made.fields)
    alt = f"{len(made.values)} values in {len(made.bytes)} bytes of {w.format}: {fields}."
    return Figure("bits", f"A block of {w.format}: {len(made.bytes)} bytes", data, alt)


def _q4_0(w: Q4_0, row: int, block: int) -> _Block:
    raw = np.array(w.blocks)[row, block]
    d = float(raw[:2].view("<f2")[0])
    values: list[tuple[str, list[Part], str]] = [
        ("d", [(0, 0, 8), (1, 0, 8)], f"d is a half, lower byte first: {d:g}.")
    ]
    for i in range(32):
        byte, low = 2 + i % 16, i // 16 * 4
        q = int(raw[byte]) >> low & 15
        values.append(
            (
                str(i),
                [(0, 0, 8), (1, 0, 8), (byte, low, 4)],
                f"Element {i}: the {'high' if low else 'low'} nibble of byte {byte} is {q}, "
                f"so w = d · (q − 8) = {d:g} · {q - 8} = {d * (q - 8):.5g}.",
            )
        )
    return _Block(raw.tolist(), [("the scale d", 0, 2), ("32 nibbles", 2, 16)], values)


def _q4_k(w: Q4_K, row: int, block: int) -> _Block:
    raw = np.array(w.blocks)[row, block]
    d, dmin, sc, m, q = q4_k.unpack(raw)
    values: list[tuple[str, list[Part], str]] = [
        ("d", [(0, 0, 8), (1, 0, 8)], f"d is a half: {float(d):g}. It scales the eight scales."),
        ("dm", [(2, 0, 8), (3, 0, 8)], f"dmin is a half: {float(dmin):g}. It scales the eight minimums."),
    ]
    for j in range(8):
        for letter, numbers, first in (("s", sc, 4), ("m", m, 8)):
            if j < 4:
                parts: list[Part] = [(first + j, 0, 6)]
            else:
                parts = [(8 + j, 0 if letter == "s" else 4, 4), (first + j - 4, 6, 2)]
            what = "scale" if letter == "s" else "minimum"
            said = f"The {what} of sub-block {j} is {int(numbers[j])}, of six bits."
            if j >= 4:
                said += f" Its lower four lie in byte {8 + j}, its upper two on top of byte {first + j - 4}."
            values.append((f"{letter}{j}", parts, said))
    for sub in range(8):
        for i in range(32):
            byte, low = 16 + sub // 2 * 32 + i, sub % 2 * 4
            code = int(q[sub, i])
            w_k = float(d) * int(sc[sub]) * code - float(dmin) * int(m[sub])
            values.append(
                (
                    str(32 * sub + i),
                    [(byte, low, 4)],
                    f"Element {32 * sub + i}, in sub-block {sub}: q = {code}, so w = d · {int(sc[sub])} "
                    f"· {code} − dmin · {int(m[sub])} = {w_k:.5g}.",
                )
            )
    fields = [("d", 0, 2), ("dmin", 2, 2), ("scales and minimums", 4, 12), ("256 nibbles", 16, 128)]
    return _Block(raw.tolist(), fields, values)


def _affine(w: Affine, row: int, group: int) -> _Block:
    size, width = w.group, w.bits
    codes = (
        np.array(w.packed)[row].view("<u4").view(np.uint8)[group * size * width // 8 :][: size * width // 8]
    )
    scale, bias = (np.array(a[row, group].astype(mx.float32)).item() for a in (w.scales, w.biases))
    stored = [np.array(a[row, group].reshape(1).view(mx.uint8)) for a in (w.scales, w.biases)]
    each = stored[0].size
    count = len(codes)
    raw = np.concatenate([codes, *stored])
    values: list[tuple[str, list[Part], str]] = []
    for i in range(size):
        at = i * width
        parts: list[Part] = []
        while at < (i + 1) * width:
            take = min(8 - at % 8, (i + 1) * width - at)
            parts.append((at // 8, at % 8, take))
            at += take
        q = _code(codes, parts)
        values.append(
            (
                str(i),
                parts,
                f"Element {i} of the group: q = {q}, so w = scale · q + bias = {scale:g} · {q} + {bias:g} = "
                f"{scale * q + bias:.5g}.",
            )
        )
    for name, first, number in (("s", count, scale), ("b", count + each, bias)):
        what = "scale" if name == "s" else "bias"
        parts = [(first + byte, 0, 8) for byte in range(each)]
        values.append((name, parts, f"The group's {what}, in an array of its own: {number:g}."))
    fields = [
        (f"{size} codes of {width} bits", 0, count),
        ("the scale", count, each),
        ("the bias", count + each, each),
    ]
    return _Block(raw.tolist(), fields, values)


def _code(codes: np.ndarray[Any, np.dtype[np.uint8]], parts: list[Part]) -> int:
    value, shift = 0, 0
    for byte, low, count in parts:
        value |= (int(codes[byte]) >> low & (1 << count) - 1) << shift
        shift += count
    return value
