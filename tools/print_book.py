"""Print the built book into one PDF, through Chromium: `make pdf`.

Every page of the table of contents, in its order, with a bookmark; figures as they stand at first.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
from html import unescape
from pathlib import Path

import yaml

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
MATHEMATICS_IS_SET = "!document.querySelector('.math') || document.querySelector('mjx-container')"
FOOTER = (
    "<div style='font-size: 8px; width: 100%; text-align: center; color: #666'>"
    "<span class='pageNumber'></span></div>"
)


def pages(toc: Path) -> list[str]:
    """The book's pages in order, without a suffix."""
    contents = yaml.safe_load(toc.read_text(encoding="utf-8"))
    listed = [contents["root"]]
    for part in contents.get("parts", [contents]):
        listed += [chapter["file"] for chapter in part.get("chapters", [])]
    return listed


def title(page: Path) -> str:
    """A page's heading, for the bookmark."""
    found = re.search(r"<h1>(.*?)<", page.read_text(encoding="utf-8"))
    return unescape(found[1]) if found else page.stem


def print_book(html: Path, toc: Path, out: Path, chromium: str) -> None:
    """Writes ``out``; says which page it is at."""
    from playwright.sync_api import sync_playwright
    from pypdf import PdfReader, PdfWriter

    book = PdfWriter()
    listed = pages(toc)
    with sync_playwright() as playwright:
        # No sandbox: containers run as root, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(color_scheme="light")
        for number, name in enumerate(listed, 1):
            file = html / f"{name}.html"
            print(f"[{number}/{len(listed)}] {name}", flush=True)
            page.goto(file.resolve().as_uri())
            # Mathematics is set by a script, after the page has loaded.
            page.wait_for_function(MATHEMATICS_IS_SET)
            printed = page.pdf(
                format="A4",
                scale=0.85,
                print_background=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=FOOTER,
                margin={"top": "16mm", "bottom": "16mm", "left": "14mm", "right": "14mm"},
            )
            book.append(PdfReader(io.BytesIO(printed)), outline_item=title(file))
        browser.close()
    book.add_metadata({"/Title": "Matmul on Metal"})
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file_out:
        book.write(file_out)


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Print the built book into one PDF.")
    parser.add_argument("--html", type=Path, default=Path("_build/html"), help="the built book (_build/html)")
    parser.add_argument("--toc", type=Path, default=Path("_toc.yml"), help="its table of contents (_toc.yml)")
    parser.add_argument("--out", type=Path, default=Path("_build/matmul-on-metal.pdf"), help="the PDF")
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        print(f"Printing needs Chromium: none of {', '.join(NAMES)} is on the PATH.", file=sys.stderr)
        return 1
    missing = [name for name in pages(given.toc) if not (given.html / f"{name}.html").exists()]
    if missing:
        print(f"{given.html} has no {missing[0]}.html: run make book first.", file=sys.stderr)
        return 1
    print_book(given.html, given.toc, given.out, chromium)
    print(f"The book is in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
