"""Whether the region offers what the environment is made of."""

from __future__ import annotations

from collections.abc import Iterator

from ops.doctor.facts import Facts, Unread
from ops.doctor.findings import Finding, advice, blocks, not_checked, ok
from settings import Environment
from settings.needs import Needs

# https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html#network-requirements-subnets
_ZONES_WITHOUT_EKS = ("use1-az3", "usw1-az2", "cac1-az3")


def zones(env: Environment, needs: Needs, facts: Facts) -> Iterator[Finding]:
    """Yield whether the zones exist, and EKS makes clusters there."""
    check = "zones"
    if isinstance(facts.zones, Unread):
        yield not_checked(check, f"Whether {', '.join(needs.zones)} can be used is unknown", facts.zones)
        return
    zones = {zone.name: zone for zone in facts.zones}
    usable = [each.name for each in facts.zones if each.state == "available" and each.zone_id not in _ZONES_WITHOUT_EKS]
    letters = ", ".join(name.removeprefix(env.region) for name in usable) or "none"
    remedy = f"Choose {len(needs.zones)} of these in network.zones: {letters}"
    wrong = 0
    for name in needs.zones:
        zone = zones.get(name)
        if zone is None:
            why, what = "Nothing can be made in it", f"{env.region} has no zone {name} in this account"
        elif zone.state != "available":
            why, what = "Nothing can be made in it", f"{name} is {zone.state}"
        elif zone.zone_id in _ZONES_WITHOUT_EKS:
            why, what = "EKS makes no cluster with a subnet there", f"{name} is {zone.zone_id} in this account"
        else:
            continue
        wrong += 1
        yield blocks(check, what, why=why, remedy=remedy)
    if not wrong:
        yield ok(check, ", ".join(f"{name} ({zones[name].zone_id})" for name in needs.zones))


def instance_types(_env: Environment, needs: Needs, facts: Facts) -> Iterator[Finding]:
    """Yield whether every zone has the instances of each node group."""
    check = "instances"
    for group, types in needs.instance_types.items():
        wanted = f"{' or '.join(types)} of node group {group}"
        if isinstance(facts.offered, Unread):
            yield not_checked(check, f"Whether the zones have {wanted} is unknown", facts.offered)
            continue
        for kind in types:
            if not any((kind, zone) in facts.offered for zone in needs.zones):
                yield blocks(
                    check,
                    f"None of {', '.join(needs.zones)} has {kind} of node group {group}",
                    why="EKS refuses a node group with a type that its zones do not have",
                    remedy="Choose another instance type or other zones",
                )
        without = [zone for zone in needs.zones if not any((kind, zone) in facts.offered for kind in types)]
        if without and len(without) < len(needs.zones):
            yield blocks(
                check,
                f"{', '.join(without)} {'has' if len(without) == 1 else 'have'} no {wanted}",
                why="Nodes of that zone would never start; etcd and the components want one in each",
                remedy="Choose another instance type or other zones",
            )
        elif all(any((kind, zone) in facts.offered for zone in needs.zones) for kind in types):
            yield ok(check, f"Every zone has {wanted}")


def kafka(_env: Environment, needs: Needs, facts: Facts) -> Iterator[Finding]:
    """Yield whether MSK has the Kafka version and the brokers."""
    check, version = "MSK", needs.kafka_version
    if version is None or needs.broker_type is None:
        return
    if isinstance(facts.kafka_versions, Unread):
        yield not_checked(check, f"Whether MSK has Kafka {version} is unknown", facts.kafka_versions)
    elif version not in facts.kafka_versions:
        kraft = sorted(each for each, status in facts.kafka_versions.items() if status == "ACTIVE" and "kraft" in each)
        yield blocks(
            check,
            f"MSK has no Kafka {version} here",
            why="MSK refuses a cluster of a version that it does not list",
            remedy=f"Choose one of these in queue.kafka_version: {', '.join(kraft) or 'none with KRaft is listed'}",
        )
    elif facts.kafka_versions[version] != "ACTIVE":
        yield advice(
            check,
            f"Kafka {version} is {facts.kafka_versions[version]}",
            why="MSK upgrades clusters of such a version by itself one day",
            remedy="Choose a newer one in queue.kafka_version before the first deployment",
        )
    else:
        yield ok(check, f"Kafka {version}")
    yield from _brokers(needs, needs.broker_type, facts)


def _brokers(needs: Needs, broker: str, facts: Facts) -> Iterator[Finding]:
    """MSK has no list of broker types by zone; a broker runs on the EC2 type in its name."""
    kind = broker.removeprefix("kafka.")
    if isinstance(facts.offered, Unread):
        yield not_checked("MSK", f"Whether the zones have {kind} for {broker} is unknown", facts.offered)
        return
    without = [zone for zone in needs.zones if (kind, zone) not in facts.offered]
    if without:
        yield advice(
            "MSK",
            f"EC2 has no {kind} in {', '.join(without)}",
            why=f"MSK lists no broker types by zone, but its {broker} runs on that type: it will refuse the cluster",
            remedy="Choose another queue.broker_type or other zones, or look into MSK's console",
        )
    else:
        yield ok("MSK", f"EC2 has {kind} for {broker} in every zone; MSK has no list of its own")


def kubernetes(_env: Environment, needs: Needs, facts: Facts) -> Iterator[Finding]:
    """Yield whether EKS has the Kubernetes version."""
    check, version, status = "EKS", needs.kubernetes, facts.kubernetes
    if isinstance(status, Unread):
        yield not_checked(check, f"Whether EKS has Kubernetes {version} is unknown", status)
    elif status in {None, "UNSUPPORTED"}:
        yield blocks(
            check,
            f"EKS makes no cluster of Kubernetes {version} here",
            why="It is not there yet, or its support has ended" if status is None else "Its support has ended",
            remedy="Choose another cluster.version",
        )
    elif status == "EXTENDED_SUPPORT":
        yield advice(
            check,
            f"Kubernetes {version} is in extended support",
            why="EKS charges more for each hour of such a cluster",
            remedy="Choose a newer cluster.version before the first deployment",
        )
    else:
        yield ok(check, f"Kubernetes {version}")


def addons(_env: Environment, needs: Needs, facts: Facts) -> Iterator[Finding]:
    """Yield whether EKS has the pinned build of each add-on."""
    check = "EKS add-ons"
    for name, pinned in needs.addons.items():
        builds = facts.addons[name]
        if isinstance(builds, Unread):
            yield not_checked(check, f"Whether EKS has {name} {pinned} is unknown", builds)
        elif pinned not in builds:
            yield blocks(
                check,
                f"EKS has no {name} {pinned} for Kubernetes {needs.kubernetes}",
                why='The Eks stack fails with "Addon version specified is not supported"',
                remedy=f"Pin one of these in settings/eks_versions.py: {', '.join(builds[:3]) or 'none is listed'}",
            )
        else:
            yield ok(check, f"{name} {pinned}")
