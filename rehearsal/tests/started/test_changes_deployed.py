"""A change of every class over an environment that runs in a really started account; what is refused changes nothing.

Deployed once, by the CDK command line; the changes follow one after the other. They are templates of this process, and
CloudFormation gets them stack by stack, as from the command line: `make test-changes`.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.account import AccountOptions, EmbeddedAccount, evictions
from rehearsal.cdk import Cdk, CdkError
from rehearsal.run import PROJECT
from rehearsal.targets import raised_quotas
from settings import Environment, parse_environment
from settings.changes import Effect
from settings.parts import Part, parts, stack_name
from tools.change_proof.stacks import Stacks

pytestmark = pytest.mark.whole

_REGION = "us-east-2"
_ACCOUNT = "111122223333"
_FILE: dict[str, Any] = {
    "name": "milvus-dev",
    "region": _REGION,
    "cluster": {
        "version": "1.34",
        "node_groups": {
            "milvus": {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 6},
            "more": {"instance_types": ["m7g.large"], "desired_size": 1, "max_size": 1},
        },
    },
    "queue": {"kind": "msk", "kafka_version": "3.8.x.kraft"},
    "milvus": {"node_group": "milvus"},
    "removal_policy": "destroy",
}
_GROUP = {"instance_types": ["m7i.2xlarge"], "desired_size": 3, "max_size": 3}
_ACCEPTED = [
    {"path": "queue.monitoring", "old": "PER_BROKER", "new": "DEFAULT", "reason": "to see what MSK says of it"}
]
GONE = object()


@dataclass(frozen=True)
class Kept:
    """Everything that an update may change of a stack."""

    template: Any
    parameters: Any
    tags: Any
    outputs: Any
    resources: Mapping[str, str]


@dataclass
class World:
    """The account, and the file of the environment that is deployed in it."""

    account: EmbeddedAccount
    folder: Path
    file: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(_FILE))

    @property
    def env(self) -> Environment:
        return parse_environment(self.file, source="environments/dev.yaml")

    def edited(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        file = copy.deepcopy(self.file)
        for path, value in changes.items():
            *parents, leaf = path.split(".")
            place = file
            for parent in parents:
                place = place.setdefault(parent, {})
            if value is GONE:
                del place[leaf]
            else:
                place[leaf] = value
        (self.folder / "dev.yaml").write_text(yaml.safe_dump(file), encoding="utf-8")
        return file

    def plan(self, *options: str) -> tuple[int, str]:
        """Type `ops plan` for the file as it is edited now; return its exit code and what it prints."""
        command = [sys.executable, "-m", "ops", "plan", "--env", "dev", *options]
        done = subprocess.run(
            command, cwd=PROJECT, env=self.environment(), stdout=subprocess.PIPE, text=True, check=False
        )
        return done.returncode, done.stdout

    def environment(self) -> dict[str, str]:
        return self.account.environment() | {"MILVUS_ENVIRONMENTS": str(self.folder), "COLUMNS": "120"}

    def cdk(self, *arguments: str) -> list[str]:
        cdk = Cdk(
            env="dev",
            environment=self.environment(),
            log=self.folder / "cdk.log",
            on_event=lambda _: None,
            assembly=self.folder / "cdk.out",
        )
        if arguments[0] == "bootstrap":
            return cdk.bootstrap(_ACCOUNT, _REGION)
        return cdk.run(["cdk", *arguments])

    def deploy(self, file: dict[str, Any]) -> str:
        """Update each stack that differs, in their order, until one fails; return the name of that one."""
        cloudformation, env = self.account.client("cloudformation"), parse_environment(file, source="dev.yaml")
        wanted = Stacks.of(env)
        for name in (stack_name(env, part) for part in parts(env)):
            template, tags = wanted.templates[name], wanted.about[name]["tags"]
            kept = self.kept(name)
            pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
            if without_metadata(kept.template) == without_metadata(template) and kept.tags == pairs:
                continue
            cloudformation.update_stack(
                StackName=name,
                TemplateURL=self._upload(name, template),
                Tags=pairs,
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
            if self.settled(name) != "UPDATE_COMPLETE":
                return name
        self.file = file
        return ""

    def _upload(self, name: str, template: Any) -> str:
        bucket, key = f"cdk-hnb659fds-assets-{_ACCOUNT}-{_REGION}", f"{name}.json"
        self.account.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
        return f"https://s3.{_REGION}.amazonaws.com/{bucket}/{key}"

    def settled(self, name: str) -> str:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            status: str = self.stack(name)["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.1)
        raise AssertionError(f"{name} does not settle")

    def stack(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.account.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        return found

    def kept(self, name: str) -> Kept:
        cloudformation, stack = self.account.client("cloudformation"), self.stack(name)
        body = cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        resources = {each["LogicalResourceId"]: each for page in pages for each in page["StackResourceSummaries"]}
        return Kept(
            template=json.loads(body) if isinstance(body, str) else body,
            parameters=stack.get("Parameters", []),
            tags=sorted(stack.get("Tags", []), key=lambda each: each["Key"]),
            outputs=stack.get("Outputs", []),
            resources={key: each["PhysicalResourceId"] for key, each in resources.items()},
        )

    def everything(self) -> dict[str, Kept]:
        return {name: self.kept(name) for name in (stack_name(self.env, part) for part in parts(self.env))}

    def reason(self, stack: str) -> str:
        """Return why resources of a stack failed in its last update, the first of them first."""
        reasons: list[str] = []
        for event in self.account.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]:
            own = event["ResourceType"] == "AWS::CloudFormation::Stack"
            if own and event["ResourceStatus"] == "UPDATE_IN_PROGRESS":
                break
            if not own and event["ResourceStatus"].endswith("_FAILED"):
                reasons.insert(0, event["ResourceStatusReason"])
        return "\n".join(reasons)

    def versions(self) -> tuple[str, set[str]]:
        """Return the version of the cluster, and those of its node groups."""
        eks, name = self.account.client("eks"), self.env.name
        groups = eks.list_nodegroups(clusterName=name)["nodegroups"]
        found = {
            eks.describe_nodegroup(clusterName=name, nodegroupName=each)["nodegroup"]["version"] for each in groups
        }
        return eks.describe_cluster(name=name)["cluster"]["version"], found


def without_metadata(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template without the paths of constructs, which the command line alone writes into it."""
    resources = {
        key: {name: value for name, value in each.items() if name != "Metadata"}
        for key, each in template["Resources"].items()
        if each["Type"] != "AWS::CDK::Metadata"
    }
    return {key: value for key, value in template.items() if key != "Conditions"} | {"Resources": resources}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("environments")
    quotas = raised_quotas(parse_environment(_FILE, source="dev.yaml")) | {"L-1216C47A": 200}
    options = AccountOptions(
        run_dir=tmp_path_factory.mktemp("account"), account_id=_ACCOUNT, region=_REGION, quotas=quotas
    )
    with EmbeddedAccount(options) as account:
        made = World(account, folder)
        made.edited({})
        made.cdk("bootstrap")
        made.cdk("deploy", "--all", "-c", "env=dev", "--concurrency", "4", "--require-approval", "never")
        yield made


