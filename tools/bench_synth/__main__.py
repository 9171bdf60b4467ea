"""Compares our synth with that of an empty CDK app and of a bare peer of prod, in turns, so that noise hits all alike.

Totals are processor seconds, Node's included, because a busy machine stretches every other clock; phases are seconds on
the wall. What checks cost is the difference to prod without cdk-nag. The command line of the CDK is left out: it costs
every app the same.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tools.bench_synth.apps import CDK8S, CDK8S_PLUS, EMPTY, NAMES, PEER, ROOT, TUNED, UNCHECKED

BAR = 1.25
PHASES = ("import", "construct", "synthesize")
Sample = dict[str, float]


def sample(name: str, folder: Path) -> Sample:
    """Synthesize an app in a process of its own; return its phases, and its processor time as ``cpu``."""
    command = [sys.executable, "-m", "tools.bench_synth.apps", name, str(folder)]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{errors.read().decode()}")
        phases: Sample = json.loads(output.read().splitlines()[-1])
    return {"cpu": usage.ru_utime + usage.ru_stime, **phases}


def resources(folder: Path) -> Counter[str]:
    """Return how many resources of each type the templates of an assembly have."""
    templates = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.template.json")]
    return Counter(each["Type"] for template in templates for each in template["Resources"].values())


def compare_resources(peer: Counter[str], prod: Counter[str]) -> str:
    """Return what the peer has more or less of than prod; empty where they are the same."""
    different = sorted(kind for kind in peer | prod if peer[kind] != prod[kind])
    return ", ".join(f"{kind} {peer[kind]} instead of {prod[kind]}" for kind in different)


def main() -> int:
    """Print the medians and the ratios; return 1 where prod is over the bar, or the peer is no peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count, after one that does not")
    rounds = parser.parse_args().rounds
    samples: dict[str, list[Sample]] = {name: [] for name in NAMES}
    with tempfile.TemporaryDirectory() as base:
        for number in range(rounds + 1):
            for name in NAMES:
                taken = sample(name, Path(base) / name)
                if number:
                    samples[name].append(taken)
        deviation = compare_resources(resources(Path(base) / PEER), resources(Path(base) / "prod"))
        total = resources(Path(base) / "prod").total()

    def median(of: Callable[[int], float]) -> float:
        return statistics.median(map(of, range(rounds)))

    def cpu(name: str) -> Callable[[int], float]:
        return lambda number: samples[name][number]["cpu"]

    def ratio(name: str, other: str) -> float:
        return median(lambda number: cpu(name)(number) / cpu(other)(number))

    def phase(name: str, phase: str) -> str:
        return f"{median(lambda number: samples[name][number][phase]):8.2f}"

    lines = [f"{'':14}   cpu | {'  '.join(PHASES)} (wall)"]
    lines += [
        f"{name:14} {median(cpu(name)):5.2f} | " + "  ".join(phase(name, each) for each in PHASES) for name in NAMES
    ]
    reached = ratio("prod", PEER)
    checks = median(lambda number: cpu("prod")(number) - cpu(UNCHECKED)(number))
    plus = median(lambda number: cpu(CDK8S_PLUS)(number) - cpu(CDK8S)(number))
    lines += [
        f"prod over the bare peer of {total} resources: {reached:.2f} (bar {BAR})",
        f"over that peer with our Node options: {ratio('prod', TUNED):.2f}",
        f"over the bare peer without cdk-nag: {ratio(UNCHECKED, PEER):.2f}",
        f"prod over an empty app: {ratio('prod', EMPTY):.2f}; dev over the bare peer: {ratio('dev', PEER):.2f}",
        f"cdk-nag costs {checks:.2f} s, loading cdk8s-plus-27 {plus:.2f} s",
    ]
    if deviation:
        lines.append(f"the bare peer is no peer of prod: {deviation}; mend tools/bench_synth/peer.py")
    print("\n".join(lines))
    return int(bool(deviation) or reached > BAR)


if __name__ == "__main__":
    sys.exit(main())
