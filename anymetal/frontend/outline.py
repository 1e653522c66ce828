"""What a source offers, without compiling it: its kernels, kernel templates and function constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anymetal.frontend import clang, constants
from anymetal.frontend.diagnostics import Reporter
from anymetal.frontend.kernels import find
from anymetal.frontend.source import Refused, Source


@dataclass(frozen=True)
class Outline:
    """``kernels`` can be launched as they are; ``templates`` need arguments; ``constants`` maps names to
    indices."""

    kernels: tuple[str, ...]
    templates: tuple[str, ...]
    constants: dict[str, int]


def preprocess(
    text: str,
    *,
    files: Mapping[str, str] | None = None,
    include_dirs: Sequence[str] = (),
    defines: Mapping[str, str | int] | None = None,
    math_mode: str = "safe",
) -> str:
    """``text`` with everything that it includes, for ``compile_source(..., preprocessed=True)``."""
    macros = {**(defines or {}), **({"__FAST_MATH__": 1} if math_mode == "fast" else {})}
    status, preprocessed, messages = clang.preprocess(text, include_dirs, macros)
    if status:
        raise Reporter({"<stdin>": text, **(files or {})}).clang(messages)
    return preprocessed


def outline(preprocessed: str, files: Mapping[str, str] | None = None) -> Outline:
    """What a preprocessed source offers."""
    source = Source(preprocessed)
    try:
        definitions, instantiations = find(source)
        declared = constants.find(source)
    except Refused as refused:
        raise Reporter(dict(files or {}), source).error(refused.at, refused.message) from None
    kernels = [d.host_name or d.name for d in definitions if not d.template]
    return Outline(
        tuple(dict.fromkeys([*kernels, *(i.name for i in instantiations)])),
        tuple(dict.fromkeys(d.name for d in definitions if d.template)),
        {c.name: c.index for c in declared},
    )
