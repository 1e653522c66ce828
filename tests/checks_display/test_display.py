"""Reports to look at: every line with what it did, in text and in HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import anymetal
from anymetal.checks import Report, display
from tests.checks_display import kernels

VOID = {"br", "img", "hr", "meta", "link", "input"}


class Page(HTMLParser):
    """Tags that close as they should, and the texts of the tables' cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def gemv() -> Report:
    call, _, _ = kernels.gemv(np.random.default_rng(1))
    with anymetal.checked() as report:
        call()
    return report


@pytest.fixture(scope="module")
def broken() -> Report:
    x = np.random.default_rng(2).standard_normal(32).astype(np.float32)
    with anymetal.checked() as report:
        kernels.run(kernels.BROKEN, {"x": x}, 32)()
    return report


def test_report_knows_sources_and_launches(gemv: Report) -> None:
    assert gemv.sources == {"source": kernels.GEMV}
    assert [(one.grid, one.threadgroup) for one in gemv.launches] == [((192, 1, 1), (64, 1, 1))]
    assert "display_gemv" in gemv.launches[0].kernel


def test_texts_of_one_name_stay_apart() -> None:
    x = np.ones(32, np.float32)
    first = "y[thread_position_in_grid.x] = x[thread_position_in_grid.x];"
    second = "\ny[thread_position_in_grid.x] = x[thread_position_in_grid.x + 1];"
    with anymetal.checked() as report:
        for source in (first, second, first):
            kernels.run(source, {"x": x}, 32)()
    assert report.sources == {"source": first, "source (2)": second}
    assert [(f.file, f.line) for f in report.findings] == [("source (2)", 2)]
    by_line = report.counters.by_line
    assert by_line["source", 1].bytes_read == 2 * 32 * 4
    assert by_line["source (2)", 2].bytes_read == 31 * 4
    assert "source (2)" in report.annotated()


def test_annotated_has_each_line_once_with_its_numbers(gemv: Report) -> None:
    text = gemv.annotated()
    assert text.startswith("No findings in 1 launch.")
    rows = {}
    for line in text.splitlines():
        if match := re.match(r"(.*) │ +(\d+) │(.*)$", line):
            assert int(match[2]) not in rows
            rows[int(match[2])] = (match[1], match[3])
    source = kernels.GEMV.splitlines()
    assert {n: t.strip() for n, (_, t) in rows.items()} == {
        n: t.strip() for n, t in enumerate(source, 1) if t
    }
    # Counted by hand: 6 SIMD-groups read 100 floats of W; lane 0 of each writes one.
    assert rows[6][0].split()[0] == "2,400"
    assert rows[10][0].split()[0] == "24"
    # Rounds of 32, 32, 32 and 4 lanes.
    assert rows[6][0].split()[-2:] == ["78.1", "%"]
    # One width, so that the columns stand under each other.
    assert len({line.index("│") for line in text.splitlines() if "│" in line}) == 1


def test_findings_stand_under_their_lines(broken: Report) -> None:
    lines = broken.annotated().splitlines()
    at = next(i for i, line in enumerate(lines) if "tile[i % 32 * 2] = x[i + 1]" in line)
    assert "! │ out-of-bounds: " in lines[at + 1]
    assert "x[32] of 32" in lines[at + 1]
    assert "\x1b" not in broken.annotated()
    coloured = broken.annotated(colour=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == broken.annotated()


def test_findings_without_a_place_come_first() -> None:
    with anymetal.checked() as report:
        kernels.run("if (thread_position_in_grid.x < 3) y[0] = 1;", {"x": np.ones(8, np.float32)}, 8)()
    lines = report.annotated().splitlines()
    assert any(line.startswith("unwritten-output: 7 of 8") for line in lines[:4])
    assert "unwritten-output: 7 of 8" in report._repr_html_()


def test_table_has_threadgroup_memory_and_lanes(broken: Report) -> None:
    lines = broken.counters.table().splitlines()
    head = lines[0].split("  ")[0].split()
    assert head == ["memory"]
    row = next(line for line in lines if line.startswith(display.THREADGROUP)).split()
    # 32 lanes each write and read 4 bytes, 8 apart: two words in each of 16 banks, twice.
    assert (row[1], row[2], row[-1]) == ("128", "128", "2")
    assert any(re.match(r"active lanes +100 %$", line) for line in lines)
    assert any(re.match(r"x +\S+ +0 +", line) for line in lines)
    ends = {len(line) for line in lines[: lines.index("")]}
    assert len(ends) == 1


@pytest.mark.parametrize("which", ["gemv", "broken"])
def test_html_is_whole_and_accessible(which: str, request: pytest.FixtureRequest) -> None:
    report: Report = request.getfixturevalue(which)
    text = report._repr_html_()
    page = Page(text)
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert tables == sum(tag == "caption" for tag, _ in page.tags) == 3
    heads = [attrs for tag, attrs in page.tags if tag == "th"]
    assert all(attrs.get("scope") in ("col", "row") for attrs in heads)
    assert not re.search(r"https?:|src=|@import|url\(", text)
    # Every row has the same number of cells, but for findings, which span them all.
    widths = {len(row) for row in page.rows[: len(kernels.BROKEN.splitlines())] if len(row) > 1}
    assert len(widths) == 1


def test_html_escapes_the_source(broken: Report) -> None:
    text = broken._repr_html_()
    assert "0 &lt; 1" in text
    assert "0 < 1" not in text
    assert "✖ <strong>out-of-bounds</strong>" in text


def test_counters_in_html(gemv: Report) -> None:
    page = Page(gemv.counters._repr_html_())
    rows = {row[0]: row[1:] for row in page.rows}
    assert rows["W"][:2] == ["2,400", "0"]
    assert rows["y"][1] == "24"
    assert rows["launches"] == ["1"]


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (99_999, "99,999"),
        (100_000, "100 k"),
        (999_600, "1000 k"),
        (1_048_576, "1.05 M"),
        (3 * 10**9, "3 G"),
    ],
)
def test_counts_stay_short(number: int, shown: str) -> None:
    assert display.count(number) == shown


def test_only_all_is_100_percent() -> None:
    assert display.share(1.0) == "100 %"
    assert display.share(0.99999) == "99.9 %"
    assert display.share(float("nan")) == display.NONE


def test_empty_report() -> None:
    with anymetal.checked() as report:
        pass
    assert report.annotated() == "No findings in 0 launches."
    Page(report._repr_html_())
