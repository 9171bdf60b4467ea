"""Rules across fields: what each setting alone allows, but together cannot work or is not safe."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from settings.aws_limits import labels_of_nodes, number_of_tags, places_of_arns, range_of_vpc, subnets_once
from settings.base import Problem, Rule
from settings.capacity import admits_all, fits_a_node, fits_all_nodes
from settings.cluster import NodeGroup
from settings.eks import EKS_VERSIONS
from settings.instances import BROKER_TYPES, INSTANCE_TYPES
from settings.milvus import Component, Components, Etcd
from settings.milvus_configuration import own_configuration
from settings.naming import chart_fullname, chart_services, etcd_fullname
from settings.queue import KRAFT_VERSIONS, Msk, Woodpecker, copies
from settings.releases import ADVISORIES, COORDINATORS_2_3, RELEASE_LINES, Version

if TYPE_CHECKING:
    from settings.environment import Environment

# No organization has a wider range of addresses of its own.
_WIDEST_PREFIX = 8
_LIST_RANGES = f"list ranges, none wider than /{_WIDEST_PREFIX}"

# AWS keeps five addresses of every subnet: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
_RESERVED_ADDRESSES = 5
# Load balancers, EKS's own interfaces, brokers and endpoints live in the private subnets too.
_ADDRESSES_BESIDE_NODES = 32
# https://docs.aws.amazon.com/msk/latest/developerguide/msk-update-storage.html
_SMALLEST_GROWTH_GIB = 10
# A new VPC keeps address space for three zones, so that subnets keep theirs when zones change.
_ZONES_WITH_SPACE = 3
# Partition replicas that Kafka keeps for itself (__consumer_offsets with 50 partitions on 3 replicas).
_INTERNAL_PARTITION_REPLICAS = 150


def warnings(env: Environment, today: date) -> list[Problem]:
    """Return what works, but that an operator should know: support dates and dear or risky choices."""
    return [*_support_dates(env, today), *_advice(env), *_clear_text(env), *_etcd_on_spot(env)]


def refusals(env: Environment, today: date) -> list[Problem]:
    """Return what the calendar forbids: Kubernetes versions that AWS no longer supports."""
    support = EKS_VERSIONS.get(env.cluster.version)
    if support is None or today <= support.extended_support_ends:
        return []
    return [
        Problem(
            "cluster.version",
            f"{env.cluster.version} is out of support since {support.extended_support_ends}; use one of "
            f"{_in_support(today)}",
        )
    ]


def _in_support(today: date) -> str:
    return _listed(version for version, support in EKS_VERSIONS.items() if today <= support.standard_support_ends)


def _support_dates(env: Environment, today: date) -> Iterator[Problem]:
    support = EKS_VERSIONS[env.cluster.version]
    if support.standard_support_ends < today <= support.extended_support_ends:
        yield Problem(
            "cluster.version",
            f"standard support of {env.cluster.version} ended on {support.standard_support_ends}; AWS charges extended "
            f"support until {support.extended_support_ends}; move to one of {_in_support(today)}",
        )
    elif (support.standard_support_ends - today).days <= 60:
        yield Problem(
            "cluster.version",
            f"standard support of {env.cluster.version} ends on {support.standard_support_ends}; plan the move to one "
            f"of {_in_support(support.standard_support_ends + timedelta(days=1))}",
        )


def _advice(env: Environment) -> Iterator[Problem]:
    if not env.cluster.admin_role_arns:
        yield Problem(
            "cluster.admin_role_arns",
            "empty: nobody but the deployment itself can use kubectl; name the IAM roles of your administrators",
        )
    if env.milvus.attu.exposure != "off" and env.milvus.line in {"2.6", "3.0"}:
        yield Problem("milvus.attu.exposure", "Attu is proprietary software from 2.6.0 on; check its licence")
    if env.milvus.authorization and not env.root_password_at_first_start:
        yield Problem(
            "milvus.version",
            f"{env.milvus_version} starts with root's well-known password; run "
            "`python -m ops root-password --env NAME` right after the first deployment",
        )
    for name in env.milvus.acknowledge:
        yield Problem("milvus.acknowledge", f"{name} is accepted: this version has no fix that takes effect")


def _clear_text(env: Environment) -> Iterator[Problem]:
    service, attu = env.milvus.service, env.milvus.attu
    if service.scheme == "internet-facing" and not service.certificate_arn:
        yield Problem(
            "milvus.service.certificate_arn",
            "none, on an internet-facing load balancer: passwords and data cross the internet in clear text; set it "
            "and milvus.service.hostname, or milvus.service.scheme: internal",
        )
    if attu.exposure == "internet-facing" and not attu.certificate_arn:
        yield Problem(
            "milvus.attu.certificate_arn",
            "none, on an internet-facing load balancer: passwords that are typed into Attu cross the internet in clear "
            "text; set it, or milvus.attu.exposure: internal",
        )


def _etcd_on_spot(env: Environment) -> Iterator[Problem]:
    spot = [name for name, group in _groups_open_to(env, env.node_group_of("etcd")).items() if group.spot]
    if spot:
        yield Problem(
            "milvus.etcd.node_group",
            f"etcd may run on spot capacity ({_listed(spot)}), which AWS takes back at two minutes' notice; without "
            "most of its members Milvus stops; bind it to an on-demand group",
        )


# --- network


def _vpc_size(env: Environment) -> Iterator[Problem]:
    network = ipaddress.IPv4Network(env.network.cidr)
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
    if not 16 <= network.prefixlen <= 28:
        yield Problem(
            "network.cidr", f"a VPC takes /16 to /28, got /{network.prefixlen}; use {network.network_address}/16"
        )
        return
    if env.network.existing:
        return
    zones = _ZONES_WITH_SPACE
    needed = zones * (2 ** (32 - env.network.private_subnet_prefix) + 2 ** (32 - env.network.public_subnet_prefix))
    if needed > network.num_addresses:
        yield Problem(
            "network.private_subnet_prefix",
            f"{zones} private /{env.network.private_subnet_prefix} and {zones} public "
            f"/{env.network.public_subnet_prefix} subnets (space is kept for {zones} zones) need {needed} addresses, "
            f"{network} has {network.num_addresses}; use a larger network.cidr or longer prefixes",
        )


def _zones(env: Environment) -> Iterator[Problem]:
    zones = env.network.zones
    if len(set(zones)) != len(zones):
        yield Problem("network.zones", f"every zone once, got {_listed(zones)}")
    if env.network.existing:
        existing = env.network.existing
        for name, ids in (("private", existing.private_subnet_ids), ("public", existing.public_subnet_ids)):
            if ids and len(ids) != len(zones):
                yield Problem(
                    f"network.existing.{name}_subnet_ids",
                    f"one subnet for each of the {len(zones)} zones ({_listed(zones)}), got {len(ids)}; add or remove "
                    "subnets, or name their zones in network.zones",
                )


def _room_for_pods(env: Environment) -> Iterator[Problem]:
    wanted = 0
    for group in env.cluster.node_groups.values():
        known = [INSTANCE_TYPES[name] for name in group.instance_types if name in INSTANCE_TYPES]
        wanted += group.max_size * max((instance.addresses for instance in known), default=0)
    zones = len(env.network.zones)
    per_zone = -(-wanted // zones) + _ADDRESSES_BESIDE_NODES
    available = 2 ** (32 - env.network.private_subnet_prefix) - _RESERVED_ADDRESSES
    if per_zone > available:
        prefix = 32 - (per_zone + _RESERVED_ADDRESSES - 1).bit_length()
        yield Problem(
            "network.private_subnet_prefix",
            f"a private /{env.network.private_subnet_prefix} subnet has {available} addresses, but the nodes of "
            f"cluster.node_groups and their pods take up to {per_zone} in each of {zones} zones; use {prefix} or less, "
            "or fewer nodes (max_size)",
        )


# --- cluster


def _cluster_version(env: Environment) -> Iterator[Problem]:
    if env.cluster.version not in EKS_VERSIONS:
        yield Problem(
            "cluster.version",
            f"got {env.cluster.version}; EKS versions that can be created and have pinned add-ons here: "
            f"{_listed(EKS_VERSIONS)}",
        )


def _public_endpoint(env: Environment) -> Iterator[Problem]:
    public = env.cluster.endpoint == "public-and-private"
    if public and not env.cluster.public_cidrs:
        yield Problem(
            "cluster.public_cidrs",
            "a public endpoint needs the address ranges that may reach it, got none; list them, or set "
            "cluster.endpoint: private",
        )
    if public and (wide := _for_everybody(env.cluster.public_cidrs)):
        yield Problem("cluster.public_cidrs", f"got {wide}: the Kubernetes API is not for everybody; {_LIST_RANGES}")
    if not public and env.cluster.public_cidrs:
        yield Problem(
            "cluster.public_cidrs",
            "given, but cluster.endpoint is private and nobody there could connect; remove them, or set "
            "cluster.endpoint: public-and-private",
        )


def _private_endpoint(env: Environment) -> Iterator[Problem]:
    path = "cluster.private_cidrs"
    if wide := _for_everybody(env.cluster.private_cidrs):
        yield Problem(path, f"got {wide}: the Kubernetes API is not for everybody; {_LIST_RANGES}")
    admitted = [ipaddress.IPv4Network(cidr) for cidr in env.network.cidrs]
    given = [ipaddress.IPv4Network(cidr) for cidr in env.cluster.private_cidrs]
    for index, network in enumerate(given):
        if network in given[:index]:
            yield Problem(path, f"{network} appears twice; remove one")
            continue
        others = [*admitted, *(other for other in given if other != network)]
        if around := next((other for other in others if network.subnet_of(other)), None):
            whose = "the VPC" if around in admitted else "the list"
            yield Problem(path, f"{network} is in {around} of {whose}, which may connect already; remove {network}")


def _node_groups(env: Environment) -> Iterator[Problem]:
    for name, group in env.cluster.node_groups.items():
        path = f"cluster.node_groups.{name}"
        for instance_type in group.instance_types:
            if instance_type not in INSTANCE_TYPES:
                yield Problem(
                    f"{path}.instance_types",
                    f"{instance_type} is not in the instance table{_nearest(instance_type, INSTANCE_TYPES)}; "
                    "add it to settings/instances.py with its vCPU, memory and addresses",
                )
        known = [INSTANCE_TYPES[each] for each in group.instance_types if each in INSTANCE_TYPES]
        if len({instance.architecture for instance in known}) > 1:
            kinds = _listed(f"{instance.name} ({instance.architecture})" for instance in known)
            yield Problem(f"{path}.instance_types", f"one architecture for a group, got {kinds}; make two node groups")
        if len(group.instance_types) > 1 and not group.spot:
            yield Problem(
                f"{path}.instance_types",
                f"on-demand capacity always takes the first of several types, got {_listed(group.instance_types)}; "
                "name one, or set spot: true",
            )
        if not group.min_size <= group.desired_size <= group.max_size:
            yield Problem(
                f"{path}.desired_size",
                f"must be between min_size {group.min_size} and max_size {group.max_size}, got {group.desired_size}",
            )
        if group.labels.get("node-group", name) != name:
            yield Problem(f"{path}.labels", "the label node-group is set by the application; remove it")


def _placement(env: Environment) -> Iterator[Problem]:
    groups = env.cluster.node_groups
    chosen = {"milvus.node_group": env.milvus.node_group, "milvus.etcd.node_group": env.milvus.etcd.node_group}
    for name in env.component_names:
        chosen[f"milvus.components.{name}.node_group"] = env.components[name].node_group
    for path, group in chosen.items():
        if group is not None and group not in groups:
            yield Problem(path, f"no node group {group}{_nearest(group, groups)}; there are: {_listed(groups)}")
    if not any(admits_all(group) for group in groups.values()):
        yield Problem(
            "cluster.node_groups",
            "every group has a taint that keeps pods away, so the add-ons and controllers have no node; leave one "
            "group without",
        )


# --- queue


def _brokers(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Msk):
        return
    zones, brokers = len(env.network.zones), env.queue.brokers
    if brokers % zones:
        below = brokers - brokers % zones
        remedy = f"use {below} or {below + zones}" if below else f"use {zones}"
        yield Problem("queue.brokers", f"must be a multiple of the {zones} zones, got {brokers}; {remedy}")
    if env.queue.broker_type == "kafka.t3.small":
        yield Problem("queue.broker_type", "MSK runs no KRaft cluster on kafka.t3.small; use kafka.m7g.large or larger")
    elif env.queue.broker_type not in BROKER_TYPES:
        nearest = _nearest(env.queue.broker_type, BROKER_TYPES)
        yield Problem("queue.broker_type", f"{env.queue.broker_type} is not in the broker table{nearest}")
    if env.queue.storage.max_gib < env.queue.storage.volume_gib:
        yield Problem(
            "queue.storage.max_gib",
            f"must be at least volume_gib {env.queue.storage.volume_gib}, got {env.queue.storage.max_gib}",
        )
    elif 0 < env.queue.storage.max_gib - env.queue.storage.volume_gib < _SMALLEST_GROWTH_GIB:
        yield Problem(
            "queue.storage.max_gib",
            f"volumes grow by at least {_SMALLEST_GROWTH_GIB} GiB, so {env.queue.storage.max_gib} is never reached "
            f"from volume_gib {env.queue.storage.volume_gib}; use the same for no growth, or at least "
            f"{env.queue.storage.volume_gib + _SMALLEST_GROWTH_GIB}",
        )


def _kafka_version(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Msk):
        return
    version = env.queue.kafka_version
    majors = env.release.kafka_scram_majors
    if int(version.split(".")[0]) not in majors:
        yield Problem(
            "queue.kafka_version",
            f"got {version}, but the Kafka client inside Milvus {env.milvus.line} logs in by SCRAM only to Kafka "
            f"{' and '.join(f'{major}.x' for major in majors)} (milvus#52601); use 3.9.x.kraft",
        )
    elif not version.endswith(".kraft"):
        yield Problem(
            "queue.kafka_version",
            f"got {version}, which means ZooKeeper: that cannot be changed to KRaft later; use 3.9.x.kraft",
        )
    elif version not in KRAFT_VERSIONS:
        known = _listed(each for each in KRAFT_VERSIONS if int(each.split(".")[0]) in majors)
        yield Problem("queue.kafka_version", f"MSK has no {version}; use one of {known}")


def _message_sizes(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Msk):
        return
    queue = env.queue
    if queue.milvus_message_max_bytes > queue.message_max_bytes:
        yield Problem(
            "queue.milvus_message_max_bytes",
            f"Milvus would send up to {queue.milvus_message_max_bytes} bytes, the brokers refuse more than "
            f"message_max_bytes {queue.message_max_bytes}; raise the latter or lower the former",
        )
    if queue.message_max_bytes > queue.replica_fetch_max_bytes:
        yield Problem(
            "queue.replica_fetch_max_bytes",
            f"must be at least message_max_bytes {queue.message_max_bytes}, got {queue.replica_fetch_max_bytes}, or "
            "large messages are never replicated",
        )


def partition_replicas(env: Environment) -> int:
    """Return the partition replicas that Milvus's channels and Kafka itself put on all brokers together."""
    if not isinstance(env.queue, Msk):
        return 0
    replication = copies(len(env.network.zones))
    # One partition for each channel's topic: num.partitions is 1, because Milvus writes partition 0 only.
    return env.queue.channels * replication + _INTERNAL_PARTITION_REPLICAS


