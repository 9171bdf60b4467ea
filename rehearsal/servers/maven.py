"""Apache Kafka's jars from Maven Central, pinned by ``rehearsal/java/pom.xml`` and checked against its checksums."""

from __future__ import annotations

import subprocess
from pathlib import Path

from rehearsal.servers.cache import cached, digest, install
from rehearsal.servers.process import ServerError

POM = Path(__file__).resolve().parents[1] / "java" / "pom.xml"
_NAME = "kafka"


def installed_kafka() -> Path | None:
    """Return the folder of jars in the cache, or None: Maven is needed only then."""
    return cached(_NAME, digest(POM))


def kafka_jars() -> Path:
    """Return the folder of jars; download them when the cache has none (56 MB)."""
    return install(_NAME, digest(POM), _download)


def _download(target: Path) -> None:
    done = subprocess.run(
        [
            "mvn",
            "--quiet",
            "--batch-mode",
            "--strict-checksums",
            "-Dstyle.color=never",
            f"--file={POM}",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={target}",
        ],
        # Maven crashes on a closed pipe: its output is read to the end.
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerError(f"maven could not get Kafka's jars:\n{(done.stdout + done.stderr)[-2000:]}")