# One of each class, and of what AWS takes; each over what those before it left.
ACCEPTED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "tags": ("in-place", {"tags": {"cost-center": "4711"}}),
    "milvus.version": ("restarts-pods", {"milvus.version": "2.6.24"}),
    "milvus.service.name": ("replaces", {"milvus.service": {"name": "vectors"}}),
    "cluster.node_groups.milvus.disk_gib": ("rolls-nodes", {"cluster.node_groups.milvus.disk_gib": 100}),
    "queue.retention_hours": ("broker-by-broker", {"queue.retention_hours": 200}),
    "queue.kafka_version": ("broker-by-broker, only grows", {"queue.kafka_version": "3.9.x.kraft"}),
    "queue.brokers": ("in-place, only grows", {"queue.brokers": 6}),
    "cluster.node_groups.more.instance_types": (
        "replaces-node-group",
        {"cluster.node_groups.more.instance_types": ["m7g.xlarge"]},
    ),
}
REFUSED: Mapping[str, tuple[Part, str, Mapping[str, Any]]] = {
    "network.cidr": (
        Part.NETWORK,
        "cannot become 10.1.0.0/16: it cannot change once",
        {"network": {"cidr": "10.1.0.0/16"}},
    ),
    "milvus.namespace": (
        Part.NETWORK,
        "milvus cannot become vectors: it cannot change",
        {"milvus.namespace": "vectors"},
    ),
    "queue.username": (Part.NETWORK, "milvus cannot become other: it cannot change", {"queue.username": "other"}),
    "queue.brokers": (Part.STREAMING, "6 cannot become 3: it only grows", {"queue.brokers": 3}),
    "queue.kafka_version": (Part.STREAMING, "it only grows", {"queue.kafka_version": "3.8.x.kraft"}),
    "queue.monitoring": (
        Part.STREAMING,
        "AWS refuses it together with queue.broker_type",
        {"queue.broker_type": "kafka.m7g.xlarge", "queue.monitoring": "DEFAULT"},
    ),
    "cluster.version": (Part.EKS, "it moves one step at a time; use 1.35 first", {"cluster.version": "1.36"}),
    **{
        f"cluster.node_groups.milvus.{name}": (
            Part.EKS,
            "AWS refuses it together with cluster.version (aws-cdk#13602)",
            {"cluster.version": "1.35", f"cluster.node_groups.milvus.{name}": value},
        )
        for name, value in {
            "desired_size": 4,
            "labels": {"purpose": "vectors"},
            "taints": [{"key": "purpose", "effect": "PREFER_NO_SCHEDULE"}],
        }.items()
    },
}


