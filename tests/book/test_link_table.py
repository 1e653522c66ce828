"""The list of addresses outside the book."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "book" / "_ext" / "link_table.py"
spec = importlib.util.spec_from_file_location("link_table", PATH)
assert spec is not None
assert spec.loader is not None
link_table = importlib.util.module_from_spec(spec)
spec.loader.exec_module(link_table)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://a.org/b.", "https://a.org/b"),
        ("https://a.org/b_(c)", "https://a.org/b_(c)"),
        ("https://a.org/b).", "https://a.org/b"),
        ("https://a.org/b)](", "https://a.org/b)]("),
    ],
)
def test_what_belongs_to_the_sentence_is_left_off(text: str, address: str) -> None:
    assert link_table._trimmed(text) == address


def test_every_chapter_has_its_further_reading_in_the_list() -> None:
    listed = {file for files in link_table.links().values() for file in files}
    for chapter in (PATH.parents[1] / "chapters").glob("*.md"):
        assert f"book/chapters/{chapter.name}" in listed
    assert "anymetal/checks/chips.py" in listed
