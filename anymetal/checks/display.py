"""Reports and counters to look at: plain text for a terminal, HTML for a notebook.

The same cells feed both. Nothing is told by colour alone, tables are tables to a screen reader, and nothing
is fetched from anywhere. Colours are mixed into the page's own, so that light and dark both read well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .counters import BufferCounters, Counters, LineCounters
    from .findings import Finding
    from .report import Report

THREADGROUP = "(threadgroup)"
NONE = "–"

STYLE = """<style>
.anymetal-report { font-size: 0.9em; line-height: 1.4; overflow-x: auto; }
.anymetal-report table { border-collapse: collapse; margin: 0.5em 0; font-size: inherit;
  font-variant-numeric: tabular-nums; }
.anymetal-report caption { text-align: left; padding: 0.2em 0; font-style: italic; caption-side: top; }
.anymetal-report th, .anymetal-report td { text-align: right; padding: 0.05em 0.6em; border: 0;
  border-bottom: 1px solid rgba(128, 128, 128, 0.25); white-space: nowrap; vertical-align: top; }
.anymetal-report th { font-weight: 600; }
.anymetal-report th[scope=row] { font-weight: 400; }
.anymetal-report .anymetal-text { text-align: left; }
.anymetal-report td code { white-space: pre; background: none; border: 0; padding: 0; color: inherit; }
.anymetal-report .anymetal-finding td { text-align: left; white-space: normal;
  border-left: 4px solid #d55e00; background: rgba(213, 94, 0, 0.14); }
</style>"""


# -- numbers ---------------------------------------------------------------------------------------------


def count(number: int) -> str:
    """A count, exact while it is short: 640, 9,216, 65.5 k, 1.05 M."""
    for limit, size, unit in ((1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e5, 1e3, "k")):
        if number >= limit:
            return f"{number / size:.3g} {unit}" if number / size < 999.5 else f"{number / size:.0f} {unit}"
    return f"{number:,}"


def share(fraction: float) -> str:
    """A fraction as a percentage that says 100 only for all; ``–`` for none at all."""
    if math.isnan(fraction):
        return NONE
    return "100 %" if fraction >= 1 else f"{math.floor(fraction * 1000) / 10:.3g} %"


def plural(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "es" if word.endswith("ch") else "s")


# -- tables ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Cells as text. The first column is the row's name, on the left; numbers are on the right."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.head))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def html(self) -> str:
        head = "".join(f'<th scope="col"{_left(i)}>{escape(cell)}</th>' for i, cell in enumerate(self.head))
        rows = "".join(
            "<tr>"
            + f'<th scope="row" class="anymetal-text">{escape(row[0])}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
            + "</tr>"
            for row in self.rows
        )
        caption = f"<caption>{escape(self.caption)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _left(column: int) -> str:
    return ' class="anymetal-text"' if column == 0 else ""


def memory_table(counters: Counters) -> Table:
    """Traffic by buffer, threadgroup memory last."""
    head = ("memory", "read", "written", "distinct read", "distinct written", "sectors", "lines",
            "coalescing", "bank conflicts")  # fmt: skip
    rows = [_memory_row(name, b) for name, b in counters.buffers.items()]
    t = counters.threadgroup
    if t.bytes_read or t.bytes_written:
        rows.append(
            (THREADGROUP, f"{t.bytes_read:,}", f"{t.bytes_written:,}", *[NONE] * 5, f"{t.bank_conflicts:,}")
        )
    return Table("Memory traffic, in bytes and transactions, counted", head, tuple(rows))


def _memory_row(name: str, b: BufferCounters) -> tuple[str, ...]:
    return (
        name,
        f"{b.bytes_read:,}",
        f"{b.bytes_written:,}",
        f"{b.distinct_bytes_read:,}",
        f"{b.distinct_bytes_written:,}",
        f"{b.sectors:,}",
        f"{b.lines:,}",
        share(b.coalescing),
        NONE,
    )


def operations_table(counters: Counters) -> Table:
    """What was computed, and how many lanes took part."""
    rows = (
        ("floating-point operations", f"{counters.flops:,}"),
        ("8×8×8 matrix products", f"{counters.mma:,}"),
        ("integer operations", f"{counters.integer_ops:,}"),
        ("cross-lane operations", f"{counters.lane_ops:,}"),
        ("threadgroup barriers", f"{counters.barriers:,}"),
        ("active lanes", share(counters.active_lanes)),
        ("threadgroup memory, bytes", f"{counters.threadgroup_memory:,}"),
        ("launches", f"{counters.launches:,}"),
    )
    return Table("Work, counted", ("work", "count"), rows)


def simdgroup_table(counters: Counters) -> Table:
    """Traffic of each SIMD-group, where it was asked for."""
    head = ("SIMD-group", "read", "written", "sectors", "lines", "bank conflicts", "active lanes")
    rows = tuple(
        (
            str(where),
            f"{c.bytes_read:,}",
            f"{c.bytes_written:,}",
            f"{c.sectors:,}",
            f"{c.lines:,}",
            f"{c.bank_conflicts:,}",
            share(c.active_lanes),
        )
        for where, c in counters.by_simdgroup.items()
    )
    return Table("Memory accesses by SIMD-group, counted", head, rows)


def counters_text(counters: Counters) -> str:
    tables = [memory_table(counters).text(), operations_table(counters).text().lstrip("\n")]
    if counters.by_simdgroup:
        tables.append(simdgroup_table(counters).text())
    return "\n\n".join(tables)


def counters_html(counters: Counters) -> str:
    tables = [memory_table(counters), operations_table(counters)]
    if counters.by_simdgroup:
        tables.append(simdgroup_table(counters))
    return f'{STYLE}<div class="anymetal-report">{"".join(t.html() for t in tables)}</div>'


# -- the source with its margin --------------------------------------------------------------------------

# A column: its head, what it stands for, and its number from a line's counters.
_COLUMNS = (
    ("read", "bytes read by all active lanes", "bytes_read"),
    ("written", "bytes written by all active lanes", "bytes_written"),
    ("sectors", "32-byte sectors that each SIMD-group's accesses touch", "sectors"),
    ("conflicts", "further rounds of threadgroup memory's banks", "bank_conflicts"),
    ("flops", "floating-point operations of all lanes", "flops"),
    ("mma", "8×8×8 matrix products", "mma"),
)
_LANES = ("lanes", "mean share of lanes that are active", "")


@dataclass(frozen=True)
class Line:
    """A line of a source: its cells, one for each column shown, and what is wrong with it."""

    number: int
    text: str
    counters: LineCounters | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Listing:
    """A source with its margin. ``columns``: those in which some line has a number."""

    name: str
    lines: tuple[Line, ...]
    columns: tuple[tuple[str, str, str], ...]

    def cells(self, line: Line) -> list[str]:
        found = []
        for _, _, attribute in self.columns:
            if line.counters is None:
                found.append("")
            elif attribute:
                number = getattr(line.counters, attribute)
                found.append(count(number) if number else "")
            else:
                found.append(share(line.counters.active_lanes) if line.counters.steps else "")
        return found


def listings(report: Report) -> list[Listing]:
    """Each of the report's sources in which something was counted or found."""
    found = []
    for name, text in report.sources.items():
        by_line = {line: c for (file, line), c in report.counters.by_line.items() if file == name and line}
        wrong: dict[int, list[Finding]] = {}
        for finding in report.findings:
            if finding.file == name and finding.line:
                wrong.setdefault(finding.line, []).append(finding)
        if not by_line and not wrong:
            continue
        columns = [c for c in _COLUMNS if any(getattr(line, c[2]) for line in by_line.values())]
        lines = [
            Line(i, source.expandtabs(4).rstrip(), by_line.get(i), tuple(wrong.get(i, ())))
            for i, source in enumerate(text.splitlines(), 1)
        ]
        while lines and not lines[-1].text and not lines[-1].counters and not lines[-1].findings:
            lines.pop()
        while lines and not lines[0].text and not lines[0].counters and not lines[0].findings:
            lines.pop(0)
        found.append(Listing(name, tuple(lines), (*columns, _LANES)))
    return found


def _placeless(report: Report) -> list[Finding]:
    return [f for f in report.findings if not f.line or f.file not in report.sources]


def summary(report: Report) -> str:
    """One sentence: how much was wrong, in how many launches."""
    launches = plural(report.counters.launches, "launch")
    if not report.findings:
        return f"No findings in {launches}."
    return f"{plural(len(report.findings), 'finding')} in {launches}."


def annotated(report: Report, *, colour: bool = False) -> str:
    """The report's sources as plain text with their margins."""
    parts = [summary(report)]
    parts += [_mark(finding, "", colour) for finding in _placeless(report)]
    parts += [_listing_text(listing, colour) for listing in listings(report)]
    return "\n".join(parts)


def _listing_text(listing: Listing, colour: bool) -> str:
    heads = [head for head, _, _ in listing.columns]
    rows = [listing.cells(line) for line in listing.lines]
    widths = [max(len(head), *(len(row[i]) for row in rows)) for i, head in enumerate(heads)]
    digits = max(4, len(str(listing.lines[-1].number)))

    def margin(cells: Sequence[str]) -> str:
        return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))

    out = ["", f"{margin(heads)} │ {'line':>{digits}} │ {listing.name}"]
    out.append("─" * len(margin(heads)) + "─┼─" + "─" * digits + "─┼─" + "─" * 20)
    for line, cells in zip(listing.lines, rows, strict=True):
        out.append(f"{margin(cells)} │ {line.number:>{digits}} │ {line.text}".rstrip())
        blank = " " * len(margin(heads)) + f" │ {'!':>{digits}} │ "
        out += [_mark(finding, blank, colour) for finding in line.findings]
    return "\n".join(out)


