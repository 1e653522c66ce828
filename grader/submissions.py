"""Judge notebook files, each in a process of its own with limits, and write what came of a class.

This is no sandbox: a submission runs with the rights of whoever grades. It keeps accidents and pranks from
reaching the other submissions; against malice, run it in a container.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from grader.assemble import ROOT, assemble, find_reference, ids, references

FOLDER_BYTES = 1 << 30
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Limits:
    """cell: seconds for one cell. whole: seconds for a notebook. folder: bytes in its temporary folder."""

    cell: int = 120
    whole: int = 600
    folder: int = FOLDER_BYTES


@dataclass(frozen=True)
class Result:
    """What came of one file. `kind` is "passed", a diagnosis's stable name, or what kept it from a grade."""

    file: str
    lab: str
    passed: bool
    kind: str
    checks_passed: int
    checks: int
    seconds: float
    report: str


def judge_file(path: Path, limits: Limits = Limits(), folder: Path | None = None) -> Result:
    """Judge one notebook file.

    Args:
        path: a learner's notebook.
        limits: what it may take.
        folder: where the reference notebooks are, instead of the project's own.
    """
    import nbformat

    start = time.monotonic()

    def failed(kind: str, report: str, lab: str = "") -> Result:
        return Result(str(path), lab, False, kind, 0, 0, round(time.monotonic() - start, 1), report)

    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises its own, JSON's and the file system's
        return failed("unreadable", f"cannot be read: {error}")
    found = find_reference(notebook, references() if folder is None else references([folder]))
    missing: list[str] = []
    lab, wanted = "", 1
    if found is not None:
        lab = found[0].stem
        wanted = sum(cell.source.count("grade(") > 0 for cell in found[1].cells if _is_graded(cell))
        notebook, missing = assemble(notebook, found[1])
    problem, outcome = _run(notebook, limits)
    if problem:
        return failed(problem[0], problem[1], lab)
    graded = outcome["graded"]
    if len(graded) < wanted or not graded:
        first = f" The first error is {outcome['first_error']}" if outcome["first_error"] else ""
        return failed("no-result", f"holds no result: grade() never ran.{first}", lab)
    if missing:
        lacks = ", ".join(map(repr, missing))
        return failed("missing-cell", f"lacks the answer cell {lacks}: was it deleted?", lab)
    first_wrong = next((each for each in graded if not each["passed"]), None)
    return Result(
        file=str(path),
        lab=lab,
        passed=first_wrong is None,
        kind="passed" if first_wrong is None else first_wrong["kind"],
        checks_passed=sum(each["checks_passed"] for each in graded),
        checks=sum(each["checks"] for each in graded),
        seconds=round(time.monotonic() - start, 1),
        report="\n\n".join(each["report"] for each in graded),
    )


def _is_graded(cell: Any) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade", False))


def _run(notebook: Any, limits: Limits) -> tuple[tuple[str, str] | None, dict[str, Any]]:
    """Run a notebook in a worker. Returns the limit that it broke, if it broke one, and what it gave."""
    import nbformat

    with tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True) as made:
        place, out = Path(made) / "work", Path(made) / "result.json"
        place.mkdir()
        nbformat.write(notebook, place / "notebook.ipynb")
        environment = os.environ | {
            "TMPDIR": str(place),
            "IPYTHONDIR": str(place / ".ipython"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        worker = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "grader.worker",
                str(place / "notebook.ipynb"),
                str(out),
                str(limits.cell),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        broken = _watch(worker, place, limits)
        if broken is not None:
            return broken, {}
        if not out.exists():
            return ("worker-died", "could not be run: the process that ran it died."), {}
        outcome: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        problem = outcome["problem"]
        for words, kind in (
            ("longer than", "too-slow"),
            ("kernel died", "kernel-died"),
            ("printed", "flood"),
        ):
            if words in problem:
                return (kind, problem), outcome
        return (("failed", problem) if problem else None), outcome


def _watch(worker: subprocess.Popen[bytes], place: Path, limits: Limits) -> tuple[str, str] | None:
    end = time.monotonic() + limits.whole
    try:
        while worker.poll() is None:
            if time.monotonic() > end:
                return "too-slow", f"took longer than {limits.whole} s and was ended."
            if _size(place) > limits.folder:
                return "disk-full", f"filled its temporary folder with more than {limits.folder >> 20} MB."
            time.sleep(POLL_SECONDS)
        return None
    finally:
        _end(worker)


def _size(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # it may be gone by now
                total += os.lstat(os.path.join(root, name)).st_blocks * 512
    return total


def _end(worker: subprocess.Popen[bytes]) -> None:
    """End the worker and all that it started: a Jupyter kernel has a process group of its own."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(worker.pid).children(recursive=True)
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    if worker.poll() is None:
        worker.kill()
    worker.wait()


def judge_all(
    paths: Sequence[Path],
    *,
    jobs: int = 1,
    limits: Limits = Limits(),
    folder: Path | None = None,
) -> Iterator[tuple[int, Result]]:
    """Judge files, `jobs` at a time; yields each result with its place in `paths` as it is ready."""
    judge: Callable[[Path], Result] = lambda path: judge_file(path, limits, folder)  # noqa: E731
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting = {pool.submit(judge, path): place for place, path in enumerate(paths)}
        for done in as_completed(waiting):
            yield waiting[done], done.result()


# --- results in files -----------------------------------------------------------------------------


def write_json(results: Sequence[Result], path: Path) -> None:
    """All of every result."""
    text = json.dumps([asdict(each) for each in results], indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_csv(results: Sequence[Result], path: Path) -> None:
    """One row a file, without the reports: a class at a glance."""
    columns = ("file", "lab", "passed", "kind", "checks_passed", "checks", "seconds")
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows([getattr(each, column) for column in columns] for each in results)


def write_junit(results: Sequence[Result], path: Path) -> None:
    """JUnit XML, one test case a file, for whatever shows test results."""
    failures = sum(not each.passed for each in results)
    suite = ElementTree.Element(
        "testsuite", name="labs", tests=str(len(results)), failures=str(failures), errors="0"
    )
    for each in results:
        case = ElementTree.SubElement(
            suite, "testcase", classname=each.lab or "notebook", name=each.file, time=f"{each.seconds:.1f}"
        )
        if not each.passed:
            failure = ElementTree.SubElement(case, "failure", message=each.kind)
            failure.text = "".join(c for c in each.report if c >= " " or c in "\n\t")
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


__all__ = ["Limits", "Result", "ids", "judge_all", "judge_file", "write_csv", "write_json", "write_junit"]
