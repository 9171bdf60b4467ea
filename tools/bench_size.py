"""Times `ops size` for a billion vectors, the whole process: `make bench-size`. A busy machine fails no test so."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

from _paths import ROOT

_COMMAND = (sys.executable, "-m", "ops", "size", "--vectors", "1B", "--dim", "768", "--json")
_RUNS = 5


def main() -> None:
    """Print the seconds of each run, by the clock and of the processor."""
    for number in range(1, _RUNS + 1):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(_COMMAND, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"run {number}: {took:.2f} s by the clock, {used:.2f} s of a processor")


if __name__ == "__main__":
    main()
