"""The built book, served to a browser. `make book` first; `make test-book` runs these tests."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

BOOK = Path(os.environ.get("BOOK_HTML", Path(__file__).parents[2] / "_build" / "html"))
PAGES = sorted(
    path.relative_to(BOOK).as_posix() for path in BOOK.rglob("*.html") if "_static" not in path.parts
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "path" in metafunc.fixturenames:
        metafunc.parametrize(
            "path", PAGES or [pytest.param("", marks=pytest.mark.skip("run make book first"))]
        )


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing: pytest's output is for results."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Where the book is served."""
    if not PAGES:
        pytest.skip("run make book first")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(BOOK)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


class Visit:
    """A page as it was opened: its errors, and the hosts that it asked for anything."""

    def __init__(self, page: Any, home: str) -> None:
        self.page, self.errors, self.elsewhere = page, list[str](), list[str]()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: self._note(asked.url, home))

    def _note(self, url: str, home: str) -> None:
        if not url.startswith((home, "data:", "blob:")):
            self.elsewhere.append(url)


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Any]:
    """Opens a page of the book: a function of its path and where it lies."""
    contexts: list[Any] = []

    def opened(path: str, home: str = site) -> Visit:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
        contexts.append(context)
        visited = Visit(context.new_page(), home)
        visited.page.goto(home + path)
        visited.page.wait_for_load_state("load")
        return visited

    yield opened
    for context in contexts:
        context.close()
