"""Values of 32 lanes in few bytes of JSON: most are the same in all, or a start and a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def lanes(values: Sequence[Any]) -> Any:
    """``{"each": v}``, ``{"from": a, "step": b}`` or the list. ``lanesOf`` in ``js/common.js`` reads them."""
    plain = [_number(value) for value in values]
    if all(v == plain[0] and type(v) is type(plain[0]) for v in plain):
        return {"each": plain[0]}
    if all(isinstance(v, int) and not isinstance(v, bool) for v in plain):
        step = plain[1] - plain[0]
        if all(v == plain[0] + lane * step for lane, v in enumerate(plain)):
            return {"from": plain[0], "step": step}
    return plain


def _number(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_number(v) for v in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
        return float(f"{value:.7g}")
    return value
