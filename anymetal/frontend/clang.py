"""Finding and calling clang: the one inside the ``ziglang`` wheel, without zig's Python around it."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from anymetal.errors import AnymetalError

HERE = Path(__file__).parent

# spir64: vectors, half and bfloat pass through calls as they are, and no host's ABI gets in.
LANGUAGE = ["-x", "c++", "-std=c++17", "-target", "spir64-unknown-unknown", "-nostdinc", "-nostdinc++", "-w"]

PREDEFINED = {"__METAL__": 1, "__METAL_VERSION__": 320, "__METAL_MACOS__": 1, "__HAVE_BFLOAT__": 1}

# Metal's own address spaces. clang prints these macros' names in its messages.
SPACES = {
    "device": "__attribute__((address_space(1)))",
    "constant": "const __attribute__((address_space(2)))",
    "threadgroup": "__attribute__((address_space(3)))",
    "thread": "",
}

CODE = [
    "-O2",
    "-ffreestanding",
    "-fno-builtin",
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-fno-math-errno",
    "-ffp-contract=on",
    # GPU code reads bytes as words and back; no type tells anything about aliasing.
    "-fno-strict-aliasing",
    # An endless loop is the learner's mistake to be found, not clang's to remove.
    "-fno-finite-loops",
    # Everything that may reach a cross-lane operation keeps its place in control flow.
    "-fconvergent-functions",
    "-fno-vectorize",
    "-fno-slp-vectorize",
    "-fno-ident",
    # `float x; if (t < 16) x = a[t]; simd_sum(x)`: the branch stays though one side leaves x undefined.
    *("-Xclang", "-no-enable-noundef-analysis"),
    # half and bfloat round after every operation.
    *("-Xclang", "-ffloat16-excess-precision=none"),
    *("-Xclang", "-fbfloat16-excess-precision=none"),
    *("-mllvm", "-disable-loop-idiom-all"),
    *("-mllvm", "-unroll-runtime=false"),
    *("-mllvm", "-unroll-allow-partial=false"),
]

# The preprocessor expands no macro in `#pragma unroll(N)`, and macros end with it. So the line goes through
# as a call, which rewrite.py makes a pragma again.
UNROLL = "__simt_unroll"
_UNROLL = re.compile(
    r"^([ \t]*)#[ \t]*pragma[ \t]+unroll[ \t]*(\([^\n]*[A-Za-z_][^\n]*\))[ \t]*$", re.MULTILINE
)

# For code that is watched: places and names as the learner wrote them, and vectors loaded as vectors.
WATCHED = ["-gline-tables-only", "-fno-discard-value-names", "-mllvm", "-disable-vector-combine"]

# And with the values of its variables, where they are to be followed.
VARIABLES = ["-g"]

# What arithmetic may be rearranged: nothing; what keeps NaN and infinity; anything.
MATH_MODES = {
    "safe": [],
    "relaxed": ["-fassociative-math", "-freciprocal-math", "-fno-signed-zeros", "-fno-trapping-math"],
    "fast": ["-ffast-math"],
}

MESSAGES = [
    "-fno-caret-diagnostics",
    "-fno-color-diagnostics",
    "-fdiagnostics-print-source-range-info",
    "-ferror-limit=20",
    "-ftemplate-backtrace-limit=0",
    "-Wno-error=static-float-init",
]


@functools.cache
def executable() -> str:
    """The path of the clang driver."""
    try:
        import ziglang
    except ImportError as error:
        raise AnymetalError(
            "anymetal needs the package `ziglang`, which carries clang: pip install ziglang"
        ) from error
    return os.path.join(os.path.dirname(ziglang.__file__), "zig.exe" if os.name == "nt" else "zig")


def run(arguments: Sequence[str], source: str) -> tuple[int, str, str]:
    """clang's exit status, standard output and standard error, with ``source`` on its standard input."""
    # A quoted include in the text is looked for where clang runs: not wherever the caller happens to be.
    done = subprocess.run(
        [executable(), "clang", *arguments], input=source.encode(), capture_output=True, cwd=HERE / "include"
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def preprocess(
    text: str, include_dirs: Sequence[str], defines: Mapping[str, str | int]
) -> tuple[int, str, str]:
    """The source with includes and macros expanded, line markers kept, and Metal's keywords as they are."""
    macros = [f"-D{name}={value}" for name, value in {**PREDEFINED, **defines}.items()]
    paths = [
        option for path in (str(HERE / "include"), *include_dirs) for option in ("-I", os.path.abspath(path))
    ]
    text = _UNROLL.sub(r"\1" + UNROLL + r"\2", text)
    return run(["-E", *LANGUAGE, *MESSAGES, *macros, *paths, "-"], text)


def compile(
    text: str,
    library: Sequence[str],
    *,
    math_mode: str,
    line_tables: bool,
    variables: bool = False,
    optimised: bool = True,
) -> tuple[int, str, str]:
    """LLVM IR of preprocessed and rewritten text, with headers of ``library/`` before it; before any pass
    where it is not to be ``optimised``."""
    spaces = [f"-D{name}={value}" for name, value in SPACES.items()]
    headers = [option for name in library for option in ("-include", str(HERE / "library" / name))]
    more = [*MATH_MODES[math_mode], *(WATCHED if line_tables else []), *(VARIABLES if variables else [])]
    if not optimised:
        more += ["-Xclang", "-disable-llvm-passes"]
    return run(
        ["-S", "-emit-llvm", "-o", "-", *LANGUAGE, *CODE, *MESSAGES, *more, *spaces, *headers, "-"], text
    )


def optimise(ir: str) -> tuple[int, str, str]:
    """LLVM's passes over IR that was compiled without them: what ``compile`` would have made of it."""
    target = ["-x", "ir", "-target", "spir64-unknown-unknown", "-w"]
    return run(["-S", "-emit-llvm", "-o", "-", *target, *CODE, *WATCHED, "-"], ir)
