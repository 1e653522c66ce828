"""An interactive figure: recorded data, the name of the script that draws them, and words for who cannot see
it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

PAGE = "MATMUL_FIGURES_PAGE"
"""Set in the environment while a book is built: figures then become part of the page, with no widget."""


@dataclass(frozen=True)
class Figure:
    """kind: one of `scripts.KINDS`. title: a line over it. data: JSON. alt: what it shows, in words, where no
    script runs."""

    kind: str
    title: str
    data: Mapping[str, Any]
    alt: str

    def html(self) -> str:
        """What a page holds: the data, and `alt` until the page's script draws."""
        # "</" would end the script; JSON may escape the slash.
        data = json.dumps(self.data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        data = data.replace("</", "<\\/")
        return (
            f'<div class="mm-figure" data-figure="{escape(self.kind)}" role="figure" '
            f'aria-label="{escape(self.title)}">'
            f'<p class="mm-title">{escape(self.title)}</p>'
            f'<div class="mm-place"><p>{escape(self.alt)}</p></div>'
            f'<script type="application/json">{data}</script></div>'
        )

    def widget(self) -> Any:
        """The figure as a widget, live in Jupyter. Its trait ``data`` may be set to draw it anew.

        Raises:
            ImportError: anywidget is not installed.
        """
        from figures.widget import FigureWidget

        return FigureWidget(self)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = {"text/plain": f"{self.title}. {self.alt}"}
        if os.environ.get(PAGE):
            return bundle | {"text/html": self.html()}
        try:
            shown = self.widget()
        except ImportError:
            # A terminal, or a notebook without widgets: the words, and what to install.
            return bundle | {
                "text/html": f"<p>{escape(self.alt)}</p><p><i>Interactive: pip install anywidget</i></p>"
            }
        data, metadata = shown._repr_mimebundle_(**options)
        # In words, the same each time: a widget's own text has its address in it, which nbval would compare.
        return data | bundle, metadata
