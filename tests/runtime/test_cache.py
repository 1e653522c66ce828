"""The cache on disk: it gives back what it took, and nothing that goes wrong with it stops a kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anymetal.runtime import cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    where = tmp_path / "cache"
    monkeypatch.setenv("ANYMETAL_CACHE", str(where))
    return where


DESCRIPTION = {"entry": "f", "frame_bytes": 64, "buffers": [0, 1], "max_threads": None}


def test_an_entry_comes_back_whole(folder: Path) -> None:
    data = os.urandom(5000)
    key = cache.key("a")
    assert cache.load(key) is None
    cache.store(key, DESCRIPTION, data)
    assert cache.load(key) == (DESCRIPTION, data)
    assert cache.size()[0] == 1
    assert [p.suffix for p in folder.iterdir()] == [".kernel"]  # and no temporary file stays


def test_keys_depend_on_every_part_and_on_its_borders() -> None:
    keys = {
        cache.key("ab", "c"),
        cache.key("a", "bc"),
        cache.key("abc"),
        cache.key("ab", "c", 1),
        cache.key("ab", "c", "1"),
    }
    assert len(keys) == 4  # 1 and "1" read the same; a caller keeps the types of a part fixed


def test_the_key_depends_on_the_code_that_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.key("a")
    monkeypatch.setattr(cache, "code_version", lambda: "another")
    assert cache.key("a") != before


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "foreign"])
def test_a_damaged_entry_is_dropped(folder: Path, damage: str) -> None:
    key = cache.key("a")
    cache.store(key, DESCRIPTION, b"x" * 1000)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(
        {
            "truncate": whole[:-1],
            "flip": whole[:-500] + b"y" + whole[-499:],
            "empty": b"",
            "foreign": b"something else entirely",
        }[damage]
    )
    assert cache.load(key) is None
    assert not path.exists()
    cache.store(key, DESCRIPTION, b"x" * 1000)
    assert cache.load(key) == (DESCRIPTION, b"x" * 1000)


def test_what_was_used_longest_ago_goes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT_BYTES", 3500)
    keys = [cache.key(i) for i in range(4)]
    for age, key in enumerate(keys[:3]):
        cache.store(key, {}, b"x" * 1000)
        os.utime(folder / f"{key}.kernel", (1000 + age, 1000 + age))
    assert cache.load(keys[0]) is not None  # used just now, so the second is the oldest
    cache.store(keys[3], {}, b"x" * 1000)
    assert [cache.load(k) is not None for k in keys] == [True, False, True, True]
    assert cache.size()[1] <= 3500


def test_an_entry_larger_than_the_cache_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT_BYTES", 100)
    cache.store(cache.key("a"), {}, b"x" * 1000)
    assert cache.size() == (0, 0)


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ANYMETAL_CACHE", str(tmp_path / "file" / "cache"))
    cache.store(cache.key("a"), {}, b"x")
    assert cache.load(cache.key("a")) is None
    assert cache.size() == (0, 0)
    assert cache.clear() == 0


def test_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYMETAL_CACHE", "off")
    assert cache.folder() is None
    cache.store(cache.key("a"), {}, b"x")
    assert cache.load(cache.key("a")) is None


def test_the_platforms_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANYMETAL_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.folder() == tmp_path / ".cache" / "anymetal"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg" / "anymetal"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.folder() == tmp_path / "Library" / "Caches" / "anymetal"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_its_owner_may_enter(folder: Path) -> None:
    cache.store(cache.key("a"), {}, b"x")
    assert folder.stat().st_mode & 0o077 == 0


def test_clear_drops_entries_and_leftovers_only(folder: Path) -> None:
    cache.store(cache.key("a"), {}, b"x")
    cache.store(cache.key("b"), {}, b"x")
    (folder / "half-written.tmp").write_bytes(b"x")
    (folder / "notes.txt").write_text("mine")
    assert cache.clear() == 2
    assert [p.name for p in folder.iterdir()] == ["notes.txt"]


def test_processes_may_write_read_and_evict_at_once(folder: Path) -> None:
    program = """
import sys
from anymetal.runtime import cache
cache.LIMIT_BYTES = 40_000
for turn in range(100):
    for i in range(8):
        key = cache.key(i)
        data = bytes([i]) * 8000
        found = cache.load(key)
        assert found is None or found == ({"i": i}, data), "a torn entry"
        cache.store(key, {"i": i}, data)
print("fine")
"""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for one in running:
        out, err = one.communicate(timeout=120)
        assert out.strip() == "fine", err
    assert cache.size()[1] <= 40_000
