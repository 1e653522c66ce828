"""From what a checked run found to what the learner reads: line, element, both sides of a race."""

from __future__ import annotations

from collections.abc import Sequence

from anymetal.checks import Finding
from grader.diagnose import Diagnosis
from grader.watch import Launch

ENDLESS = "endless-loop"
HINTS = {
    "writes-past-end": "The last threadgroups stick out over the edge. A thread with no output of its own "
    "must return before it stores.",
    "reads-past-end": "Look at the loop's limits and at each index: the last one read must belong to the "
    "array.",
    "race": "Let each element be written by one thread. Where threads share memory, put a "
    "`threadgroup_barrier(mem_flags::mem_threadgroup)` between the write and the other's read.",
    "same-value-race": "Both threads store the same number today, and nothing promises that. Let one "
    "thread own each element, and turn the others away.",
    "divergent-barrier": "Every thread of the threadgroup must come to a barrier. A thread without work "
    "skips the work, not the barrier.",
    "inactive-lane": "Lanes that returned or took the other branch have no value to give. Keep every lane "
    "alive until the last cross-lane operation.",
    "uninitialised": "Give it a value before the first read: threadgroup and private memory start with "
    "anything.",
    "misaligned": "A load of four elements must start at a multiple of four. Handle the odd start one by "
    "one.",
    ENDLESS: "Look at what the loop's test compares: something in it must change in every round.",
}


def diagnoses(launches: Sequence[Launch]) -> list[Diagnosis]:
    """One diagnosis for each kind of finding, the first of its kind, with its line."""
    found: dict[str, Diagnosis] = {}
    for launch in launches:
        for finding in launch.findings:
            kind = kind_of(finding)
            if kind != "unwritten-output" and kind not in found:
                found[kind] = Diagnosis(kind, _words(kind, finding), HINTS.get(kind, ""))
    return list(found.values())


def kind_of(finding: Finding) -> str:
    """The finding's kind; an access outside a buffer is told apart by its direction."""
    if finding.kind == "out-of-bounds":
        return "writes-past-end" if " writes " in finding.message else "reads-past-end"
    return finding.kind


def _place(finding: Finding) -> str:
    file = "" if finding.file in ("", "source") else f" of {finding.file}"
    return f"line {finding.line}{file}" if finding.line else "the kernel"


def _words(kind: str, finding: Finding) -> str:
    place, element = _place(finding), f"{finding.buffer}[{finding.index}]"
    times = f", and so on, {finding.count:,} times" if finding.count > 1 else ""
    if kind in ("writes-past-end", "reads-past-end"):
        verb, end = ("writes", "past its end") if kind == "writes-past-end" else ("reads", "outside it")
        says = f"{place} {verb} {element}, {end}: {finding.buffer} has {finding.size} elements. "
        says += f"Seen in {finding.thread}{times}."
    elif finding.other is not None:
        value = "the same value to " if kind == "same-value-race" else ""
        verb = "reads" if " reads " in finding.message else "writes"
        other = finding.other
        assert finding.thread is not None
        whom = other.whose(finding.thread)
        same_line = other.line == finding.line
        there = "in the same line" if same_line else f"in line {other.line}"
        says = f"a race: {place} {verb} {value}{element}, which another thread uses {there} with no barrier "
        says += f"between. One is {finding.thread}; the other is {whom}."
        if not same_line and other.text:
            return f"{says}\n\n{_shown(finding.line, finding.text)}\n{_shown(other.line, other.text)}"
    elif kind == "divergent-barrier":
        says = f"not every thread comes to the barrier in {place}: {finding.thread} does not."
    elif kind == "inactive-lane":
        says = f"{place} asks for the value of a lane that is not active. Seen in {finding.thread}{times}."
    elif kind == "uninitialised":
        says = f"{place} reads {element}, which nothing has written. Seen in {finding.thread}{times}."
    elif kind == "misaligned":
        says = f"{place} loads or stores several elements of {finding.buffer} at once, from element "
        says += f"{finding.index}, which is no multiple of their number. Seen in {finding.thread}{times}."
    elif kind == ENDLESS:
        says = f"the loop in {place} does not end."
    else:
        says = f"{place}: {finding.message}{times}."
    return f"{says}\n\n{_shown(finding.line, finding.text)}" if finding.text else says


def _shown(line: int, text: str) -> str:
    return f"  {line:>3} | {text.strip()}"
