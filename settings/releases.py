"""Milvus release lines: chart, default version, components, console, brokers and advisories. Data, not code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING, Literal, NamedTuple

from settings.instances import Architecture

COORDINATORS_2_3 = ("root_coordinator", "query_coordinator", "data_coordinator", "index_coordinator")


@total_ordering
class Version(NamedTuple):
    """A Milvus version, comparable."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Parse ``2.6.22`` or ``v2.6.22``.

        Raises:
            ValueError: The text has not three numeric parts.
        """
        major, minor, patch = (int(part) for part in text.removeprefix("v").split("."))
        return cls(major, minor, patch)

    def __str__(self) -> str:
        """Return ``2.6.22``."""
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True)
class Advisory:
    """A critical advisory, and from which version of a line on it is fixed (None: no fix in that line)."""

    name: str
    title: str
    fixed_in: dict[str, str | None]
    needs_authorization: bool = False
    """Whether the fix only takes effect with authorization on."""

    def fix(self, line: str) -> Version | None:
        """Return the first fixed version of a line, or None where the line has none."""
        fixed = self.fixed_in[line]
        return Version.parse(fixed) if fixed else None


# https://github.com/milvus-io/milvus/security/advisories
ADVISORIES = (
    Advisory(
        name="CVE-2026-26190",
        title="unauthenticated REST and configuration on port 9091 (9.8)",
        fixed_in={"2.3": None, "2.4": None, "2.5": "2.5.27", "2.6": "2.6.10", "3.0": "3.0.0"},
        needs_authorization=True,
    ),
    Advisory(
        name="CVE-2025-64513",
        title="authentication bypass in the proxy",
        fixed_in={"2.3": None, "2.4": "2.4.24", "2.5": "2.5.21", "2.6": "2.6.5", "3.0": "3.0.0"},
    ),
)


@dataclass(frozen=True)
class Broken:
    """Versions, first to last, that do not start or lose data, and that their makers want nobody to stay on."""

    name: str
    """Where it is documented, and what a file names that accepts it."""
    title: str
    first: str
    last: str
    fixed_in: str
    architecture: Architecture | None = None
    """The only processor architecture that it concerns; None where it concerns each."""

    def concerns(self, version: Version) -> bool:
        """Return whether a version is one of them."""
        return Version.parse(self.first) <= version <= Version.parse(self.last)


# By the release notes of the versions that mend them: https://github.com/milvus-io/milvus/releases
BROKEN = (
    Broken("milvus#31159", "rows lost under memory pressure", first="2.3.1", last="2.3.11", fixed_in="2.3.12"),
    Broken(
        "milvus#32474",
        "an image for arm64 that does not start",
        first="2.4.0",
        last="2.4.0",
        fixed_in="2.4.1",
        architecture="arm64",
    ),
    Broken("milvus#33478", "statistics of bulk inserts lost", first="2.4.0", last="2.4.3", fixed_in="2.4.4"),
    Broken("milvus#36933", "every collection lost at a restart", first="2.4.13", last="2.4.13", fixed_in="2.4.14"),
    Broken("milvus#43421", "collections lost that are renamed", first="2.5.14", last="2.5.14", fixed_in="2.5.15"),
)


@dataclass(frozen=True)
class ReleaseLine:
    """What belongs to a Milvus release line."""

    line: str
    chart: str
    """Version of the Helm chart: the newest whose rendering was checked."""
    default_version: str
    oldest_version: str
    """Oldest version of the line that the pinned chart runs."""
    etcd: str
    """Tag of etcd's image, which the chart fixes: with a line etcd moves too."""
    components: tuple[str, ...]
    """Components of cluster mode, in the order in which they start."""
    attu: str
    kafka_scram_majors: tuple[int, ...]
    """Kafka major versions that the bundled librdkafka can log in to by SCRAM (milvus#52601).

    librdkafka 2.6.1, which can log in to 4.x, was merged into 2.6 (milvus#52666) and 3.0 (milvus#53086) in September
    2026; which release has it was not seen in any release's notes, nor has anybody reported one that works.
    """
    woodpecker: str
    """``no``, ``preview`` or ``yes``."""
    root_login_since: str | None
    """First version that gives root the password from COMMON_SECURITY_DEFAULTROOTPASSWORD when it first starts, instead
    of the well-known one (milvus#34752, in line 2.4 by milvus#34777); None where no version of the line does."""

    log_level: str | None = None
    """What Milvus may log, where its default (info) says too much."""

    def takes_root_password(self, version: str) -> bool:
        """Whether a version of this line takes root's password from its environment at its first start."""
        since = self.root_login_since
        return since is not None and Version.parse(version) >= Version.parse(since)


_CLUSTER_2_4 = ("mix_coordinator", "proxy", "query_node", "data_node", "index_node")
_CLUSTER_2_6 = ("mix_coordinator", "proxy", "query_node", "streaming_node", "data_node")

# Default versions: the newest of each line in November 2026, by https://milvus.io/docs/release_notes.md and
# https://hub.docker.com/r/milvusdb/milvus/tags. 2.6.24 is of 2026-09-16 (milvus-docs#3663); of 2.6.25, of October,
# only the image was seen, not its notes; 3.0.2 is of 2026-09-20 (milvus-docs#3664).
RELEASE_LINES: dict[str, ReleaseLine] = {
    release.line: release
    for release in (
        ReleaseLine(
            line="2.3",
            chart="4.1.28",
            default_version="2.3.22",
            oldest_version="2.3.1",  # 2.3.0 was built without OpenSSL: no SASL_SSL (milvus#26599)
            etcd="3.5.5-r4",
            components=(*COORDINATORS_2_3, "proxy", "query_node", "data_node", "index_node"),
            attu="v2.3.5",
            kafka_scram_majors=(2, 3),
            woodpecker="no",
            root_login_since=None,
            # Milvus 2.3 writes its Kafka configuration, password included, to the log at level info.
            log_level="warn",
        ),
        ReleaseLine(
            line="2.4",
            chart="4.2.25",
            default_version="2.4.24",
            oldest_version="2.4.0",
            etcd="3.5.16-r1",
            components=_CLUSTER_2_4,
            attu="v2.4.12",
            kafka_scram_majors=(2, 3),
            woodpecker="no",
            root_login_since="2.4.7",
        ),
        ReleaseLine(
            line="2.5",
            chart="4.2.58",
            default_version="2.5.27",
            oldest_version="2.5.0",
            etcd="3.5.18-r1",
            components=_CLUSTER_2_4,
            attu="v2.5.10",
            kafka_scram_majors=(2, 3),
            woodpecker="no",
            root_login_since="2.5.0",
        ),
        ReleaseLine(
            line="2.6",
            chart="5.0.19",
            default_version="2.6.25",
            oldest_version="2.6.0",
            etcd="3.5.25-r1",
            components=_CLUSTER_2_6,
            attu="v2.6.5",
            kafka_scram_majors=(2, 3),
            woodpecker="preview",
            root_login_since="2.6.0",
        ),
        ReleaseLine(
            line="3.0",
            chart="5.0.19",
            default_version="3.0.2",
            oldest_version="3.0.0",
            etcd="3.5.25-r1",
            components=_CLUSTER_2_6,
            attu="v2.6.5",
            kafka_scram_majors=(2, 3),
            woodpecker="yes",
            root_login_since="3.0.0",
        ),
    )
}

if TYPE_CHECKING:
    Line = str
else:
    Line = Literal[tuple(RELEASE_LINES)]
    """A release line of the table."""
