"""The names that the Milvus chart gives its objects."""

from __future__ import annotations


def chart_fullname(release: str) -> str:
    """Return the name that the Milvus chart gives its Service and starts every other name with."""
    return release if "milvus" in release else f"{release}-milvus"


def etcd_fullname(release: str) -> str:
    """Return the name that the Milvus chart gives etcd's StatefulSet and Service."""
    return release if "etcd" in release else f"{release}-etcd"


# Of every line, and whether switched on or not: a Service that is named like one of these would break an upgrade.
_CHART_SERVICES = (
    *("rootcoord", "querycoord", "datacoord", "indexcoord", "mixcoord"),
    *("querynode", "datanode", "indexnode", "streamingnode", "cdc", "attu"),
)


def chart_services(release: str) -> dict[str, str]:
    """Return the Services that the Milvus chart makes of a release, or may make, each with whose it is."""
    release_service, etcd = chart_fullname(release), etcd_fullname(release)
    return {
        **{f"{release_service}-{part}": f"the Service of {part}" for part in _CHART_SERVICES},
        release_service: "the release's Service",
        f"{etcd}-headless": "etcd's headless Service",
        etcd: "etcd's Service",
    }
