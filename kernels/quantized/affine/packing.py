"""Codes of 2 to 8 bits as one stream of bits, as MLX stores them.

Code i of a row takes bits i · bits … i · bits + bits − 1 of little-endian bytes, the lowest first. So 4 bits
pack eight codes into a uint32; 3 bits, eight codes into 3 bytes; 5 bits, eight into 5; 6 bits, four into 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = (2, 3, 4, 5, 6, 8)
"""Widths of a code."""


def check_width(bits: object) -> None:
    """Raises a ValueError unless ``bits`` is one of the widths."""
    if bits not in BITS:
        raise ValueError(f"bits is {bits}; it must be one of {', '.join(map(str, BITS))}.")


def pack_of(bits: int) -> tuple[int, int]:
    """Codes and bytes of a pack: the fewest codes that end with a byte, such as 8 codes in 3 bytes."""
    check_width(bits)
    return {2: (4, 1), 3: (8, 3), 4: (2, 1), 5: (8, 5), 6: (4, 3), 8: (1, 1)}[bits]


def pack(codes: NDArray[np.integer], bits: int) -> NDArray[np.uint32]:
    """The codes as a stream of bits.

    Args:
        codes: whole numbers 0 … 2^bits − 1, [..., K]. K is a multiple of 32.
        bits: 2, 3, 4, 5, 6 or 8.

    Returns:
        uint32 [..., K · bits / 32].

    Raises:
        ValueError: bits, K or a code does not fit.
    """
    check_width(bits)
    codes = np.asarray(codes)
    k = codes.shape[-1] if codes.ndim else 1
    if codes.ndim == 0 or k % 32:
        raise ValueError(f"codes has shape {codes.shape}; its last axis must be a multiple of 32.")
    if codes.size and not 0 <= codes.min() <= codes.max() < 1 << bits:
        raise ValueError(
            f"codes holds {codes.min()} … {codes.max()}; {bits} bits hold 0 … {(1 << bits) - 1}."
        )
    # 32 codes fill `bits` words exactly: word by word, each code shifted to its place.
    codes = codes.astype(np.uint64).reshape(*codes.shape[:-1], k // 32, 32)
    words = np.zeros((*codes.shape[:-1], bits), np.uint64)
    for i in range(32):
        word, shift = divmod(i * bits, 32)
        at = codes[..., i] << np.uint64(shift)
        words[..., word] |= at & np.uint64(0xFFFFFFFF)
        if shift + bits > 32:
            words[..., word + 1] |= at >> np.uint64(32)
    return words.astype("<u4").reshape(*codes.shape[:-2], k * bits // 32)


def unpack(packed: NDArray[np.uint32], bits: int) -> NDArray[np.uint8]:
    """The codes 0 … 2^bits − 1 of ``pack``'s uint32 [..., K · bits / 32]: uint8 [..., K].

    Raises:
        ValueError: bits is none of the widths, or the last axis does not hold whole runs of 32 codes.
    """
    check_width(bits)
    packed = np.asarray(packed)
    if packed.ndim == 0 or packed.shape[-1] % bits:
        raise ValueError(
            f"packed has shape {packed.shape}; at {bits} bits its last axis must be a multiple of {bits}."
        )
    words = packed.astype(np.uint64).reshape(*packed.shape[:-1], -1, bits)
    codes = np.empty((*words.shape[:-1], 32), np.uint8)
    for i in range(32):
        word, shift = divmod(i * bits, 32)
        value = words[..., word] >> np.uint64(shift)
        if shift + bits > 32:
            value = value | words[..., word + 1] << np.uint64(32 - shift)
        codes[..., i] = value & np.uint64((1 << bits) - 1)
    return codes.reshape(*packed.shape[:-1], packed.shape[-1] // bits * 32)
