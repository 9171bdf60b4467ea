"""Reads the stacks of an environment that are there, and what goes and stays with each: from their own templates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from ops import aws
from ops.destroy.costs import Costs
from ops.destroy.items import Item, Kind, Plan, Stands, Stays
from ops.errors import usage_error
from settings import Environment
from settings.parts import Part, stack_name, verification_name

ClientFactory = Callable[[str], aws.AwsClient]

KINDS = {
    "AWS::S3::Bucket": Kind.BUCKET,
    "AWS::KMS::Key": Kind.KEY,
    "AWS::SecretsManager::Secret": Kind.SECRET,
    "AWS::Logs::LogGroup": Kind.LOG_GROUP,
}
RETAINED = "removal_policy: retain"
# Policies of the template by which a resource outlives its stack.
_RETAINING = frozenset({"Retain", "RetainExceptOnCreate", "Snapshot"})
# What a custom resource made goes with the cluster, whatever its policy says; volumes are looked for by themselves.
_OF_CLUSTER = "Custom::"
_NAMESPACE = "Custom::AWSCDK-EKS-KubernetesResource"


def make_plan(env: Environment, *, clients: ClientFactory) -> Plan:
    """Return what is there of an environment, in the order in which it can be deleted.

    Raises:
        OpsError: The credentials are of another account than the file's, or AWS does not let it be read.
    """
    with aws.reading("the account of the credentials"):
        account = clients("sts").get_caller_identity()["Account"]
    if env.account not in {None, account}:
        raise usage_error(
            setting="account",
            value=f"credentials of {account}",
            allowed=f"those of {env.account}, which the file names",
            remedy="Check AWS_PROFILE",
        )
    cloudformation, costs = clients("cloudformation"), Costs(env.region)
    names = [verification_name(env.name), *(stack_name(env, part) for part in reversed(Part))]
    stacks = tuple(stack for name in names if (stack := _stack(cloudformation, name, costs)))
    # Else they go with the namespace; those that do not are found as leftovers.
    kept_volumes = any(stack.keeps_volumes for stack in stacks)
    volumes = read_volumes(clients("ec2"), env, costs, kept=True) if kept_volumes else ()
    return Plan(
        environment=env.name, region=env.region, account=account, stacks=stacks, left=(*adopted(env, costs), *volumes)
    )


def adopted(env: Environment, costs: Costs) -> tuple[Item, ...]:
    """Return the bucket that the environment only uses, and its key."""
    existing = env.storage.existing
    if existing is None:
        return ()
    found = ((Kind.BUCKET, existing.bucket), (Kind.KEY, existing.key_arn.rpartition("/")[2]))
    return tuple(
        Item(kind=kind, id=name, stays=Stays.ADOPTED, why="storage.existing", monthly=cost[0], cost=cost[1])
        for kind, name in found
        for cost in [costs.of(kind)]
    )


def read_volumes(ec2: aws.AwsClient, env: Environment, costs: Costs, *, kept: bool) -> tuple[Item, ...]:
    """Return the volumes of claims in the environment's namespace; one that names another cluster is none."""
    wanted = [{"Name": "tag:kubernetes.io/created-for/pvc/namespace", "Values": [env.milvus.namespace]}]
    with aws.reading("the volumes of claims"):
        pages = ec2.get_paginator("describe_volumes").paginate(Filters=wanted)
        found = [volume for page in pages for volume in page["Volumes"]]
    return tuple(_volumes(found, env, costs, kept=kept))


def _volumes(found: list[dict[str, Any]], env: Environment, costs: Costs, *, kept: bool) -> Iterator[Item]:
    own = f"kubernetes.io/cluster/{env.name}"
    for volume in found:
        tags = {tag["Key"]: tag["Value"] for tag in volume.get("Tags", [])}
        named = [key for key in tags if key.startswith("kubernetes.io/cluster/")]
        if named and own not in named:
            continue
        claim = tags.get("kubernetes.io/created-for/pvc/name", "?")
        monthly, cost = costs.volume(volume["Size"], iops=volume.get("Iops") or 0, mibps=volume.get("Throughput") or 0)
        yield Item(
            kind=Kind.VOLUME,
            id=volume["VolumeId"],
            stays=Stays.KEPT,
            of=f"claim {claim}",
            why=(RETAINED if kept else "data of a claim")
            + ("" if named else "; its tags name no cluster: another one's in the region, perhaps"),
            monthly=monthly,
            cost=cost,
        )


def _stack(cloudformation: aws.AwsClient, name: str, costs: Costs) -> Stands | None:
    with aws.reading(f"the stack {name}"):
        try:
            (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if aws.is_missing_stack(error):
                return None
            raise
        body = cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        resources = [each for page in pages for each in page["StackResourceSummaries"]]
    template = json.loads(body) if isinstance(body, str) else body
    goes: dict[str, tuple[str, ...]] = {}
    stays: list[Item] = []
    keeps_volumes = False
    for each in resources:
        if each["ResourceStatus"] == "DELETE_COMPLETE":
            continue
        physical, kind = each.get("PhysicalResourceId") or "", each["ResourceType"]
        policy = template.get("Resources", {}).get(each["LogicalResourceId"], {}).get("DeletionPolicy")
        keeps_volumes |= kind == _NAMESPACE and policy in _RETAINING
        if policy in _RETAINING and not kind.startswith(_OF_CLUSTER):
            stays.append(kept(kind, physical, name, costs))
        else:
            goes[kind] = (*goes.get(kind, ()), physical)
    return Stands(
        name=name,
        id=found["StackId"],
        state=found["StackStatus"],
        protected=bool(found.get("EnableTerminationProtection")),
        keeps_volumes=keeps_volumes,
        goes=dict(sorted(goes.items())),
        stays=tuple(sorted(stays, key=lambda item: (item.kind, item.id))),
    )


def kept(resource_type: str, physical_id: str, stack: str, costs: Costs) -> Item:
    """Return a resource that outlives its stack because its template says so."""
    kind = KINDS.get(resource_type, Kind.OTHER)
    monthly, cost = costs.of(kind)
    why = RETAINED if kind is not Kind.OTHER else f"{RETAINED}: {resource_type}"
    return Item(kind=kind, id=physical_id, stays=Stays.KEPT, of=stack, why=why, monthly=monthly, cost=cost)
