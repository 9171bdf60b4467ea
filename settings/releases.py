"""Milvus release lines: chart, default version, components, console, brokers and advisories. Data, not code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING, Literal, NamedTuple

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
class ReleaseLine:
    """What belongs to a Milvus release line."""

    line: str
    chart: str
    """Version of the Helm chart: the newest whose rendering was checked."""
    default_version: str
    oldest_version: str
    """Oldest version of the line that the pinned chart runs."""
    components: tuple[str, ...]
    """Components of cluster mode, in the order in which they start."""
    attu: str
    kafka_scram_majors: tuple[int, ...]
    """Kafka major versions that the bundled librdkafka can log in to by SCRAM (milvus#52601)."""
    woodpecker: str
    """``no``, ``preview`` or ``yes``."""
    root_login_since: str | None
    """First version that gives root the password from COMMON_SECURITY_DEFAULTROOTPASSWORD when it first starts, instead
    of the well-known one (milvus#34752, in line 2.4 by milvus#34777); None where no version of the line does."""

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
            components=(*COORDINATORS_2_3, "proxy", "query_node", "data_node", "index_node"),
            attu="v2.3.5",
            kafka_scram_majors=(2, 3),
            woodpecker="no",
            root_login_since=None,
        ),
        ReleaseLine(
            line="2.4",
            chart="4.2.25",
            default_version="2.4.24",
            oldest_version="2.4.0",
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
