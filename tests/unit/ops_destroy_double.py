"""An account with the stacks of an environment and with what others made beside them: it changes as AWS's would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.unit.recorded import client_error

NAME = "milvus-test"
DAY = datetime(2026, 12, 5, tzinfo=UTC)
BUCKET, KEY, SECRET = "milvus-test-storage-data-1", "11111111-1111-1111-1111-111111111111", "AmazonMSK_milvus-test-x"
LOGS, CLUSTER_LOGS = "milvus-test-eks-Logs", f"/aws/eks/{NAME}/cluster"
BALANCER = "arn:aws:elasticloadbalancing:us-east-2:111122223333:loadbalancer/net/k8s-milvus/1"
GROUP = "arn:aws:elasticloadbalancing:us-east-2:111122223333:targetgroup/k8s-milvus/2"
ORDER = [f"{NAME}-{part}" for part in ("verification", "milvus", "eks", "streaming", "storage", "network")]

# Logical id, type, physical id and whether it is retained, by stack.
RESOURCES = {
    "verification": [("Project", "AWS::CodeBuild::Project", "milvus-test-verification", False)],
    "milvus": [
        ("Namespace", "Custom::AWSCDK-EKS-KubernetesResource", "namespace", True),
        ("Release", "Custom::AWSCDK-EKS-HelmChart", "release", False),
    ],
    "eks": [("Cluster", "AWS::EKS::Cluster", NAME, False), ("Logs", "AWS::Logs::LogGroup", LOGS, True)],
    "streaming": [
        ("Kafka", "AWS::MSK::Cluster", "arn:msk", False),
        ("User", "AWS::SecretsManager::Secret", SECRET, True),
    ],
    "storage": [("Data", "AWS::S3::Bucket", BUCKET, True), ("Key", "AWS::KMS::Key", KEY, True)],
    "network": [("Vpc", "AWS::EC2::VPC", "vpc-1", False)],
}


class Pages:
    """A paginator whose answer is one page."""

    def __init__(self, operation: Any) -> None:
        self._operation = operation

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        yield self._operation(**asked)


class Account:
    """All services in one; ``clients`` of the commands."""

    def __init__(self, *, retain: bool = True, protected: bool = False, only: list[str] | None = None) -> None:
        names = [name.removeprefix(f"{NAME}-") for name in ORDER] if only is None else only
        self.states = {f"{NAME}-{part}": "CREATE_COMPLETE" for part in names}
        self.retain, self.protected = retain, protected
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.refusals: dict[str, list[tuple[str, str, str]]] = {}
        self.deleted: list[str] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.denied: set[str] = set()
        self.volumes: list[dict[str, Any]] = []
        self.balancers: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.interfaces: list[dict[str, Any]] = []
        self.functions_interfaces: list[dict[str, Any]] = []
        self.security_groups: dict[str, str] = {}
        self.held = 0
        self.log_groups = {LOGS: 3 * 1024**3}
        self.secrets: list[dict[str, Any]] = []
        self.key_states: dict[str, str] = {}
        self.missing_buckets: set[str] = set()
        self.objects = [{"Key": f"milvus/{number}", "VersionId": "v"} for number in range(3)]

    def __call__(self, _service: str) -> Account:
        return self

    def __getattribute__(self, name: str) -> Any:
        if name in object.__getattribute__(self, "__dict__").get("denied", ()):
            raise client_error("AccessDenied", f"not authorized to perform: {name}")
        return object.__getattribute__(self, name)

    def get_paginator(self, operation: str) -> Pages:
        return Pages(getattr(self, operation))

    # STS and CloudFormation

    def get_caller_identity(self) -> dict[str, Any]:
        return {"Account": "111122223333"}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        name = StackName.removeprefix("arn:stack/")
        if name not in self.states or (self.states[name] == "DELETE_COMPLETE" and name == StackName):
            raise client_error("ValidationError", f"Stack with id {StackName} does not exist")
        protected = self.protected and not name.endswith(("-milvus", "-verification"))
        state = {"StackName": name, "StackId": f"arn:stack/{name}", "StackStatus": self.states[name]}
        if self.states[name] == "DELETE_IN_PROGRESS":
            self._finish(name)
        return {"Stacks": [{**state, "EnableTerminationProtection": protected}]}

    def get_template(self, StackName: str, TemplateStage: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        assert TemplateStage == "Original"
        found = RESOURCES[StackName.removeprefix(f"{NAME}-")]
        policies = {True: "Retain", False: "Delete"}
        resources = {
            logical: {"Type": kind, "DeletionPolicy": policies[kept and self.retain]}
            for logical, kind, _, kept in found
        }
        return {"TemplateBody": {"Resources": resources}}

    def list_stack_resources(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        found = RESOURCES[StackName.removeprefix(f"{NAME}-")]
        gone = {"LogicalResourceId": "Old", "ResourceType": "AWS::X", "ResourceStatus": "DELETE_COMPLETE"}
        summaries = [
            {
                "LogicalResourceId": logical,
                "ResourceType": kind,
                "PhysicalResourceId": physical,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for logical, kind, physical, _ in found
        ]
        return {"StackResourceSummaries": [gone, *summaries]}

    def delete_stack(self, StackName: str) -> None:  # noqa: N803 - as boto3
        name = StackName.removeprefix("arn:stack/")
        self.deleted.append(name)
        self.states[name] = "DELETE_IN_PROGRESS"
        begin = event("DELETE_IN_PROGRESS", "AWS::CloudFormation::Stack", name, f"arn:stack/{name}")
        self.events.setdefault(name, []).insert(0, begin)

    def _finish(self, name: str) -> None:
        refused = self.refusals.pop(name, None)
        if refused:
            self.events[name] = [event("DELETE_FAILED", *each) for each in refused] + self.events[name]
            self.states[name] = "DELETE_FAILED"
            return
        for logical, kind, physical, kept in RESOURCES[name.removeprefix(f"{NAME}-")]:
            status = "DELETE_SKIPPED" if kept and self.retain else "DELETE_COMPLETE"
            self.events[name].insert(0, event(status, kind, logical, physical))
            if kind == "AWS::KMS::Key" and not (kept and self.retain):
                self.key_states[physical] = "PendingDeletion"
        self.states[name] = "DELETE_COMPLETE"

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        return {"StackEvents": self.events[StackName.removeprefix("arn:stack/")]}

    def list_stacks(self, StackStatusFilter: list[str]) -> dict[str, Any]:  # noqa: N803 - as boto3
        gone = [name for name, state in self.states.items() if state in StackStatusFilter]
        names = [*gone, "milvus-test-b-network"]
        return {"StackSummaries": [{"StackName": name, "StackId": f"arn:stack/{name}"} for name in names]}

    # What is left

    def describe_volumes(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as boto3
        assert Filters == [{"Name": "tag:kubernetes.io/created-for/pvc/namespace", "Values": ["milvus"]}]
        return {"Volumes": self.volumes}

    def describe_load_balancers(self) -> dict[str, Any]:
        return {"LoadBalancers": [{"LoadBalancerArn": arn, "Type": "network"} for arn in self.balancers]}

    def describe_target_groups(self) -> dict[str, Any]:
        return {"TargetGroups": [{"TargetGroupArn": arn} for arn in self.groups]}

    def describe_tags(self, ResourceArns: list[str]) -> dict[str, Any]:  # noqa: N803 - as boto3
        every = self.balancers | self.groups
        stack = {"Key": "service.k8s.aws/stack", "Value": "milvus/milvus"}
        return {
            "TagDescriptions": [
                {"ResourceArn": arn, "Tags": [{"Key": "elbv2.k8s.aws/cluster", "Value": every[arn]}, stack]}
                for arn in ResourceArns
            ]
        }

    def describe_network_interfaces(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as boto3
        of_pods = Filters[0] == {"Name": "tag:cluster.k8s.amazonaws.com/name", "Values": [NAME]}
        return {"NetworkInterfaces": self.interfaces if of_pods else self.functions_interfaces}

    def describe_security_groups(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as boto3
        tag = Filters[0]["Name"].removeprefix("tag:")
        found = [each for each, of in self.security_groups.items() if of == tag]
        return {"SecurityGroups": [{"GroupId": each, "GroupName": f"of {each}"} for each in found]}

    def describe_log_groups(self, logGroupNamePrefix: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        found = {name: size for name, size in self.log_groups.items() if name.startswith(logGroupNamePrefix)}
        return {"logGroups": [{"logGroupName": name, "storedBytes": size} for name, size in found.items()]}

    def list_secrets(self, **_asked: Any) -> dict[str, Any]:
        return {"SecretList": self.secrets}

    def describe_secret(self, SecretId: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        return {"ARN": SecretId}

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        return {"KeyMetadata": {"KeyState": self.key_states.get(KeyId, "Enabled"), "DeletionDate": DAY}}

    def head_bucket(self, Bucket: str) -> None:  # noqa: N803 - as boto3
        if Bucket in self.missing_buckets:
            raise client_error("404", "Not Found")

    # What removes

    def delete_load_balancer(self, LoadBalancerArn: str) -> None:  # noqa: N803 - as boto3
        self.calls.append(("delete_load_balancer", {}))
        del self.balancers[LoadBalancerArn]

    def delete_target_group(self, TargetGroupArn: str) -> None:  # noqa: N803 - as boto3
        self.calls.append(("delete_target_group", {}))
        del self.groups[TargetGroupArn]

    def delete_network_interface(self, NetworkInterfaceId: str) -> None:  # noqa: N803 - as boto3
        self.calls.append(("delete_network_interface", {}))
        self.interfaces = [each for each in self.interfaces if each["NetworkInterfaceId"] != NetworkInterfaceId]

    def delete_security_group(self, GroupId: str) -> None:  # noqa: N803 - as boto3
        self.calls.append(("delete_security_group", {}))
        if self.held:
            self.held -= 1
            raise client_error("DependencyViolation", f"resource {GroupId} has a dependent object")
        del self.security_groups[GroupId]

    def delete_log_group(self, logGroupName: str) -> None:  # noqa: N803 - as boto3
        self.calls.append(("delete_log_group", {}))
        del self.log_groups[logGroupName]

    def delete_volume(self, VolumeId: str) -> None:  # noqa: N803 - as boto3
        self.calls.append(("delete_volume", {}))
        self.volumes = [each for each in self.volumes if each["VolumeId"] != VolumeId]

    def delete_secret(self, SecretId: str, ForceDeleteWithoutRecovery: bool) -> None:  # noqa: N803 - as boto3
        assert ForceDeleteWithoutRecovery
        self.calls.append(("delete_secret", {}))
        self.secrets = [each for each in self.secrets if each["ARN"] != SecretId]

    def schedule_key_deletion(self, KeyId: str, PendingWindowInDays: int) -> None:  # noqa: N803 - as boto3
        self.calls.append(("schedule_key_deletion", {"days": PendingWindowInDays}))
        self.key_states[KeyId] = "PendingDeletion"

    def list_object_versions(self, Bucket: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        assert Bucket == BUCKET
        return {"Versions": self.objects[:2], "DeleteMarkers": self.objects[2:]}

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - as boto3
        assert (Bucket, Delete["Quiet"]) == (BUCKET, True)
        self.objects = [each for each in self.objects if each not in Delete["Objects"]]
        return {}

    def delete_bucket(self, Bucket: str) -> None:  # noqa: N803 - as boto3
        assert not self.objects
        self.calls.append(("delete_bucket", {}))
        self.missing_buckets.add(Bucket)


def event(status: str, kind: str, logical: str, physical: str) -> dict[str, Any]:
    """Return an event; of a failed one, the physical id is the reason."""
    return {
        "ResourceStatus": status,
        "ResourceType": kind,
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceStatusReason": physical,
    }


def volume(number: int, cluster: str | None = NAME) -> dict[str, Any]:
    """Return a volume of 20 GiB that etcd claimed, with the tag of a cluster, if any."""
    tags = {"kubernetes.io/created-for/pvc/name": f"data-milvus-etcd-{number}"}
    if cluster:
        tags[f"kubernetes.io/cluster/{cluster}"] = "owned"
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"VolumeId": f"vol-{number}", "Size": 20, "Iops": 4000, "Throughput": 150, "Tags": listed}
