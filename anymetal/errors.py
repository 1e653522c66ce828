"""What anymetal raises. MLX raises ``RuntimeError`` and ``ValueError`` for the same mistakes; so do these."""

from __future__ import annotations


class AnymetalError(RuntimeError):
    """Anything that anymetal refuses to do."""


class CompileError(AnymetalError):
    """The source is not Metal that Apple's compiler would take, or uses what anymetal lacks.

    ``file``, ``line`` (from 1), ``column`` (from 1) and ``text`` (that line) point into the source as the
    caller wrote it; they are None where the mistake has no place in it.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        text: str | None = None,
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.column = column
        self.text = text


class LaunchError(AnymetalError, ValueError):
    """A launch asks for what no device allows, or its arguments do not fit the kernel."""


class KernelFault(AnymetalError):
    """A kernel did something that makes its results meaningless while it ran."""
