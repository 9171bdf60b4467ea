"""Names every missing prerequisite at once, with what each is needed for, before anything starts."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from rehearsal.servers.maven import installed_kafka
from rehearsal.servers.process import ServerError
from rehearsal.servers.programs import installed_binary

MINIMUM_GO = (1, 26)
MINIMUM_JAVA = (17,)


class Server(StrEnum):
    """A real server that the rehearsal can start."""

    KUBERNETES = "kubernetes"
    EXTERNAL_SECRETS = "external-secrets"
    KAFKA = "kafka"
    S3 = "s3"
    ETCD = "etcd"
    MILVUS = "milvus"


_BINARIES = {
    Server.KUBERNETES: ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"),
    Server.EXTERNAL_SECRETS: ("external-secrets",),
    Server.ETCD: ("etcd",),
    Server.MILVUS: ("etcd",),
}


class MissingPrerequisitesError(ServerError):
    """Something that the project does not install itself is missing; the message names all of it."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A program that is missing or too old."""

    program: str
    found: str
    needed_for: str
    remedy: str

    def __str__(self) -> str:
        return f"- {self.program} ({self.found}): needed for {self.needed_for}. {self.remedy}"


def missing_prerequisites(servers: Collection[Server]) -> list[Missing]:
    """Return what is missing for ``servers``. What the cache or ``KUBEBUILDER_ASSETS`` holds needs no compiler."""
    found: list[Missing] = []
    to_build = sorted(
        {name for server in servers for name in _BINARIES.get(server, ()) if installed_binary(name) is None}
    )
    if to_build and (version := _version(("go", "version"), r"go(\d+)\.(\d+)")) < MINIMUM_GO:
        remedy = "Install it (https://go.dev/dl/), or point KUBEBUILDER_ASSETS to a folder with these binaries."
        found.append(
            Missing(
                program="Go 1.26", found=_text(version), needed_for=f"building {', '.join(to_build)}", remedy=remedy
            )
        )
    if Server.KAFKA in servers:
        if (version := _version(("java", "-version"), r'version "(\d+)')) < MINIMUM_JAVA:
            remedy = "Install a Java 17 runtime or newer, such as openjdk-17-jre-headless."
            found.append(
                Missing(program="Java 17", found=_text(version), needed_for="running Apache Kafka", remedy=remedy)
            )
        if installed_kafka() is None and shutil.which("mvn") is None:
            remedy = "Install Maven 3.8 or newer, such as Debian's package maven."
            found.append(
                Missing(program="Maven", found="not found", needed_for="downloading Apache Kafka", remedy=remedy)
            )
    return found


def require(servers: Collection[Server]) -> None:
    """Raise ``MissingPrerequisitesError`` naming everything that is missing for ``servers``."""
    if found := missing_prerequisites(servers):
        raise MissingPrerequisitesError("Missing on this machine:\n" + "\n".join(str(item) for item in found))


def _version(command: tuple[str, ...], pattern: str) -> tuple[int, ...]:
    """Return the version that the program reports; empty when it is not on the PATH."""
    if shutil.which(command[0]) is None:
        return ()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    match = re.search(pattern, done.stdout + done.stderr)
    return tuple(int(number) for number in match.groups()) if match else ()


def _text(version: tuple[int, ...]) -> str:
    return f"found {'.'.join(map(str, version))}" if version else "not found"
