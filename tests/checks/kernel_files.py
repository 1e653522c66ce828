"""Small kernels in files: a body, how to launch it, and what checked mode must say.

The comments at the top of a file say how it is launched:

    // grid: 64 1 1
    // threadgroup: 32 1 1
    // in: a float32 8,9                  random numbers; or " = " and what NumPy makes of the rest
    // out: y float32 64
    // option: init_value = 0             of the call, or of the kernel
    // budget: 10000                      back edges
    // finds: unwritten-output y[60] of 64 x4

and `//!` at the end of a line says what is found there: the kind, the buffer, index, size, how often, and for
a race how many lines further the other access is. What is left out is not compared. Lines before `//--- body`
are the header.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

import anymetal
from anymetal.checks import Finding, Report

HERE = Path(__file__).parent
BODY = "//--- body\n"
_FINDING = re.compile(
    r"(?P<kind>[a-z-]+)(?: (?!x\d|of |with )(?P<buffer>\w+)(?:\[(?P<index>-?\d+)\])?)?(?: of (?P<size>\d+))?"
    r"(?: x(?P<count>\d+))?(?: with (?P<other>[+-]?\d+))?\s*$"
)
_KERNEL_OPTIONS = ("atomic_outputs", "ensure_row_contiguous")


@dataclass(frozen=True)
class Expected:
    """A finding as the file describes it; None is not compared."""

    kind: str
    file: str
    line: int
    buffer: str | None = None
    index: int | None = None
    size: int | None = None
    count: int | None = None
    other: int | None = None

    def matches(self, finding: Finding) -> bool:
        return (
            (self.kind, self.file) == (finding.kind, finding.file)
            and self._lines(finding)
            and self.buffer in (None, finding.buffer)
            and self.index in (None, finding.index)
            and self.size in (None, finding.size)
            and self.count in (None, finding.count)
        )

    def _lines(self, finding: Finding) -> bool:
        """Which of two racing accesses is seen first is no matter."""
        lines = [finding.line, finding.other.line] if finding.other else [finding.line]
        return sorted([self.line] if self.other is None else [self.line, self.other]) == sorted(lines)


@dataclass
class KernelFile:
    """A kernel and its launch. `inputs`: name and value; `outputs`: name, dtype and shape."""

    name: str
    header: str
    source: str
    grid: tuple[int, int, int] = (1, 1, 1)
    threadgroup: tuple[int, int, int] = (1, 1, 1)
    inputs: list[tuple[str, Any]] = field(default_factory=list)
    outputs: list[tuple[str, Any, tuple[int, ...]]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    budget: int = 1_000_000
    expected: list[Expected] = field(default_factory=list)

    def launch(self) -> list[mx.array]:
        """Build the kernel and call it once."""
        kernel = anymetal.metal_kernel(
            "case",
            [name for name, _ in self.inputs],
            [name for name, _, _ in self.outputs],
            self.source,
            header=self.header,
            **{k: v for k, v in self.options.items() if k in _KERNEL_OPTIONS},
        )
        made: list[mx.array] = kernel(
            inputs=[value for _, value in self.inputs],
            output_shapes=[shape for _, _, shape in self.outputs],
            output_dtypes=[dtype for _, dtype, _ in self.outputs],
            grid=self.grid,
            threadgroup=self.threadgroup,
            **{k: v for k, v in self.options.items() if k not in _KERNEL_OPTIONS},
        )
        return made

    def checked(self) -> tuple[Report, list[mx.array]]:
        with anymetal.checked(back_edges=self.budget) as report:
            made = self.launch()
        return report, made


def read(path: Path) -> KernelFile:
    text = path.read_text(encoding="utf-8")
    header, found, source = text.partition(BODY)
    if not found:
        header, source = "", text
    kernel = KernelFile(path.stem, header, source)
    for line in text.splitlines():
        key, colon, rest = line.removeprefix("// ").partition(": ")
        if line.startswith("// ") and colon:
            _describe(kernel, key, rest)
    for file, part in (("header", header), ("source", source)):
        for number, line in enumerate(part.splitlines(), 1):
            _, marked, findings = line.partition("//!")
            for one in findings.split(";") if marked else ():
                kernel.expected.append(_expected(one, file, number))
    return kernel


def _describe(kernel: KernelFile, key: str, rest: str) -> None:
    if key in ("grid", "threadgroup"):
        x, y, z = (int(n) for n in rest.split())
        setattr(kernel, key, (x, y, z))
    elif key == "in":
        described, _, value = rest.partition(" = ")
        name, dtype, shape = described.split()
        kernel.inputs.append((name, _input(kernel.name + name, dtype, shape, value)))
    elif key == "out":
        name, dtype, shape = rest.split()
        kernel.outputs.append((name, getattr(mx, dtype), _shape(shape)))
    elif key == "option":
        name, _, value = rest.partition(" = ")
        kernel.options[name] = eval(value)
    elif key == "budget":
        kernel.budget = int(rest)
    elif key == "finds":
        kernel.expected.append(_expected(rest, "", 0))


def _shape(text: str) -> tuple[int, ...]:
    return () if text == "scalar" else tuple(int(n) for n in text.split(","))


def _input(seed: str, dtype: str, shape: str, value: str) -> mx.array:
    if value:
        made = eval(value, {"np": np, "mx": mx})
        made = made if isinstance(made, mx.array) else np.asarray(made)
    else:
        made = np.random.default_rng(zlib.crc32(seed.encode())).standard_normal(_shape(shape))
    assert tuple(made.shape) == _shape(shape), f"{seed}: {made.shape} is not {shape}"
    array = made if isinstance(made, mx.array) else mx.array(made)
    return array.astype(getattr(mx, dtype))


def _expected(text: str, file: str, line: int) -> Expected:
    found = _FINDING.match(text.strip())
    assert found, f"not a finding: {text!r}"
    number = {
        k: int(v) for k, v in found.groupdict().items() if v is not None and k not in ("kind", "buffer")
    }
    other = number.pop("other", None)
    return Expected(
        found["kind"], file, line, found["buffer"], other=None if other is None else line + other, **number
    )


def compare(kernel: KernelFile, report: Report) -> str:
    """What was found and not expected, and the other way round; empty where all is as expected."""
    rest = list(report.findings)
    missing = []
    for expected in kernel.expected:
        match = next((f for f in rest if expected.matches(f)), None)
        if match is None:
            missing.append(expected)
        else:
            rest.remove(match)
    return "\n".join([*(f"not found: {e}" for e in missing), *(f"found: {f}" for f in rest)])
