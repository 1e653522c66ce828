"""Finding a kernel's ``.metal`` text and building it once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import mlx.core as mx

Kernel = Callable[..., list[mx.array]]


@cache
def text(path: str) -> str:
    """The text of ``kernels/<path>``, for example ``text("gemv/simd.metal")``."""
    return files("kernels").joinpath(*path.split("/")).read_text(encoding="utf-8")


@cache
def _build(
    factory: Callable[..., Any], path: str, inputs: tuple[str, ...], outputs: tuple[str, ...], header: str
) -> Kernel:
    kernel: Kernel = factory(
        name=path.removesuffix(".metal").replace("/", "_"),
        input_names=list(inputs),
        output_names=list(outputs),
        source=text(path),
        header=text(header) if header else "",
    )
    return kernel


@cache
def _metal_is_here() -> bool:
    return bool(mx.metal.is_available())


def _watched() -> bool:
    from anymetal.checks import report

    return report.active() is not None


def load(path: str, inputs: Sequence[str], outputs: Sequence[str], header: str = "") -> Kernel:
    """The kernel whose body is ``kernels/<path>``, ready to be called as ``mx.fast.metal_kernel`` describes.

    It runs on Metal where there is Metal, and through ``anymetal`` elsewhere, whether or not
    ``anymetal.install()`` was called; and always through ``anymetal`` inside ``anymetal.checked()``, which
    could count nothing on a GPU. Asking again for the same kernel gives the same object.

    Args:
        path: the body's file under ``kernels/``, with ``/`` between folders.
        inputs: the inputs' names, in the order in which arrays will be given.
        outputs: the outputs' names.
        header: a file under ``kernels/`` with what the body needs outside a function.
    """
    factory: Callable[..., Any]
    if _metal_is_here() and not _watched():
        factory = mx.fast.metal_kernel
    else:
        import anymetal

        factory = anymetal.metal_kernel
    return _build(factory, path, tuple(inputs), tuple(outputs), header)
