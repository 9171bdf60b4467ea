"""A change of every setting: an environment on which it does something, and a second valid value."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from settings import Environment, loader, parse_environment
from settings.changes import Setting, settings_of
from settings.milvus import Components

Data = dict[str, Any]
Values = Mapping[str, Any]
"""Settings by their dotted paths."""

_REMOVE = object()


@dataclass(frozen=True)
class Case:
    """One change of a settings file."""

    setting: str
    """Path of the setting, as `settings_of` writes it."""
    base: str
    """A frozen environment."""
    before: Values
    """What both files say beside it."""
    after: Values
    """What the changed file says."""

    def environments(self) -> tuple[Environment, Environment]:
        """Return the environment before and after the change, both judged by every rule."""
        old = self.data(self.before)
        return self._parsed(old), self._parsed(self.data({**self.before, **self.after}))

    def data(self, values: Values) -> Data:
        """Return the base with settings given; one that is `_REMOVE` goes."""
        data = copy.deepcopy(loader.read_yaml(loader.ENVIRONMENTS / f"{self.base}.yaml", self.base))
        if not isinstance(data, dict):
            raise TypeError(f"{self.base} is no mapping")
        for path, value in values.items():
            *parents, leaf = path.split(".")
            place = at_path(data, parents)
            if value is _REMOVE:
                place.pop(leaf, None)
            else:
                place[leaf] = copy.deepcopy(value)
        return data

    def _parsed(self, data: Data) -> Environment:
        return parse_environment(data, source=f"{self.setting} on {self.base}")


@dataclass(frozen=True)
class _Given:
    """What cannot be generated: another base, what has to stand beside it, or the value itself."""

    value: Any = None
    base: str = "dev"
    before: Values = field(default_factory=dict)
    along: Values = field(default_factory=dict)
    path: str = ""


_CERTIFICATE = "arn:aws:acm:us-east-2:111122223333:certificate/00000000-0000-0000-0000-000000000009"
_KEY = "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-0000-0000-000000000009"
_GROUP = {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 3}
_TAINTED: Values = {"cluster.node_groups.query.taints": [{"key": "role", "value": "milvus-query"}]}
_GUIDE_COMPONENTS = ("root_coordinator", "query_coordinator", "data_coordinator", "index_coordinator", "index_node")
_BESIDE: Mapping[str, Values] = {
    "standalone": {"milvus.mode": "standalone", "milvus.components": {}},
    "mix_coordinator": {"milvus.active_standby": True},
}
_EXISTING_BUCKET: Values = {"storage.existing": {"bucket": "kept-vectors", "key_arn": _KEY}}
_MSK: Values = {"queue": {"kind": "msk"}, "milvus.line": "2.6"}
_COGNITO = {
    "user_pool_arn": "arn:aws:cognito-idp:us-east-2:111122223333:userpool/us-east-2_abc",
    "user_pool_client_id": "abc",
    "user_pool_domain": "example",
}
_WITH_COGNITO: Values = {"milvus.attu.oidc": _REMOVE, "milvus.attu.cognito": _COGNITO}
_OPEN: Values = {"milvus.authorization": False, "milvus.acknowledge": ["CVE-2026-26190"]}

_ACCEPTED = {"path": "milvus.namespace", "old": "a", "new": "b", "reason": "it holds nothing yet"}
_ACCEPTS: Values = {"changes.accept": [_ACCEPTED]}

NO_OTHER_VALUE: Mapping[str, str] = {
    "milvus.components.standalone.replicas": "mode standalone has one pod",
    "queue.preview": "Milvus 2.6 needs it, and no other line takes it",
    "milvus.acknowledge": "the rules want what it says, and nothing else, by version and authorization",
}
"""Settings that nothing but another setting can change, with the reason."""

_TABLE: Mapping[str, _Given] = {
    "changes.accept": _Given([_ACCEPTED]),
    **{
        f"changes.accept[].{name}": _Given([{**_ACCEPTED, name: value}], path="changes.accept", before=_ACCEPTS)
        for name, value in (("path", "name"), ("old", "c"), ("new", "c"), ("reason", "somebody looked at it"))
    },
    "name": _Given("milvus-other"),
    "account": _Given("444455556666", base="existing-vpc"),
    "region": _Given("us-west-2"),
    "tags": _Given({"environment": "dev", "cost-center": "4711"}),
    "permissions_boundary": _Given("milvus-boundary"),
    "network.cidr": _Given("10.1.0.0/16"),
    "network.zones": _Given(["a", "b"], along={"queue.brokers": 4, "milvus.etcd.replicas": 3}),
    "network.interface_endpoints": _Given(["sts"]),
    "network.existing": _Given(
        {"vpc_id": "vpc-0123456789abcdef0", "private_subnet_ids": [f"subnet-0{x * 16}" for x in "abc"]},
        along={"network.nat": _REMOVE, "network.flow_logs": _REMOVE},
    ),
    "network.existing.vpc_id": _Given("vpc-0123456789abcdef1", base="existing-vpc", before=_MSK),
    "network.existing.private_subnet_ids": _Given(
        [f"subnet-0{x * 16}" for x in "bcd"], base="existing-vpc", before=_MSK
    ),
    "network.existing.public_subnet_ids": _Given([f"subnet-0{x * 16}" for x in "def"], base="existing-vpc"),
    "network.existing.secondary_cidrs": _Given(["100.64.0.0/16"], base="existing-vpc"),
    "network.existing.private_route_table_ids": _Given(["rtb-0123456789abcdef0"], base="existing-vpc"),
    "cluster.version": _Given("1.36", before={"cluster.version": "1.35"}),
    "cluster.endpoint": _Given("public-and-private", along={"cluster.public_cidrs": ["203.0.113.0/24"]}),
    "cluster.public_cidrs": _Given(["198.51.100.0/24"], base="exposed"),
    "cluster.private_cidrs": _Given(["172.16.0.0/16"]),
    "queue.private_cidrs": _Given(["10.8.0.0/16"]),
    "cluster.admin_role_arns": _Given(["arn:aws:iam::111122223333:role/platform-admin"]),
    "cluster.logging": _Given(["api"]),
    "cluster.volume_key_arn": _Given(_KEY),
    "cluster.node_groups": _Given(
        _REMOVE, path="cluster.node_groups.more", before={"cluster.node_groups.more": _GROUP}
    ),
    "cluster.node_groups.*.instance_types": _Given(["m7g.2xlarge"]),
    "cluster.node_groups.*.min_size": _Given(2),
    "cluster.node_groups.*.desired_size": _Given(4),
    "cluster.node_groups.*.local_storage": _Given(
        "raid0", before={"cluster.node_groups.milvus.instance_types": ["m7gd.xlarge"]}
    ),
    "cluster.node_groups.*.disk_iops": _Given(4000),
    "cluster.node_groups.*.disk_throughput": _Given(250),
    "cluster.node_groups.*.labels": _Given({"role": "vectors"}),
    "cluster.node_groups.*.taints": _Given([], base="prod", path="cluster.node_groups.query.taints"),
    "cluster.node_groups.*.taints[].key": _Given(
        [{"key": "purpose", "value": "milvus-query"}],
        base="prod",
        path="cluster.node_groups.query.taints",
        before=_TAINTED,
    ),
    "cluster.node_groups.*.taints[].value": _Given(
        [{"key": "role", "value": "other"}], base="prod", path="cluster.node_groups.query.taints", before=_TAINTED
    ),
    "cluster.node_groups.*.taints[].effect": _Given(
        [{"key": "role", "value": "milvus-query", "effect": "NO_EXECUTE"}],
        base="prod",
        path="cluster.node_groups.query.taints",
        before=_TAINTED,
    ),
    "storage.existing": _Given({"bucket": "kept-vectors", "key_arn": _KEY}),
    "storage.existing.bucket": _Given("other-vectors", before=_EXISTING_BUCKET),
    "storage.existing.garbage_collection": _Given(True, before=_EXISTING_BUCKET),
    "storage.existing.key_arn": _Given(_KEY.replace("0009", "0008"), before=_EXISTING_BUCKET),
    "storage.root_path": _Given("vectors"),
    "storage.noncurrent_days": _Given(8, base="prod"),
    "queue.kind": _Given({"kind": "woodpecker"}, path="queue", before={"milvus.line": "3.0"}),
    "queue.kafka_version": _Given("3.9.x.kraft", before={"queue.kafka_version": "3.8.x.kraft"}),
    "queue.broker_type": _Given("kafka.m7g.xlarge"),
    "queue.brokers": _Given(6),
    "queue.username": _Given("vectors"),
    "milvus.line": _Given("3.0"),
    "milvus.version": _Given("2.6.24"),
    "milvus.mode": _Given("standalone", along={"milvus.components": {}}),
    "milvus.namespace": _Given("vectors"),
    "milvus.release_name": _Given("blue"),
    "milvus.channel_prefix": _Given("other"),
    "milvus.node_group": _Given("milvus"),
    "milvus.chart_repository": _Given("https://charts.example.com/milvus"),
    "milvus.image_repository": _Given("registry.example.com/milvus"),
    "milvus.tools_image_repository": _Given("registry.example.com/tools", base="guide"),
    "milvus.configuration": _Given({"quotaAndLimits": {"limits": {"maxCollectionNum": 7}}}),
    "milvus.authorization": _Given(True, before=_OPEN, along={"milvus.acknowledge": _REMOVE}),
    "milvus.etcd.replicas": _Given(4),
    "milvus.etcd.cpu": _Given(0.25),
    "milvus.etcd.cpu_request": _Given(0.25),
    "milvus.etcd.memory_gib": _Given(1.5),
    "milvus.etcd.image_repository": _Given("registry.example.com/etcd"),
    "milvus.etcd.node_group": _Given("milvus"),
    "milvus.service.name": _Given("vectors"),
    "milvus.service.scheme": _Given("internal", base="exposed"),
    "milvus.service.source_cidrs": _Given(["198.51.100.0/24"], base="exposed"),
    "milvus.service.certificate_arn": _Given(_CERTIFICATE, base="exposed"),
    "milvus.service.hostname": _Given("vectors.example.com", base="exposed"),
    "milvus.attu.exposure": _Given("internal", base="exposed"),
    "milvus.attu.version": _Given("v2.6.4", base="exposed"),
    "milvus.attu.image_repository": _Given("registry.example.com/attu", base="exposed"),
    "milvus.attu.inbound_cidrs": _Given(["198.51.100.0/24"], base="exposed"),
    "milvus.attu.certificate_arn": _Given(_CERTIFICATE, base="exposed"),
    "milvus.attu.oidc": _Given(_REMOVE, base="exposed"),
    "milvus.attu.cognito": _Given(_COGNITO, base="exposed", before={"milvus.attu.oidc": _REMOVE}),
    "milvus.attu.oidc.client_secret_arn": _Given(
        "arn:aws:secretsmanager:us-east-2:111122223333:secret:other-AbCdEf", base="exposed"
    ),
    **{
        f"milvus.attu.oidc.{name}": _Given(f"https://other.example.com/{name}", base="exposed")
        for name in ("issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint")
    },
    "milvus.attu.cognito.user_pool_arn": _Given(f"{_COGNITO['user_pool_arn']}d", base="exposed", before=_WITH_COGNITO),
    "milvus.attu.cognito.user_pool_client_id": _Given("abd", base="exposed", before=_WITH_COGNITO),
    "milvus.attu.cognito.user_pool_domain": _Given("other", base="exposed", before=_WITH_COGNITO),
}


def cases() -> dict[str, Case]:
    """Return a change of every setting that declares one, by the setting's path."""
    return {
        each.path: case_of(each)
        for each in settings_of(Environment)
        if not each.only_holds_others and each.path not in NO_OTHER_VALUE
    }


