"""What ``tune`` found, remembered from one process to the next.

One JSON file, beside anymetal's own cache or where the variable ``MATMUL_ON_METAL_TABLE`` says; ``off``
remembers nothing. It names the machine and the version of the kernels that were timed. A file that is broken,
or of another machine or version, is ignored: the default table serves.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlx.core as mx

from kernels.dispatch.defaults import DEFAULT
from kernels.dispatch.table import Rule, Table, rule_from

VARIABLE = "MATMUL_ON_METAL_TABLE"
_chosen: Table | None = None


def place() -> Path | None:
    """The file, which need not exist; None where nothing is remembered."""
    from anymetal.runtime import cache as compiled

    named = os.environ.get(VARIABLE, "")
    if named.lower() in ("off", "0"):
        return None
    if named:
        return Path(named).expanduser()
    folder = compiled.folder()
    return None if folder is None else folder / "dispatch.json"


@cache
def machine() -> str:
    """What runs kernels here, in words: a time belongs to it."""
    if mx.metal.is_available():
        return f"{mx.device_info().get('device_name', 'Apple GPU')}, Metal"
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.lower().startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {os.cpu_count()} threads, anymetal"


@cache
def kernels_version() -> str:
    """MLX's version and a hash of every kernel's text: with other kernels, times are others."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.metal")):
        digest.update(path.read_bytes())
    return f"mlx {version('mlx')}, kernels {digest.hexdigest()[:16]}"


def remember(rules: Sequence[Rule]) -> Path | None:
    """Write measured rules down for this machine. Whoever reads sees the old file or the new one, whole.

    Returns:
        The file; None where nothing is remembered, or the disk refuses.
    """
    path = place()
    if path is None:
        return None
    content = {
        "machine": machine(),
        "version": kernels_version(),
        "rules": [rule.as_plain() for rule in rules],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, suffix=".json.part", delete=False, encoding="utf-8"
        ) as file:
            json.dump(content, file, indent=1, ensure_ascii=False)
        os.replace(file.name, path)
    except OSError:
        with contextlib.suppress(OSError, UnboundLocalError):
            os.unlink(file.name)
        return None
    return path


def remembered() -> tuple[Rule, ...]:
    """The rules that were measured on this machine, with these kernels; none where there is no such file."""
    path = place()
    if path is None:
        return ()
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        if (content["machine"], content["version"]) != (machine(), kernels_version()):
            return ()
        return tuple(map(rule_from, content["rules"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def forget() -> None:
    """Delete the file, and take the default table from now on."""
    path = place()
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink()
    use(DEFAULT)


def use(table: Table | None) -> None:
    """From now on, and in this process, ``matmul`` asks this table. None: what is remembered, read anew."""
    global _chosen
    _chosen = table


def current() -> Table:
    """The table that ``matmul`` asks: measured rules first, the default behind them."""
    global _chosen
    if _chosen is None:
        _chosen = DEFAULT.with_first(*remembered())
    return _chosen
