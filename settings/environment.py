"""The model of an environment file: everything that decides what is built."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from settings.acceptance import Acceptance
from settings.base import PolicyName, Settings
from settings.changes import IN_PLACE, never
from settings.cluster import Cluster
from settings.milvus import Component, Milvus
from settings.network import Network
from settings.queue import Queue
from settings.regions import Region
from settings.releases import RELEASE_LINES, ReleaseLine
from settings.storage import Storage


def _own_key(key: str) -> str:
    if key.lower().startswith("aws:"):
        text = f"{key}: AWS keeps keys that start with aws: for itself; use another key"
        raise PydanticCustomError("written", "{text}", {"text": text})
    return key


TagKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_ +=.:/@-]{1,128}$"), AfterValidator(_own_key)]
TagValue = Annotated[str, Field(pattern=r"^[A-Za-z0-9_ +=.:/@-]{0,256}$")]


class Environment(Settings):
    """One environment: a settings file under ``environments/``."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{1,24}[a-z0-9]$",
        description="Prefix of every stack and of the names that AWS wants unique. Cannot change once deployed.",
        json_schema_extra=never(),
    )
    account: str | None = Field(
        default=None,
        pattern=r"^\d{12}$",
        description="AWS account id, in quotes; empty means the one of the credentials at deployment.",
        json_schema_extra=never(),
    )
    region: Region = Field(description="AWS region.", json_schema_extra=never())
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict,
        description="Tags of every resource but the instances and volumes of nodes; 40 at most.",
        json_schema_extra=IN_PLACE,
    )
    network: Network = Field(default_factory=Network, description="The VPC.")
    cluster: Cluster = Field(description="The EKS cluster.")
    storage: Storage = Field(default_factory=Storage, description="The object storage.")
    queue: Queue = Field(description="The write-ahead log: `kind: msk` or `kind: woodpecker`.")
    milvus: Milvus = Field(default_factory=Milvus, description="Milvus: release line, components, security, exposure.")
    removal_policy: Literal["destroy", "retain"] = Field(
        default="retain",
        description="What becomes of buckets, keys, secrets and logs when their stack is destroyed. "
        "`destroy` deletes the data with them. The brokers and the network always go.",
        json_schema_extra=IN_PLACE,
    )
    permissions_boundary: PolicyName | None = Field(
        default=None,
        description="Name of a managed policy in the account that limits every role of the environment. Needed where "
        "CloudFormation deploys with `policies/execution-bounded.json`: `milvus-boundary` (docs/delivery.md).",
        json_schema_extra=IN_PLACE,
    )
    termination_protection: bool = Field(
        default=False,
        description="CloudFormation refuses to delete the stacks that hold data or the cluster, and EKS to delete the "
        "cluster once all of its stack stands.",
        json_schema_extra=IN_PLACE,
    )
    changes: Acceptance = Field(
        default_factory=Acceptance, description="Changes that are wanted although they are refused."
    )

    @property
    def release(self) -> ReleaseLine:
        """Return the facts of the chosen release line."""
        return RELEASE_LINES[self.milvus.line]

    @property
    def milvus_version(self) -> str:
        """Return the exact Milvus version, such as ``2.6.22``."""
        return self.milvus.version or self.release.default_version

    @property
    def root_password_at_first_start(self) -> bool:
        """Return whether Milvus takes root's password from its secret when it first starts, not the well-known one."""
        return self.release.takes_root_password(self.milvus_version)

    @property
    def channel_prefix(self) -> str:
        """Return the prefix of Milvus's topics, unique on a shared queue."""
        return self.milvus.channel_prefix or self.name

    @property
    def component_names(self) -> tuple[str, ...]:
        """Return the components that the line and the mode have."""
        return self.release.components if self.milvus.mode == "cluster" else ("standalone",)

    @property
    def components(self) -> dict[str, Component]:
        """Return every component that is deployed, with its replicas and resources."""
        return {name: getattr(self.milvus.components, name) for name in self.component_names}

    def node_group_of(self, component: str) -> str | None:
        """Return the node group that a component (or ``etcd``) is bound to, or None where it may run anywhere."""
        chosen = self.milvus.etcd if component == "etcd" else self.components[component]
        return chosen.node_group or self.milvus.node_group
