"""The book's own census answers."""

from __future__ import annotations

from kernels.census import census

CAUSE = "reference-called"


def answer(config, tokens):
    return census(config, tokens)
