"""The state of an environment as AWS and Kubernetes tell it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from ops import aws
from ops.errors import OpsError
from ops.kubernetes import ClusterAccess, cluster_token, read_workloads
from ops.program import NAME
from ops.stacks import MISSING, Stack, outputs_of, read_stacks
from ops.workloads import Workload
from settings import Environment, output_keys
from settings.parts import Part, stack_name

ClientFactory = Callable[[str], aws.AwsClient]


class ManagedService(BaseModel):
    """A managed service: the MSK cluster, the EKS cluster or one of its node groups."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: str
    state: str
    detail: str = ""

    @property
    def healthy(self) -> bool:
        """Whether AWS calls it active."""
        return self.state == "ACTIVE"


class Status(BaseModel):
    """All that `python -m ops status` shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str
    region: str
    healthy: bool
    stacks: tuple[Stack, ...]
    services: tuple[ManagedService, ...]
    workloads: tuple[Workload, ...] = ()
    workloads_from: str = ""
    notes: tuple[str, ...] = ()


def read_status(env: Environment, *, clients: ClientFactory | None = None) -> Status:
    """Return the state of an environment. What cannot be read is a note and does not stop the rest.

    Args:
        env: The environment.
        clients: Makes the boto3 client of a service; the usual ones in the environment's region if not given.

    Raises:
        OpsError: CloudFormation cannot be read; without it nothing is known.
    """
    make = clients or (lambda service: aws.client(service, region=env.region))
    stacks = read_stacks(env, client=make("cloudformation"))
    outputs = outputs_of(stacks)
    notes: list[str] = []
    services: list[ManagedService] = []
    arn, cluster = outputs.get(output_keys.MSK_CLUSTER_ARN), outputs.get(output_keys.CLUSTER_NAME)
    unknown = False
    described: dict[str, Any] = {}
    try:
        if arn:
            services.append(_msk(make("kafka"), arn))
    except OpsError as error:
        unknown = True
        notes.append(str(error))
    try:
        if cluster:
            described, found = _eks(make("eks"), cluster)
            services += found
    except OpsError as error:
        unknown = True
        notes.append(str(error))
    unprotected = [stack.name for stack in stacks if stack.unprotected]
    if unprotected:
        notes.append(_how_to_protect(unprotected))
    namespace = outputs.get(output_keys.NAMESPACE, env.milvus.namespace)
    workloads, source = _workloads(env, described, namespace=namespace, notes=notes)
    lost = bool(source) and _is_lost(env, stacks, workloads)
    if lost:
        notes.append(
            f"the stack of Milvus exists, but there is no Deployment ({source}). Look with "
            f"`helm list --all --namespace {namespace}`: a deployment without a change brings back "
            "nothing that was removed by hand"
        )
    # Workloads that cannot be read from here (a private endpoint) are no failure; absent or broken ones are.
    healthy = not (unknown or lost or unprotected) and all(
        [
            *(stack.healthy for stack in stacks),
            *(service.healthy for service in services),
            *(w.healthy for w in workloads),
        ]
    )
    return Status(
        environment=env.name,
        region=env.region,
        healthy=healthy,
        stacks=stacks,
        services=tuple(services),
        workloads=workloads,
        workloads_from=source,
        notes=tuple(notes),
    )


def _how_to_protect(names: list[str]) -> str:
    return (
        f"not protected against deletion, as termination_protection asks: {', '.join(names)}. "
        f"Do `{NAME} protect` with the options of this command"
    )


def _is_lost(env: Environment, stacks: Iterable[Stack], workloads: Iterable[Workload]) -> bool:
    """Whether Milvus should be there and is not: all of no Deployments are ready, and nothing answers."""
    milvus = stack_name(env, Part.MILVUS)
    deployed = any(stack.name == milvus and stack.state != MISSING for stack in stacks)
    return deployed and not any(workload.kind == "Deployment" for workload in workloads)


def _msk(kafka: aws.AwsClient, arn: str) -> ManagedService:
    name = arn.split("/")[1] if "/" in arn else arn
    with aws.reading(f"the MSK cluster {name}"):
        info = kafka.describe_cluster_v2(ClusterArn=arn)["ClusterInfo"]
    provisioned = info.get("Provisioned") or {}
    version = (provisioned.get("CurrentBrokerSoftwareInfo") or {}).get("KafkaVersion")
    nodes = provisioned.get("NumberOfBrokerNodes")
    instance = (provisioned.get("BrokerNodeGroupInfo") or {}).get("InstanceType")
    reason = (info.get("StateInfo") or {}).get("Message")
    detail = [
        f"Kafka {version}" if version else "",
        f"{nodes} x {instance}" if nodes and instance else "",
        reason or "",
    ]
    return ManagedService(
        kind="MSK cluster",
        name=info.get("ClusterName") or name,
        state=info.get("State") or "UNKNOWN",
        detail=", ".join(text for text in detail if text),
    )


def _eks(eks: aws.AwsClient, name: str) -> tuple[dict[str, Any], list[ManagedService]]:
    with aws.reading(f"the EKS cluster {name}"):
        cluster = eks.describe_cluster(name=name)["cluster"]
        names = eks.list_nodegroups(clusterName=name).get("nodegroups", [])
        groups = [eks.describe_nodegroup(clusterName=name, nodegroupName=group)["nodegroup"] for group in names]
    network = cluster.get("resourcesVpcConfig") or {}
    endpoint = "public endpoint" if network.get("endpointPublicAccess") else "private endpoint"
    services = [
        ManagedService(
            kind="EKS cluster",
            name=name,
            state=cluster.get("status") or "UNKNOWN",
            detail=f"Kubernetes {cluster.get('version') or '?'}, {endpoint}",
        )
    ]
    for group in groups:
        scaling, types = group.get("scalingConfig") or {}, group.get("instanceTypes") or []
        issues = [issue.get("message", "") for issue in (group.get("health") or {}).get("issues") or []]
        size = f"{scaling.get('desiredSize', '?')} x {'/'.join(types) or '?'}"
        services.append(
            ManagedService(
                kind="node group",
                name=group.get("nodegroupName") or "?",
                state=group.get("status") or "UNKNOWN",
                detail=", ".join([size, *filter(None, issues)]),
            )
        )
    return cluster, services


def _workloads(
    env: Environment, cluster: dict[str, Any], *, namespace: str, notes: list[str]
) -> tuple[tuple[Workload, ...], str]:
    if not cluster:
        return (), ""
    network = cluster.get("resourcesVpcConfig") or {}
    try:
        access = ClusterAccess(
            endpoint=cluster.get("endpoint") or "",
            ca_pem=_ca(cluster),
            token=cluster_token(cluster["name"], region=env.region),
            public=bool(network.get("endpointPublicAccess")),
        )
        return read_workloads(access, namespace=namespace), f"namespace {namespace}"
    except OpsError as error:
        notes.append(f"no deployments: {error}")
        return (), ""


def _ca(cluster: dict[str, Any]) -> str:
    data = (cluster.get("certificateAuthority") or {}).get("data") or ""
    try:
        return base64.b64decode(data, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise OpsError(
            f"the EKS cluster {cluster.get('name')} has no readable certificate authority", remedy="Is it ACTIVE yet?"
        ) from error
