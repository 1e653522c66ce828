"""How affine weights are handed to a kernel."""

from __future__ import annotations

import mlx.core as mx

from kernels.quantized.affine.format import Affine, Experts

NAMES = ("packed", "scales", "biases")
"""The kernels' names for what ``inputs`` gives."""


def inputs(w: Affine | Experts) -> list[mx.array]:
    """Codes as bytes, scales, biases. As bytes, since an argument of fewer than eight elements lies in
    constant memory, and the shortest row of codes is two words: eight bytes."""
    return [w.packed.view(mx.uint8), w.scales, w.biases]


def template(w: Affine | Experts) -> list[tuple[str, int]]:
    """The format as template parameters."""
    return [("BITS", w.bits), ("GROUP", w.group)]