def test_file_that_is_deployed_changes_nothing(world: World) -> None:
    before = world.everything()
    code, shown = world.plan()
    assert (code, shown) == (0, "milvus-dev: no setting changes\n")
    assert world.deploy(world.edited({})) == ""
    assert world.everything() == before


def test_there_is_a_change_of_every_class() -> None:
    found = {effect.partition(",")[0] for effect, _ in ACCEPTED.values()}
    assert found | {Effect.NONE, Effect.NEVER} == set(Effect)


def test_setting_that_decides_about_the_file_alone_changes_nothing_that_runs(world: World) -> None:
    before, file = world.everything(), world.edited({"changes": {"accept": _ACCEPTED}})
    assert world.plan() == (0, "milvus-dev: no setting changes\n")
    assert world.deploy(file) == ""
    after = world.everything()
    assert [each.resources for each in after.values()] == [each.resources for each in before.values()]
    assert world.deploy(world.edited({"changes": GONE})) == ""


@pytest.mark.parametrize("setting", ACCEPTED)
def test_change_of_each_class_is_planned_and_deployed(world: World, setting: str) -> None:
    # GIVEN a file with one change
    effect, changes = ACCEPTED[setting]
    file = world.edited(changes)
    # WHEN it is looked at
    code, shown = world.plan("--json")
    # THEN the plan says what it does, and refuses nothing
    assert code == 0
    assert [(each["setting"], each["effect"]) for each in json.loads(shown)["changes"]] == [(setting, effect)]
    # AND it is deployed
    failed = world.deploy(file)
    assert not failed, world.reason(failed)


