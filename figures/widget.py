"""Figures in Jupyter, through anywidget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from figures import scripts

if TYPE_CHECKING:
    from figures.figure import Figure


class FigureWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """A figure whose ``data`` can change while it is shown."""

    _css = scripts.style()
    title = traitlets.Unicode().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)

    def __init__(self, figure: Figure, **options: Any) -> None:
        self._esm = scripts.for_widget(figure.kind)
        super().__init__(title=figure.title, data=dict(figure.data), **options)
