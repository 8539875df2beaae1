"""`python -m fuzzing specs --inputs 100000`, in tests/: run a target and tell what became of its inputs."""

from __future__ import annotations

import argparse
import sys
import time

from fuzzing.targets import TARGETS
from fuzzing.watch import Tally, campaign, in_processes


def main() -> int:
    """Run what the command line asks for; exit code 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m fuzzing", description=__doc__)
    parser.add_argument("target", choices=list(TARGETS))
    parser.add_argument("--inputs", type=int, default=10_000, help="numbers 0 … INPUTS − 1")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", type=int, help="this number alone")
    asked = parser.parse_args()
    started = time.perf_counter()
    if asked.only is not None:
        tally = campaign(asked.target, [asked.only])
    elif asked.processes == 1:
        tally = campaign(asked.target, range(asked.inputs))
    else:
        tally = in_processes(asked.target, asked.inputs, asked.processes, show=_show)
    sys.stdout.write(f"{tally}\n\n{time.perf_counter() - started:.0f} s\n")
    return 1 if tally.failures else 0


def _show(tally: Tally) -> None:
    sys.stderr.write(f"{tally.n_inputs:,} inputs, {len(tally.failures)} failures\n")


if __name__ == "__main__":
    sys.exit(main())
