"""A bar for what takes more than a moment: gone when it ends, and never part of a result.

In a notebook it is an output that is emptied at the end, in a terminal a line on standard error that is
wiped. Where nobody watches there is none: into a file, under pytest, or with ``MATMUL_ON_METAL_PROGRESS=off``
in the environment, as the book and the labs are built. What is stored is then the same on every machine.
"""

from __future__ import annotations

import html
import os
import sys
from types import TracebackType
from typing import Any

VARIABLE = "MATMUL_ON_METAL_PROGRESS"
WIDTH = 24


class Progress:
    """Counts the steps of one piece of work. Use it in a ``with``, and call `step` before each."""

    def __init__(self, title: str, steps: int) -> None:
        self.title, self.steps = title, steps
        self.begun = 0
        self._handle: Any = None
        self._show = _way_to_show()

    def __enter__(self) -> Progress:
        return self

    def step(self, what: str) -> None:
        """Say what begins now. A step more than was foreseen only keeps the bar full."""
        self.begun += 1
        if self._show == "notebook":
            self._in_notebook(what)
        elif self._show == "terminal":
            done = WIDTH * (min(self.begun, self.steps) - 1) // max(self.steps, 1)
            bar = "█" * done + "░" * (WIDTH - done)
            print(f"\r\x1b[2K{self.title} {bar} {what}", end="", file=sys.stderr, flush=True)

    def _in_notebook(self, what: str) -> None:
        from IPython.display import display

        says = html.escape(f"{self.title}: {what}")
        bundle = {
            "text/plain": f"{self.title}: {what}",
            "text/html": f'<progress value="{min(self.begun, self.steps) - 1}" max="{self.steps}" '
            f'aria-label="{says}"></progress> <span>{says}</span>',
        }
        if self._handle is None:
            show: Any = display  # IPython's own is untyped
            self._handle = show(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.update({}, raw=True)  # an output without data: it shows nothing, and nbval passes it
        elif self._show == "terminal" and self.begun:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def _way_to_show() -> str:
    if os.environ.get(VARIABLE, "").lower() == "off" or "PYTEST_VERSION" in os.environ:
        return ""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and hasattr(shell, "kernel"):
        return "notebook"
    return "terminal" if sys.stderr is not None and sys.stderr.isatty() else ""
