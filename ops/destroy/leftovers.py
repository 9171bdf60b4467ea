"""Finds what is left of an environment: what deleted stacks kept, and what others made and nobody removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any

from botocore.exceptions import ClientError

from ops import aws
from ops.destroy.costs import NOTHING, Costs
from ops.destroy.items import Item, Kind, Plan, Stays
from ops.destroy.standing import RETAINED, ClientFactory, kept, read_volumes
from ops.errors import OpsError
from settings import Environment
from settings.parts import Part, stack_name, verification_name

OF_CLUSTER = "elbv2.k8s.aws/cluster"
"""Tag of what the load balancer controller makes; its value is the name of the cluster."""
_INTERFACE_TAG = "cluster.k8s.amazonaws.com/name"
_GROUP_TAGS = (OF_CLUSTER, "aws:eks:cluster-name")
_MISSING = frozenset({"404", "NotFoundException", "ResourceNotFoundException", "NoSuchBucket"})
_TAGS_AT_ONCE = 20


class Finder:
    """Looks for each kind by itself: what may not be read is said, and leaves the others.

    CloudFormation forgets a deleted stack after 90 days; what one kept before that is not found any more.
    """

    def __init__(self, env: Environment, clients: ClientFactory) -> None:
        self._env = env
        self._make: ClientFactory = cache(clients)
        self._costs = Costs(env.region)
        self.notes: list[str] = []
        """What could not be read, and why."""

    def find(self, plan: Plan) -> tuple[Item, ...]:
        """Return what is left beside what stands; what is in use is not left."""
        in_use = {each for stack in plan.stacks for ids in stack.goes.values() for each in ids}
        in_use |= {item.id for item in plan.stays}
        looks: list[tuple[str, Callable[[], Iterable[Item]]]] = [
            ("what deleted stacks kept", self._of_stacks),
            ("secrets that wait for deletion", self._waiting_secrets),
        ]
        # What a cluster has, it needs; only without one is it left.
        if stack_name(self._env, Part.EKS) not in {stack.name for stack in plan.stacks}:
            looks += self._of_cluster
        found: dict[str, Item] = {}
        for what, look in looks:
            for item in self._read(what, look):
                if item.id not in in_use:
                    found.setdefault(item.id, item)
        return tuple(found.values())

    @property
    def _of_cluster(self) -> list[tuple[str, Callable[[], Iterable[Item]]]]:
        return [
            ("volumes", lambda: read_volumes(self._make("ec2"), self._env, self._costs, kept=False)),
            ("load balancers", self.load_balancers),
            ("target groups", self._target_groups),
            ("network interfaces", self._interfaces),
            ("security groups", self._security_groups),
            ("log groups", self._control_plane_logs),
        ]

    def load_balancers(self) -> Iterator[Item]:
        """Yield the load balancers that the cluster's controller made."""
        pages = self._make("elbv2").get_paginator("describe_load_balancers").paginate()
        every = {each["LoadBalancerArn"]: each for page in pages for each in page["LoadBalancers"]}
        for arn, made_for in self._made_by_controller(every):
            monthly, cost = self._costs.load_balancer(every[arn]["Type"])
            yield self._stray(Kind.LOAD_BALANCER, arn, made_for, monthly=monthly, cost=cost)

    def _target_groups(self) -> Iterator[Item]:
        pages = self._make("elbv2").get_paginator("describe_target_groups").paginate()
        every = [each["TargetGroupArn"] for page in pages for each in page["TargetGroups"]]
        for arn, made_for in self._made_by_controller(every):
            yield self._stray(Kind.TARGET_GROUP, arn, made_for)

    def _made_by_controller(self, arns: Iterable[str]) -> Iterator[tuple[str, str]]:
        arns = list(arns)
        for start in range(0, len(arns), _TAGS_AT_ONCE):
            asked = arns[start : start + _TAGS_AT_ONCE]
            for described in self._make("elbv2").describe_tags(ResourceArns=asked)["TagDescriptions"]:
                tags = _tags(described)
                if tags.get(OF_CLUSTER) == self._env.name:
                    owner = tags.get("service.k8s.aws/stack") or tags.get("ingress.k8s.aws/stack") or ""
                    yield described["ResourceArn"], owner

    def _interfaces(self) -> Iterator[Item]:
        wanted = [{"Name": f"tag:{_INTERFACE_TAG}", "Values": [self._env.name]}]
        yield from self._interfaces_of(wanted, "of a node's pods")
        # Lambda removes them by itself, some 20 minutes after the last function that used them went.
        described = [{"Name": "description", "Values": [f"AWS Lambda VPC ENI-{name}-*" for name in self._stacks]}]
        yield from self._interfaces_of(described, "of a function: Lambda removes it within an hour", Stays.WAITS)

    def _interfaces_of(self, wanted: list[dict[str, Any]], why: str, stays: Stays = Stays.STRAY) -> Iterator[Item]:
        pages = self._make("ec2").get_paginator("describe_network_interfaces").paginate(Filters=wanted)
        for each in (each for page in pages for each in page["NetworkInterfaces"]):
            state = "" if each["Status"] == "available" else f", {each['Status']}"
            of, cost = each.get("VpcId", ""), NOTHING
            yield Item(
                kind=Kind.INTERFACE,
                id=each["NetworkInterfaceId"],
                stays=stays,
                of=of,
                why=f"{why}{state}",
                monthly=cost[0],
                cost=cost[1],
            )

    def _security_groups(self) -> Iterator[Item]:
        for tag in _GROUP_TAGS:
            wanted = [{"Name": f"tag:{tag}", "Values": [self._env.name]}]
            pages = self._make("ec2").get_paginator("describe_security_groups").paginate(Filters=wanted)
            for each in (each for page in pages for each in page["SecurityGroups"]):
                yield self._stray(Kind.SECURITY_GROUP, each["GroupId"], each["GroupName"])

    def _control_plane_logs(self) -> Iterator[Item]:
        name = f"/aws/eks/{self._env.name}/cluster"
        stored = self._log_group(name)
        if stored is None:
            return
        monthly, cost = self._costs.log_group(stored)
        of = f"EKS cluster {self._env.name}"
        if self._env.removal_policy == "retain":
            why, stays = RETAINED, Stays.KEPT
        else:
            why, stays = "EKS made it again when the cluster was gone", Stays.STRAY
        yield Item(kind=Kind.LOG_GROUP, id=name, stays=stays, of=of, why=why, monthly=monthly, cost=cost)

    def _waiting_secrets(self) -> Iterator[Item]:
        # With what a stack puts behind the user's name: milvus-dev is no prefix of milvus-dev-b here.
        name = re.compile(rf"AmazonMSK_{re.escape(self._env.name)}-[^-]+-[0-9a-f]{{8}}")
        asked = {"IncludePlannedDeletion": True, "Filters": [{"Key": "name", "Values": ["AmazonMSK_"]}]}
        pages = self._make("secretsmanager").get_paginator("list_secrets").paginate(**asked)
        for each in (each for page in pages for each in page["SecretList"]):
            if each.get("DeletedDate") and name.fullmatch(each["Name"]):
                why = f"deleted by hand on {each['DeletedDate']:%Y-%m-%d}"
                yield Item(
                    kind=Kind.SECRET,
                    id=each["ARN"],
                    stays=Stays.WAITS,
                    why=why,
                    monthly=0.0,
                    cost="nothing while it waits",
                )

    def _of_stacks(self) -> Iterator[Item]:
        cloudformation = self._make("cloudformation")
        pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
        gone = [each for page in pages for each in page["StackSummaries"] if each["StackName"] in self._stacks]
        for stack in gone:
            events = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
            # Keys that went wait for their deletion.
            ids = {
                event.get("PhysicalResourceId") or "": event["ResourceType"]
                for page in events
                for event in page["StackEvents"]
                if event["ResourceStatus"] == "DELETE_SKIPPED"
                or (event["ResourceStatus"], event["ResourceType"]) == ("DELETE_COMPLETE", "AWS::KMS::Key")
            }
            for physical, kind in ids.items():
                if physical and not kind.startswith("Custom::"):
                    yield from self._still(kept(kind, physical, stack["StackName"], self._costs))

    def _still(self, item: Item) -> Iterator[Item]:
        """Yield something that a deleted stack named, as it is now; nothing if it is gone."""
        looks: dict[Kind, Callable[[], Item | None]] = {
            Kind.BUCKET: partial(self._bucket, item),
            Kind.KEY: partial(self._key, item),
            Kind.SECRET: partial(self._secret, item),
            Kind.LOG_GROUP: partial(self._stack_logs, item),
        }
        look = looks.get(item.kind, lambda: item)
        try:
            with aws.reading(f"the {item.kind} {item.id}"):
                try:
                    found = look()
                except ClientError as error:
                    if aws.error_code(error) in _MISSING:
                        return
                    raise
        except OpsError as error:
            self.notes.append(str(error))
            found = item.model_copy(update={"why": f"{item.why}; whether it is still there could not be read"})
        if found:
            yield found

    def _bucket(self, item: Item) -> Item:
        self._make("s3").head_bucket(Bucket=item.id)
        return item

    def _key(self, item: Item) -> Item:
        described = self._make("kms").describe_key(KeyId=item.id)["KeyMetadata"]
        if described["KeyState"] != "PendingDeletion":
            return item
        why = f"KMS deletes it on {described['DeletionDate']:%Y-%m-%d}; `aws kms cancel-key-deletion` keeps it"
        update = {"stays": Stays.WAITS, "why": why, "monthly": 0.0, "cost": "nothing while it waits"}
        return item.model_copy(update=update)

    def _secret(self, item: Item) -> Item:
        described = self._make("secretsmanager").describe_secret(SecretId=item.id)
        if deleted := described.get("DeletedDate"):
            update = {"stays": Stays.WAITS, "why": f"deleted by hand on {deleted:%Y-%m-%d}", "monthly": 0.0}
            return item.model_copy(update=update | {"cost": "nothing while it waits"})
        return item

    def _stack_logs(self, item: Item) -> Item | None:
        stored = self._log_group(item.id)
        if stored is None:
            return None
        monthly, cost = self._costs.log_group(stored)
        return item.model_copy(update={"monthly": monthly, "cost": cost})

    def _log_group(self, name: str) -> int | None:
        pages = self._make("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        sizes = {each["logGroupName"]: each.get("storedBytes", 0) for page in pages for each in page["logGroups"]}
        return sizes.get(name)

    def _stray(
        self, kind: Kind, identifier: str, of: str, *, monthly: float | None = NOTHING[0], cost: str = NOTHING[1]
    ) -> Item:
        why = "made by the load balancer controller" if kind is not Kind.SECURITY_GROUP else "of the cluster"
        return Item(kind=kind, id=identifier, stays=Stays.STRAY, of=of, why=why, monthly=monthly, cost=cost)

    @property
    def _stacks(self) -> tuple[str, ...]:
        return (verification_name(self._env.name), *(stack_name(self._env, part) for part in Part))

    def _read(self, what: str, look: Callable[[], Iterable[Item]]) -> list[Item]:
        try:
            with aws.reading(what):
                return list(look())
        except OpsError as error:
            self.notes.append(f"not looked for {what}: {error}")
            return []


def _tags(resource: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