@pytest.mark.parametrize("setting", REFUSED)
def test_change_that_cannot_be_is_refused_by_plan_and_deployment_and_leaves_all_as_it_was(
    world: World, setting: str
) -> None:
    part, why, changes = REFUSED[setting]
    before, file = world.everything(), world.edited(changes)
    # WHEN it is looked at, THEN the plan refuses it
    code, shown = world.plan("--json")
    assert code == 3
    assert setting in {each["setting"] for each in json.loads(shown)["changes"] if each["refused"]}
    # WHEN it is deployed all the same, THEN the first stack that it concerns refuses it
    failed = world.deploy(file)
    assert failed == stack_name(world.env, part)
    assert f"{setting}: " in world.reason(failed)
    assert why in world.reason(failed)
    # AND is what it was, like every other
    assert world.stack(failed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert world.everything() == before


def test_brokers_that_change_in_two_ways_are_refused_by_msk_where_the_file_accepts_it(world: World) -> None:
    changes = {**REFUSED["queue.monitoring"][2], "changes": {"accept": _ACCEPTED}}
    before, file = world.everything(), world.edited(changes)
    assert world.plan("--json")[0] == 0
    failed = world.deploy(file)
    assert "You can't update multiple attributes of the cluster in same request" in world.reason(failed)
    after = world.everything()
    assert after[failed].template == before[failed].template
    assert after[failed].resources == before[failed].resources


def test_plan_as_a_person_reads_it(world: World) -> None:
    # GIVEN a file with a refused change beside one that AWS takes
    world.edited({"queue.broker_type": "kafka.m7g.xlarge", "queue.monitoring": "DEFAULT", "milvus.version": "2.6.23"})
    code, shown = world.plan()
    assert code == 3
    assert shown.splitlines()[0].strip() == "Changes of milvus-dev"
    assert "milvus-dev: 1 of 3 changes refused" in shown
    assert "  queue.monitoring: AWS refuses it together with queue.broker_type (MSK: you can't update" in shown
    assert "  2. queue.monitoring: PER_BROKER to DEFAULT" in shown.splitlines()
    code, shown = world.plan("--markdown")
    assert code == 3
    assert shown.splitlines()[0] == "**milvus-dev**: 1 of 3 changes refused"
    assert "2. queue.monitoring: PER_BROKER to DEFAULT" in shown.splitlines()


def test_upgrade_of_kubernetes_that_was_rolled_back_half_way_goes_on(world: World) -> None:
    # GIVEN pods that a disruption budget does not let go, and an upgrade
    stuck = world.account.options.run_dir / evictions.FILE
    stuck.write_text("milvus\n", encoding="utf-8")
    file, eks = world.edited({"cluster.version": "1.35"}), stack_name(world.env, Part.EKS)
    assert world.deploy(file) == eks
    # THEN the nodes fail, and EKS does not take the control plane back under those that are new
    assert world.stack(eks)["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert "Code=PodEvictionFailure" in world.reason(eks)
    assert "Unsupported Kubernetes minor version update from 1.35 to 1.34" in world.reason(eks)
    assert world.versions()[0] == "1.35"
    # WHEN the stack is continued as docs/upgrade.md says
    cloudformation = world.account.client("cloudformation")
    failed = re.findall(r"\w+", world.stack(eks)["StackStatusReason"].partition("[")[2])
    cloudformation.continue_update_rollback(StackName=eks, ResourcesToSkip=failed)
    assert world.settled(eks) == "UPDATE_ROLLBACK_COMPLETE"
    # AND the budget lets the pods go, and the same file is deployed again
    stuck.unlink()
    assert world.deploy(file) == "", world.reason(eks)
    # THEN all have the new version
    assert world.versions() == ("1.35", {"1.35"})


def test_upgrade_of_kubernetes_without_a_rollback_goes_on_by_the_same_command(world: World) -> None:
    # GIVEN pods that a disruption budget does not let go, and an upgrade as docs/upgrade.md prints it
    stuck = world.account.options.run_dir / evictions.FILE
    stuck.write_text("milvus\n", encoding="utf-8")
    command = ["deploy", "--all", "-c", "env=dev", "--concurrency", "4", "--require-approval", "never", "--no-rollback"]
    eks = stack_name(world.env, Part.EKS)
    file = world.edited({"cluster.version": "1.36"})
    with pytest.raises(CdkError):
        world.cdk(*command)
    # THEN the stack stays where it failed: a new control plane, and old nodes
    assert world.stack(eks)["StackStatus"] == "UPDATE_FAILED"
    assert world.versions()[0] == "1.36"
    # WHEN the budget lets the pods go, THEN the same command does the rest
    stuck.unlink()
    world.cdk(*command)
    assert world.stack(eks)["StackStatus"] == "UPDATE_COMPLETE"
    assert world.versions() == ("1.36", {"1.36"})
    world.file = file


def test_version_of_kubernetes_does_not_go_back(world: World) -> None:
    before, file = world.everything(), world.edited({"cluster.version": "1.35"})
    assert world.plan("--json")[0] == 3
    failed = world.deploy(file)
    assert "cluster.version: 1.36 cannot become 1.35: it only grows" in world.reason(failed)
    assert world.everything() == before


def test_other_nodes_come_without_an_interruption_in_the_three_deployments_that_the_plan_lists(world: World) -> None:
    # GIVEN a file that would replace the group on which the pods are
    world.edited({"cluster.node_groups.milvus": _GROUP})
    code, shown = world.plan("--json")
    [way] = json.loads(shown)["ways"]
    assert (code, len(way["steps"])) == (0, 3)
    groups = world.account.client("eks").list_nodegroups
    # WHEN the deployments that are listed are made one after the other
    for changes, number in (
        ({"cluster.node_groups.milvus-2": _GROUP}, 3),
        ({"milvus.node_group": "milvus-2"}, 3),
        ({"cluster.node_groups.milvus": GONE}, 2),
    ):
        file = world.edited(changes)
        code, shown = world.plan("--json")
        # THEN none needs another way, and each is deployed
        assert (code, json.loads(shown)["ways"]) == (0, [])
        assert world.deploy(file) == ""
        assert len(groups(clusterName=world.env.name)["nodegroups"]) == number
