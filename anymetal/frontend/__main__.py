"""``python -m anymetal.frontend file.metal``: the IR of a Metal file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from anymetal.errors import CompileError
from anymetal.frontend import compile_source


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m anymetal.frontend", description=__doc__)
    parser.add_argument("file", help="a Metal source, or - for standard input")
    parser.add_argument(
        "-I", dest="include_dirs", action="append", default=[], help="where to look for includes"
    )
    parser.add_argument("-D", dest="defines", action="append", default=[], help="NAME or NAME=VALUE")
    parser.add_argument("--math-mode", default="safe", choices=["safe", "relaxed", "fast"])
    arguments = parser.parse_args()
    text = sys.stdin.read() if arguments.file == "-" else Path(arguments.file).read_text()
    defines = {name: value or "1" for name, _, value in (d.partition("=") for d in arguments.defines)}
    try:
        module = compile_source(
            f'#line 1 "{arguments.file}"\n{text}',
            files={arguments.file: text},
            include_dirs=arguments.include_dirs,
            defines=defines,
            math_mode=arguments.math_mode,
        )
    except CompileError as error:
        print(error, file=sys.stderr)
        return 1
    print(module.ir)
    return 0


sys.exit(main())
