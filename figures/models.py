"""Figures of chips and models: the roofline, and the census of a model's matmuls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from anymetal.checks.chips import CHIPS, find
from anymetal.checks.counters import Counters
from anymetal.checks.roofline import DTYPES
from anymetal.checks.roofline import roofline as bound
from figures.figure import Figure
from kernels.census import MODELS, matmuls


def roofline(
    kernels: Mapping[str, Counters],
    *,
    yours: Mapping[str, Counters] | None = None,
    chip: str = "M2 Pro",
    dtype: str = "float32",
) -> Figure:
    """A chip's roof and counted kernels under it.

    Args:
        kernels: counters by name, each from ``anymetal.checked()``.
        yours: further ones, drawn apart: the reader's own.
        chip: the chip to start with, a name of ``anymetal.checks.chips.CHIPS``.
        dtype: "float32", "float16" or "bfloat16", to start with.

    Raises:
        ValueError: an unknown chip or dtype, or counters in which nothing moved or nothing was computed.
    """
    points = []
    for mine, group in ((False, kernels), (True, yours or {})):
        for name, counters in group.items():
            counted = bound(counters, chip, dtype)
            if not counted.bytes or not counted.flops:
                raise ValueError(f"kernels[{name!r}] counted no bytes or no operations: it has no place.")
            points.append({"name": name, "flops": counted.flops, "bytes": counted.bytes, "yours": mine})
    chips = [
        {
            "name": one.name,
            "bandwidth": one.bandwidth.value,
            "peak": {d: (one.matrix.get(d) or one.peak[d]).value for d in DTYPES if d in one.peak},
        }
        for one in CHIPS.values()
    ]
    name = find(chip).name
    alt = f"{len(points)} counted kernels under the roof of a chip that you choose, starting with {name}."
    data = {"chips": chips, "points": points, "chip": name, "dtype": dtype, "dtypes": list(DTYPES)}
    return Figure("roofline", "What each kernel must take, at least", data, alt)


def census(*, model: str = "Llama 3 8B", tokens: int = 1, chip: str = "M2 Pro") -> Figure:
    """A published model's matmuls for a number of tokens.

    Args:
        model: the model to start with, a name of ``kernels.census.MODELS``.
        tokens: rows of X to start with: a power of two up to 4096.
        chip: whose ridge point, in float16, decides what binds a matmul.

    Raises:
        ValueError: an unknown model or chip, or a number of tokens that is no such power of two.
    """
    if model not in MODELS:
        raise ValueError(f"model is {model!r}; it must be one of {', '.join(map(repr, MODELS))}.")
    if tokens < 1 or tokens > 4096 or tokens & (tokens - 1):
        raise ValueError(f"tokens is {tokens}; it must be a power of two from 1 to 4096.")
    known = find(chip)
    if "float16" not in known.peak:
        raise ValueError(f"chip is {known.name!r}, whose peak in float16 has no source; choose another.")
    data = {
        "models": [
            {"name": one.name, "page": one.page, "matmuls": [asdict(m) for m in matmuls(one.config)]}
            for one in MODELS.values()
        ],
        "model": model,
        "tokens": tokens,
        "ridge": {"chip": known.name, "value": known.peak["float16"].value / known.bandwidth.value},
    }
    alt = f"The matmuls of {len(MODELS)} published models: shapes, operations and bytes for 1 to 4096 tokens."
    return Figure("census", "A model's matmuls", data, alt)
