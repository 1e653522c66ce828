"""Compiled kernels on disk, so that a new process need not compile them again.

One file an entry, named by its key. A file is written under another name and then renamed, so a reader sees
all of it or none; it carries a checksum, so a damaged one is dropped and built again. Nothing here is
fatal: where the disk refuses, kernels are compiled each time.

The folder is the platform's place for caches, or the one that the variable ANYMETAL_CACHE names;
`ANYMETAL_CACHE=off` turns the cache off. It holds at most `LIMIT_BYTES`, and what was used longest ago goes
first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

LIMIT_BYTES = 256 << 20
_MAGIC = b"anymetal-1\n"
_SUFFIX = ".kernel"


def folder() -> Path | None:
    """The cache's folder, which need not exist yet; `None` where the cache is off."""
    named = os.environ.get("ANYMETAL_CACHE", "")
    if named.lower() in ("off", "0"):
        return None
    if named:
        return Path(named).expanduser()
    try:
        home = Path.home()
    except RuntimeError:  # a user with no home
        return None
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "anymetal"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else home / "AppData" / "Local") / "anymetal" / "Cache"
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(xdg) if os.path.isabs(xdg) else home / ".cache") / "anymetal"


@lru_cache(maxsize=1)
def code_version() -> str:
    """A hash of all that turns source into machine code, other than the source: anymetal itself and its
    tools.
    """
    from importlib.metadata import PackageNotFoundError, version

    root = Path(__file__).parent.parent
    rooms = [p for room in ("frontend", "simt", "runtime") for p in (root / room).rglob("*")]
    parts = [hash_of(p for p in rooms if p.is_file() and p.suffix != ".pyc")]
    for package in (
        "llvmlite",
        "ziglang",
        "mlx",
    ):  # the wheel of mlx carries the headers that kernels include
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "none"
        parts.append(f"{package} {found}")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def hash_of(files: Iterable[Path]) -> str:
    """A hash of the texts of anymetal's own files, and of their names, in any order."""
    hashed = hashlib.sha256()
    for path in sorted(files):
        hashed.update(str(path.relative_to(Path(__file__).parent.parent)).encode() + b"\0")
        hashed.update(path.read_bytes())
    return hashed.hexdigest()


def key(*parts: object) -> str:
    """A name for what `parts` describe. Parts are compared by their text, and their borders count."""
    digest = hashlib.sha256(code_version().encode())
    for part in parts:
        text = part if isinstance(part, str) else repr(part)
        data = text.encode("utf-8", "surrogatepass")
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()


def load(key: str) -> tuple[dict[str, Any], bytes] | None:
    """The entry stored under `key`: its description and its bytes. `None` where there is none that is
    whole.
    """
    where = folder()
    if where is None:
        return None
    path = where / (key + _SUFFIX)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    entry = _unpack(data)
    if entry is None:
        discard(key)
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # what is used stays
    return entry


def store(key: str, description: Mapping[str, Any], data: bytes) -> None:
    """Keeps `description` (plain JSON values) and `data` under `key`, and makes room for them."""
    where = folder()
    if where is None:
        return
    packed = _pack(description, data)
    if len(packed) > LIMIT_BYTES:
        return
    try:
        # Machine code is read back and run: the folder is its owner's alone.
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=key[:16], suffix=".tmp", dir=where)
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(packed)
        os.replace(temporary, where / (key + _SUFFIX))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return
    _evict_when_due(where, len(packed))


def discard(key: str) -> None:
    """Drops one entry, if it is there."""
    where = folder()
    if where is not None:
        with contextlib.suppress(OSError):
            (where / (key + _SUFFIX)).unlink()


def size() -> tuple[int, int]:
    """How many entries the cache has, and how many bytes they take."""
    where = folder()
    entries = _entries(where) if where is not None else []
    return len(entries), sum(nbytes for _, nbytes, _ in entries)


def clear() -> int:
    """Empties the cache. Returns how many entries went."""
    where = folder()
    count = 0
    if where is not None:
        for _, _, path in _entries(where) + _entries(where, ".tmp"):
            with contextlib.suppress(OSError):
                path.unlink()
                count += path.suffix == _SUFFIX
    return count


def _pack(description: Mapping[str, Any], data: bytes) -> bytes:
    text = json.dumps(dict(description)).encode()
    body = len(text).to_bytes(8, "little") + text + data
    return _MAGIC + hashlib.sha256(body).digest() + body


def _unpack(packed: bytes) -> tuple[dict[str, Any], bytes] | None:
    start = len(_MAGIC) + 32
    if packed[: len(_MAGIC)] != _MAGIC or len(packed) < start + 8:
        return None
    body = packed[start:]
    if hashlib.sha256(body).digest() != packed[len(_MAGIC) : start]:
        return None
    length = int.from_bytes(body[:8], "little")
    return json.loads(body[8 : 8 + length]), body[8 + length :]


def _entries(where: Path, suffix: str = _SUFFIX) -> list[tuple[float, int, Path]]:
    """Time of last use, bytes and path of each entry. Another process may take one away meanwhile."""
    found = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(where):
            if entry.name.endswith(suffix):
                with contextlib.suppress(OSError):
                    stat = entry.stat()
                    found.append((stat.st_mtime, stat.st_size, Path(entry.path)))
    return found


# Bytes that this process may still write before it looks at the whole folder again, by folder.
_until_eviction: dict[Path, int] = {}
# Others write too: after a share of the room that was left, look again.
_SHARE = 8


def _evict_when_due(where: Path, written: int) -> None:
    """Looking through thousands of entries takes longer than writing one."""
    left = _until_eviction.get(where, 0) - written
    if left < 0:
        left = max(LIMIT_BYTES - _evict(where), 0) // _SHARE
    _until_eviction[where] = left


def _evict(where: Path) -> int:
    """Drops what was used longest ago until the rest is within the limit. Returns the bytes of the rest."""
    entries = sorted(_entries(where))
    total = sum(nbytes for _, nbytes, _ in entries)
    for _, nbytes, path in entries:
        if total <= LIMIT_BYTES:
            break
        with contextlib.suppress(OSError):
            path.unlink()
        total -= nbytes
    return total