def _partition_budget(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Msk) or env.queue.broker_type not in BROKER_TYPES:
        return
    budget = BROKER_TYPES[env.queue.broker_type].partitions
    per_broker = -(-partition_replicas(env) // env.queue.brokers)
    if per_broker > budget:
        yield Problem(
            "queue.channels",
            f"{env.queue.channels} channels put about {per_broker} partitions on each broker, {env.queue.broker_type} "
            f"takes {budget}; beyond it MSK refuses changes; use fewer channels, more brokers or a larger broker_type",
        )


def _woodpecker(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Woodpecker):
        return
    support = env.release.woodpecker
    allowed = _listed(line for line, release in RELEASE_LINES.items() if release.woodpecker == "yes")
    if support == "no":
        yield Problem(
            "queue.kind",
            f"woodpecker is in Milvus from {allowed} on (2.6 as preview), got line {env.milvus.line}; use kind: msk",
        )
    elif support == "preview" and not env.queue.preview:
        yield Problem(
            "queue.preview",
            f"woodpecker is a preview in Milvus {env.milvus.line}; accept it with preview: true, use kind: msk, or "
            f"milvus.line: '{allowed}'",
        )
    elif support == "yes" and env.queue.preview:
        yield Problem("queue.preview", f"woodpecker is no preview in Milvus {env.milvus.line}; remove preview")


# --- milvus


def _version_of_line(env: Environment) -> Iterator[Problem]:
    if env.milvus.version is None:
        return
    version, oldest = Version.parse(env.milvus.version), Version.parse(env.release.oldest_version)
    line = f"{version.major}.{version.minor}"
    if line != env.milvus.line:
        other = f"set line: '{line}', or " if line in RELEASE_LINES else "take "
        yield Problem(
            "milvus.version",
            f"{version} is not of milvus.line {env.milvus.line}; {other}a version such as "
            f"{env.release.default_version}",
        )
    elif version < oldest:
        yield Problem(
            "milvus.version",
            f"{version} does not work with chart {env.release.chart} and MSK; oldest: {oldest}, default: "
            f"{env.release.default_version}",
        )


def advisories(env: Environment) -> list[tuple[str, str, str]]:
    """Return (name, title, remedy) of each critical advisory that the environment is open to."""
    found = []
    version = Version.parse(env.milvus_version)
    for advisory in ADVISORIES:
        fix = advisory.fix(env.milvus.line)
        if fix is None:
            lines = [line for line, fixed in advisory.fixed_in.items() if fixed]
            found.append((advisory.name, advisory.title, f"this line has no fix; use milvus.line: {_listed(lines)}"))
        elif version < fix:
            found.append((advisory.name, advisory.title, f"use milvus.version: {fix} or newer"))
        elif advisory.needs_authorization and not env.milvus.authorization:
            remedy = "its fix only works with milvus.authorization: true"
            found.append((advisory.name, advisory.title, remedy))
    return found


def _advisories(env: Environment) -> Iterator[Problem]:
    open_to = advisories(env)
    names = [name for name, _, _ in open_to]
    for name, title, remedy in open_to:
        if name not in env.milvus.acknowledge:
            yield Problem(
                "milvus.version",
                f"{env.milvus_version} has {name}, {title}; {remedy}, or accept it with milvus.acknowledge: [{name}]",
            )
    for name in env.milvus.acknowledge:
        if name not in names:
            yield Problem(
                "milvus.acknowledge",
                f"{name} does not concern Milvus {env.milvus_version} as set here{_nearest(name, names)}; remove it",
            )


def _components_of_line(env: Environment) -> Iterator[Problem]:
    given = env.milvus.components.model_fields_set
    for name in Components.model_fields:
        if name not in given or name in env.component_names:
            continue
        path = f"milvus.components.{name}"
        there = f"there are: {_listed(env.component_names)}"
        if env.milvus.mode == "standalone":
            yield Problem(path, f"mode standalone has no {name}; {there}, or set milvus.mode: cluster")
        elif name == "standalone":
            yield Problem(path, f"mode cluster has no standalone pod; {there}, or set milvus.mode: standalone")
        else:
            yield Problem(path, f"Milvus {env.milvus.line} has no {name}; {there}")


def _requests(env: Environment) -> Iterator[Problem]:
    pods: dict[str, Component | Etcd] = {f"milvus.components.{name}": each for name, each in env.components.items()}
    pods["milvus.etcd"] = env.milvus.etcd
    for path, component in pods.items():
        if component.cpu_request is not None and component.cpu_request > component.cpu:
            yield Problem(
                f"{path}.cpu_request",
                f"must be at most the limit, cpu {component.cpu:g}, got {component.cpu_request:g}; lower it, or raise "
                "cpu",
            )


def _standby(env: Environment) -> Iterator[Problem]:
    for name in (*COORDINATORS_2_3, "mix_coordinator", "standalone"):
        component = env.components.get(name)
        if component is None:
            continue
        path = f"milvus.components.{name}.replicas"
        if name == "standalone" and component.replicas > 1:
            yield Problem(path, f"mode standalone has one pod, got {component.replicas}; use milvus.mode: cluster")
        elif component.replicas > 2:
            yield Problem(path, f"a coordinator has at most one standby, got {component.replicas}; use 2")
        elif component.replicas == 2 and not env.milvus.active_standby:
            yield Problem(
                path,
                "2 replicas need milvus.active_standby: true, or both would act as the coordinator; set it, or use 1",
            )


def _service_names(env: Environment) -> Iterator[Problem]:
    release, service = env.milvus.release_name, env.milvus.service.name
    if chart_fullname(release) == etcd_fullname(release):
        yield Problem(
            "milvus.release_name",
            f"{release} gives Milvus and etcd the same Service name; take a name without etcd, such as milvus",
        )
    owner = chart_services(release).get(service)
    if owner:
        yield Problem("milvus.service.name", f"{service} is already {owner}; take another, such as {service}-service")
    # Kubernetes sets KAFKA_PORT and the like for every Service, and Milvus reads those as its configuration.
    reserved = ("minio", "kafka", "etcd", "pulsar")
    for path, name in (("milvus.service.name", service), ("milvus.release_name", etcd_fullname(release))):
        if name in reserved:
            yield Problem(
                path,
                f"a Service named {name} puts variables into every pod that Milvus reads as its configuration; take a "
                f"name other than {_listed(reserved)}",
            )


def _service_certificate(env: Environment) -> Iterator[Problem]:
    service = env.milvus.service
    if service.certificate_arn and not service.hostname:
        yield Problem(
            "milvus.service.hostname",
            "missing, but there is a certificate and clients check its name; give the DNS name that it covers",
        )
    if service.hostname and not service.certificate_arn:
        yield Problem(
            "milvus.service.hostname",
            f"{service.hostname} is only used with TLS; set milvus.service.certificate_arn, or remove it",
        )


def _service_exposure(env: Environment) -> Iterator[Problem]:
    service = env.milvus.service
    if service.scheme == "internal":
        return
    if not service.source_cidrs:
        yield Problem(
            "milvus.service.source_cidrs",
            "an internet-facing load balancer needs the address ranges that may connect, got none; list them, or set "
            "milvus.service.scheme: internal",
        )
    if wide := _for_everybody(service.source_cidrs):
        yield Problem("milvus.service.source_cidrs", f"got {wide}; a database is not for everybody; {_LIST_RANGES}")
    if not env.milvus.authorization:
        yield Problem("milvus.authorization", "an internet-facing load balancer needs authorization: true")
    yield from _public_subnets(env, "milvus.service.scheme")


def _public_subnets(env: Environment, path: str) -> Iterator[Problem]:
    if env.network.existing and not env.network.existing.public_subnet_ids:
        yield Problem(path, "internet-facing needs public subnets; name network.existing.public_subnet_ids")


def _attu_exposure(env: Environment) -> Iterator[Problem]:
    attu = env.milvus.attu
    if attu.exposure == "off":
        return
    if attu.oidc and attu.cognito:
        yield Problem("milvus.attu.cognito", "one sign-in at most, got oidc and cognito; remove one")
    sign_in = "oidc" if attu.oidc else "cognito" if attu.cognito else None
    if sign_in and not attu.certificate_arn:
        yield Problem(f"milvus.attu.{sign_in}", "sign-in needs HTTPS; set milvus.attu.certificate_arn")
    if attu.exposure == "internet-facing":
        wide = _for_everybody(attu.inbound_cidrs) if attu.inbound_cidrs else "none"
        if not sign_in and wide:
            yield Problem(
                "milvus.attu.inbound_cidrs",
                f"got {wide}, but Attu has no login of its own: internet-facing, it needs address ranges, none wider "
                f"than /{_WIDEST_PREFIX}, or a sign-in (milvus.attu.oidc or .cognito); or set milvus.attu.exposure: "
                "internal",
            )
        yield from _public_subnets(env, "milvus.attu.exposure")
    if not env.milvus.authorization:
        yield Problem(
            "milvus.authorization",
            "without authorization whoever reaches Attu owns the database; set authorization: true, or "
            "milvus.attu.exposure: off",
        )


def _attu_architecture(env: Environment) -> Iterator[Problem]:
    if env.milvus.attu.exposure == "off" or env.milvus.line != "2.3":
        return
    groups = _groups_open_to(env, env.milvus.node_group)
    types = [
        INSTANCE_TYPES[name] for group in groups.values() for name in group.instance_types if name in INSTANCE_TYPES
    ]
    if types and all(each.architecture == "arm64" for each in types):
        yield Problem(
            "milvus.attu.exposure",
            "Attu of Milvus 2.3 has no image for arm64 (zilliztech/attu#415), got "
            f"{_listed(each.name for each in types)}; use instances of amd64 such as m6i.2xlarge, or "
            "milvus.attu.exposure: off",
        )


def _groups_open_to(env: Environment, bound: str | None) -> dict[str, NodeGroup]:
    """Return the node groups that a pod may run on: the one it is bound to, or all without a hard taint."""
    return {
        name: group
        for name, group in env.cluster.node_groups.items()
        if name == bound or (not bound and admits_all(group))
    }


def _for_everybody(cidrs: Iterable[str]) -> str:
    """Return the networks that admit half the world, alone or together (0.0.0.0/1 and 128.0.0.0/1); empty if none."""
    together = ipaddress.collapse_addresses(ipaddress.IPv4Network(cidr) for cidr in cidrs)
    return _listed(str(network) for network in together if network.prefixlen < _WIDEST_PREFIX)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


RULES: tuple[Rule, ...] = (
    number_of_tags,
    places_of_arns,
    range_of_vpc,
    subnets_once,
    labels_of_nodes,
    _vpc_size,
    _zones,
    _room_for_pods,
    _cluster_version,
    _public_endpoint,
    _private_endpoint,
    _node_groups,
    _placement,
    fits_a_node,
    fits_all_nodes,
    _brokers,
    _kafka_version,
    _message_sizes,
    _partition_budget,
    _woodpecker,
    _version_of_line,
    _advisories,
    _components_of_line,
    _requests,
    _standby,
    own_configuration,
    _service_names,
    _service_certificate,
    _service_exposure,
    _attu_exposure,
    _attu_architecture,
)
