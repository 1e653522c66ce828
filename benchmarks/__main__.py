"""``python -m benchmarks``: measures, writes results/ and the table in README.md."""

from __future__ import annotations

import argparse
import os
import sys

# Everybody's number of threads is read when their library loads, so nothing heavy is imported up here.
THREAD_VARIABLES = (
    "ANYMETAL_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "POCL_MAX_PTHREAD_COUNT",
    "POCL_CPU_MAX_CU_COUNT",
)


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def use_threads(count: int) -> None:
    """Gives every contender ``count`` threads, and where the system can, this process as many cores."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(count)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, _cores()[:count])


def main() -> int:
    """The command line. A missed goal is a result and no failure: the table says so."""
    cores = len(_cores())
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--case", default="", help="only cases whose key contains this; nothing is written")
    parser.add_argument(
        "--threads", type=int, default=cores, help=f"threads for everybody (default: {cores}, all)"
    )
    parser.add_argument("--rounds", type=int, default=11, help="turns for each contender (default: 11)")
    options = parser.parse_args()
    if not 1 <= options.threads <= cores:
        parser.error(f"--threads is {options.threads}; it must be from 1 to {cores}, the cores there are.")
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; it must be at least 1.")
    use_threads(options.threads)

    from benchmarks import machine, run, table

    load = machine.load()
    if load is not None and load > cores / 2:
        print(
            f"Other work is running here (load {load:.1f} on {cores} cores): figures will be off.",
            file=sys.stderr,
        )

    try:
        rows = run.run(rounds=options.rounds, only=options.case)
    except ValueError as error:
        parser.error(str(error))
    print(table.table(rows))
    if not options.case:
        print(f"\nWritten: {run.keep(rows, options.threads, load)} and README.md beside it.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
