"""Pages with figures, opened in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from figures import Figure, scripts


class Shown:
    """A page with one figure, and what went wrong on it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.figure = page.locator(".mm-figure")
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)

    @property
    def status(self) -> str:
        return str(self.figure.locator(".mm-status").inner_text())

    def rows(self) -> list[list[str]]:
        """The cells of the figure's table."""
        rows = self.figure.locator("tbody tr")
        return [rows.nth(i).locator("th, td").all_inner_texts() for i in range(rows.count())]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a figure in a page of its own, from a file: a function of the figure and the window's width."""
    pages: list[Shown] = []

    def opened(figure: Figure, width: int = 1000) -> Shown:
        path = tmp_path / f"{len(pages)}.html"
        path.write_text(
            "<!doctype html><html lang='en'><meta charset='utf-8'><title>A figure</title>"
            f"<style>{scripts.style()}</style><main>{figure.html()}</main><script>{scripts.for_page()}</script>",
            encoding="utf-8",
        )
        shown = Shown(browser.new_page(viewport={"width": width, "height": 900}))
        pages.append(shown)
        shown.page.goto(path.as_uri())
        return shown

    yield opened
    for shown in pages:
        shown.page.close()
        assert shown.errors == []
