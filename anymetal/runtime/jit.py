"""From a module's text to machine code, with llvmlite.

`compile_object` gives the bytes of a relocatable object, which can be kept on disk; `load` links such bytes
into this process. The two are apart so that a hit in the cache pays only for the second.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import itertools
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import llvmlite.binding as llvm

from anymetal.runtime import bfloat

# LLVM's global state (contexts, the linker's symbol tables) is not ours to share between threads.
_lock = threading.RLock()
_names = itertools.count()

HUGE = 4 << 20
"""Bytes of a module's text from which on it is compiled as it was widened. LLVM's passes would take most of a
minute over an unrolled GEMM with ragged edges (7 to 15 MB), to make it a third faster."""

Entry = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)  # calls release the GIL


@dataclass(frozen=True)
class Loaded:
    """Machine code in memory, a function of two addresses. It stays there as long as `call` does."""

    call: Callable[[int, int], None]
    address: int


@lru_cache(maxsize=1)
def host() -> tuple[str, str, str]:
    """The triple, the CPU's name and its features, as LLVM writes them. The machine code depends on all
    three.
    """
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def vector_bits() -> int:
    """The width of the widest vector register of this CPU, in bits."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 512
    if features.get("avx"):
        return 256
    return 128


@lru_cache(maxsize=1)
def _target_machine() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple, cpu, features = host()
    # Position-independent code: the loader may put it more than 2 GiB away from libm.
    return llvm.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="pic", codemodel="small"
    )


@lru_cache(maxsize=1)
def _linker() -> llvm.LLJIT:
    # A C library's mathematics (expf, erff) is looked up in this process: make sure that it is there.
    libm = ctypes.util.find_library("m") if sys.platform != "win32" else "ucrtbase.dll"
    if libm is not None:
        llvm.load_library_permanently(libm)
    return llvm.create_lljit_compiler(_target_machine())


def _optimised(ir: str) -> llvm.ModuleRef:
    triple, _, features = host()
    if bfloat.needed(triple, features):
        ir = bfloat.lower(ir)
    machine = _target_machine()
    module = llvm.parse_assembly(ir)
    module.triple = triple
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3 if len(ir) < HUGE else 0)
    # The code is wide already: 32 lanes are one value. The vectorizers would only spend time on it.
    options.loop_vectorization = False
    options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def compile_object(ir: str) -> bytes:
    """Machine code for this CPU, as the bytes of a relocatable object.

    `ir` is an LLVM module's text with neither triple nor data layout. Raises `RuntimeError` where LLVM
    refuses it.
    """
    with _lock:
        return bytes(_target_machine().emit_object(_optimised(ir)))


def assembly(ir: str) -> str:
    """The optimised assembly text of `ir` for this CPU: for eyes, and for tests of the code's quality."""
    with _lock:
        return str(_target_machine().emit_assembly(_optimised(ir)))


def load_library(obj: bytes, names: Sequence[str]) -> llvm.ResourceTracker:
    """Links an object whose functions others call; the result gives each one's address by name."""
    with _lock:
        library = llvm.JITLibraryBuilder().add_object_img(obj).add_current_process()
        for name in names:
            library.export_symbol(name)
        return library.link(_linker(), f"library{next(_names)}")


@lru_cache(maxsize=1)
def _support() -> llvm.ResourceTracker:
    """What kernels may call and a C library may lack."""
    library = llvm.JITLibraryBuilder().add_ir(bfloat.SUPPORT).export_symbol("__truncsfbf2")
    return library.link(_linker(), "support")


def load(obj: bytes, entry: str, imports: Mapping[str, int] | None = None) -> Loaded:
    """Links an object into this process and finds the function `entry`. `imports` gives addresses to names
    that it calls. Raises `RuntimeError` where it cannot.
    """
    with _lock:
        library = llvm.JITLibraryBuilder().add_object_img(obj).add_current_process().export_symbol(entry)
        for name, where in (imports or {}).items():
            library.import_symbol(name, where)
        triple, _, features = host()
        if bfloat.needed(triple, features):
            library.import_symbol("__truncsfbf2", _support()["__truncsfbf2"])
        tracker = library.link(_linker(), f"kernel{next(_names)}")
        address = tracker[entry]
    call = Entry(address)
    call.tracker = tracker  # type: ignore[attr-defined]  # the code goes when its tracker does
    return Loaded(call=call, address=address)
