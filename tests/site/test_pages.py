"""Every page of the built book in a real browser."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from .conftest import BOOK, PAGES

MOST_BYTES = 1_000_000
SCROLLABLE_CAN_BE_REACHED = """
    [...document.querySelectorAll("pre")].every(b => b.scrollWidth <= b.clientWidth || b.tabIndex == 0)
"""


def test_opens_without_a_fault_on_desk_and_phone_in_light_and_dark(visit: Any, path: str) -> None:
    visited = visit(path)
    for theme in ("light", "dark"):
        visited.page.emulate_media(color_scheme=theme)
        visited.page.wait_for_function(f"document.documentElement.dataset.theme == '{theme}'")
        for width in (1280, 390):
            visited.page.set_viewport_size({"width": width, "height": 900})
            assert visited.page.evaluate("document.documentElement.scrollWidth") <= width, theme
        visited.page.wait_for_function(
            SCROLLABLE_CAN_BE_REACHED
        )  # the theme sees to it a while after a resize
        assert _faults(visited.page) == [], theme
    figures = visited.page.locator(".mm-figure")
    for at in range(figures.count()):
        assert figures.nth(at).locator(".mm-status").inner_text() != ""
    assert visited.errors == []
    assert visited.elsewhere == []


def _faults(page: Any) -> list[tuple[str, list[str]]]:
    """What axe-core finds that keeps someone from reading the page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    # Not preloaded: it would ask for style sheets' imports at places where they are not.
    found = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa"], "preload": False}).response["violations"]
    serious = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    return [(fault["id"], [node["html"][:200] for node in fault["nodes"][:3]]) for fault in serious]


def test_opens_from_a_file(visit: Any, path: str) -> None:
    visited = visit(path, home=f"{BOOK.as_uri()}/")
    assert visited.errors == []
    assert visited.elsewhere == []


def test_weighs_little(path: str) -> None:
    assert (BOOK / path).stat().st_size <= MOST_BYTES


CHAPTERS = [page for page in PAGES if "/chapters/" in page]


@pytest.mark.parametrize(
    "chapter", CHAPTERS or [pytest.param("", marks=pytest.mark.skip("run make book first"))]
)
def test_search_finds_the_chapter(visit: Any, chapter: str) -> None:
    title = re.search(r"<h1>(.*?)<", (BOOK / chapter).read_text(encoding="utf-8"))
    assert title is not None
    page = visit(f"search.html?q={quote(unescape(title[1]))}").page
    page.wait_for_selector("ul.search li a")
    links = page.locator("ul.search li a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    assert any(chapter in link for link in links), links[:5]
