"""C files of this package: compiled by the clang that compiles kernels, and linked into this process."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import llvmlite.binding as llvm

from anymetal.errors import AnymetalError
from anymetal.runtime import cache, jit

_lock = threading.Lock()
_loaded: dict[tuple[Path, tuple[str, ...]], llvm.ResourceTracker] = {}  # code goes when its tracker does


def load_functions(file: Path, names: Sequence[str]) -> dict[str, int]:
    """The addresses of the functions `names` of a C file, compiled for this CPU; the object is kept on disk.

    The file may include headers beside it, and no others. Raises `AnymetalError` where it does not compile.
    """
    which = (file, tuple(names))
    with _lock:  # two threads that want the same file compile it once
        tracker = _loaded.get(which)
        if tracker is None:
            tracker = _loaded[which] = _from_disk_or_source(*which)
    return {name: tracker[name] for name in names}


def _from_disk_or_source(file: Path, names: Sequence[str]) -> llvm.ResourceTracker:
    texts = [p.read_text() for p in (file, *sorted(file.parent.glob("*.h")))]
    key = cache.key("native", file.name, *texts, jit.host())
    stored = cache.load(key)
    if stored is not None:
        try:
            return jit.load_library(stored[1], names)
        except RuntimeError:
            cache.discard(key)  # whole, yet not what this process can link: build it again
    code = jit.compile_object(ir(file))
    made = jit.load_library(code, names)
    cache.store(key, {}, code)
    return made


def ir(file: Path) -> str:
    """The LLVM IR of a C file, tied to no kind of CPU: it may become part of a kernel.

    Raises `AnymetalError` where it does not compile.
    """
    from anymetal.frontend import clang

    options = "-x c -std=c17 -O2 -S -emit-llvm -ffreestanding -nostdinc".split()
    status, text, messages = clang.run([*options, "-I", str(file.parent), "-o", "-", "-"], file.read_text())
    if status:
        raise AnymetalError(f"{file.name} does not compile:\n{messages}")
    text = re.sub(r"^target .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r' "(target-cpu|target-features|tune-cpu)"="[^"]*"', "", text)


if hasattr(os, "register_at_fork"):
    # A child has none of its parent's threads: one of them must not leave the lock closed, here or in LLVM.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
