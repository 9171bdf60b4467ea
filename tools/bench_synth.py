"""Measures our synth time over that of an empty Python CDK app, in turns, so that a busy machine hits both."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _paths import ROOT

EMPTY_APP = "import aws_cdk\n\napp = aws_cdk.App()\naws_cdk.Stack(app, 'empty')\napp.synth()\n"


def seconds(app: str, folder: Path, output: Path, *options: str) -> float:
    """Return the wall time in seconds of one ``cdk synth`` of an app command, run in a folder."""
    started = time.perf_counter()
    command = ["cdk", "synth", "--quiet", "--app", app, "--output", str(output), *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return time.perf_counter() - started


def main() -> None:
    """Print the times of each pair, and the median of their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="prod", help="environment to synthesize")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs that count, after one that does not")
    arguments = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY_APP, encoding="utf-8")
        for pair in range(arguments.pairs + 1):
            # Beside its own file, so that it has no cdk.json: no flag and no check of ours slows it down.
            base = seconds(f"python {empty}", Path(folder), Path(folder) / "empty")
            ours = seconds("python app.py", ROOT, Path(folder) / "ours", "-c", f"env={arguments.env}")
            label = "warm-up" if pair == 0 else f"pair {pair}"
            print(f"{label:8} empty {base:5.2f} s   {arguments.env} {ours:5.2f} s   ratio {ours / base:.2f}")
            if pair:
                ratios.append(ours / base)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"synth of {arguments.env} over an empty app: {statistics.median(ratios):.2f} (median; {spread})")


if __name__ == "__main__":
    main()