def _mark(finding: Finding, before: str, colour: bool) -> str:
    text = _words(finding)
    return f"{before}\x1b[1;31m{text}\x1b[0m" if colour else before + text


def _words(finding: Finding) -> str:
    times = f" ({finding.count:,} times)" if finding.count > 1 else ""
    return f"{finding.kind}: {finding.message}{times}"


def report_html(report: Report) -> str:
    """The sources with their margins, and under them the counters."""
    parts = [STYLE, '<div class="anymetal-report">', f"<p><strong>{escape(summary(report))}</strong></p>"]
    if loose := _placeless(report):
        parts += ["<ul>", *(f"<li>{escape(_words(f))}</li>" for f in loose), "</ul>"]
    parts += [_listing_html(listing) for listing in listings(report)]
    tables = [memory_table(report.counters), operations_table(report.counters)]
    if report.counters.by_simdgroup:
        tables.append(simdgroup_table(report.counters))
    parts += ["<details><summary>Counters</summary>", *(t.html() for t in tables), "</details></div>"]
    return "".join(parts)


def _listing_html(listing: Listing) -> str:
    head = "".join(
        f'<th scope="col" title="{escape(meaning)}">{escape(name)}</th>'
        for name, meaning, _ in listing.columns
    )
    most = {
        attribute: max(
            (getattr(line.counters, attribute) for line in listing.lines if line.counters), default=0
        )
        for _, _, attribute in listing.columns
        if attribute
    }
    rows = []
    for line in listing.lines:
        cells = []
        for cell, (_, _, attribute) in zip(listing.cells(line), listing.columns, strict=True):
            exact = getattr(line.counters, attribute) if attribute and line.counters else 0
            cells.append(f"<td{_bar(exact, most.get(attribute, 0))}>{escape(cell)}</td>")
        code = f'<td class="anymetal-text"><code>{escape(line.text)}</code></td>'
        rows.append(f'<tr>{"".join(cells)}<th scope="row">{line.number}</th>{code}</tr>')
        for finding in line.findings:
            words = f"<strong>{escape(finding.kind)}</strong>{escape(_words(finding)[len(finding.kind) :])}"
            span = len(listing.columns) + 2
            rows.append(f'<tr class="anymetal-finding"><td colspan="{span}">✖ {words}</td></tr>')
    return (
        f"<table><caption>{escape(listing.name)}: what each line moved and computed, counted</caption>"
        f'<thead><tr>{head}<th scope="col">line</th><th scope="col" class="anymetal-text">text</th></tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _bar(number: int, most: int) -> str:
    """A bar behind a number, as long as its part of the column's greatest; and the exact number."""
    if not number:
        return ""
    part = 100 * number / most
    tint = "rgba(0, 114, 178, 0.28)"
    shown = f"linear-gradient(to left, {tint} {part:.0f}%, transparent {part:.0f}%)"
    return f' title="{number:,}" style="background: {shown}"'
