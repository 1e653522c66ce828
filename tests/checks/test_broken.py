"""Every mistake of the catalogue is found, in its line, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from .kernel_files import HERE, compare, read

FILES = sorted((HERE / "broken").glob("*.metal"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_is_found(path: Path) -> None:
    kernel = read(path)
    assert kernel.expected
    report, _ = kernel.checked()
    assert not (wrong := compare(kernel, report)), wrong


def test_there_are_enough() -> None:
    assert len(FILES) >= 60