def case_of(setting: Setting) -> Case:
    """Return the change of a setting.

    Raises:
        LookupError: No second value can be generated, and none is given.
    """
    if setting.path.startswith("milvus.components."):
        return _component(setting)
    given = _TABLE.get(setting.path, _Given())
    path = given.path or setting.path.replace("*", "milvus")
    value = given.value
    if value is None:
        probe = Case(setting.path, given.base, given.before, {})
        value = _other(setting, _at(probe.environments()[0], path))
    return Case(setting.path, given.base, given.before, {path: value, **given.along})


def _component(setting: Setting) -> Case:
    """Return the change of a component's setting, on a line and in a mode that have it."""
    _, _, component, name = setting.path.split(".")
    base = "guide" if component in _GUIDE_COMPONENTS else "dev"
    before: Values = {**_BESIDE.get(component, {}), **({"milvus.node_group": _REMOVE} if base == "guide" else {})}
    default = Components.model_fields[component].get_default(call_default_factory=True)
    env = Case(setting.path, base, before, {}).environments()[0]
    current = env.components.get(component, default)
    value: Any = {
        # A coordinator has one standby at most.
        "replicas": current.replicas - 1 if current.replicas > 1 else current.replicas + 1,
        "cpu": current.cpu + 0.25,
        "cpu_request": 0.125,
        "memory_gib": current.memory_gib + 0.25,
        "disk_gib": current.disk_gib + 1,
        "node_group": "milvus",
    }[name]
    return Case(setting.path, base, before, {setting.path: value})


def at_path(data: Data, steps: Sequence[str]) -> Data:
    """Return the mapping at a path of a file; a number is an item of a list, and what is not there is made."""
    place: Any = data
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    found: Data = place
    return found


def _at(env: Environment, path: str) -> Any:  # noqa: ANN401 - any setting
    value: Any = env
    for step in path.split("."):
        value = value[step] if isinstance(value, dict) else getattr(value, step)
    return value


def _other(setting: Setting, current: object) -> Any:  # noqa: ANN401 - any setting
    """Return another value of a setting: of its choices, the opposite, or the next number."""
    for choice in _choices(setting.field.annotation):
        if choice != current:
            return choice
    if isinstance(current, bool):
        return not current
    if isinstance(current, int | float):
        highest = next((each.le for each in setting.field.metadata if hasattr(each, "le")), None)
        return current - 1 if highest is not None and current + 1 > highest else current + 1
    raise LookupError(f"{setting.path}: no second value can be generated; give one in tools/change_proof/cases.py")


def _choices(kind: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any annotation
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return arguments
    if origin is Annotated:
        return _choices(arguments[0])
    if origin in {Union, UnionType}:
        return tuple(choice for each in arguments for choice in _choices(each))
    return ()
