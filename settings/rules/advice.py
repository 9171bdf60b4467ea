"""What works, but that an operator should know: support dates, and costly or risky choices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from settings.base import Problem
from settings.eks_versions import EKS_VERSIONS
from settings.environment import Environment
from settings.placement import groups_open_to
from settings.regions import ZONE_WITHOUT_EKS
from settings.rules.cluster import in_support
from settings.rules.words import listed


def warnings(env: Environment, today: date) -> list[Problem]:
    """Return what works, but that an operator should know: support dates, and costly or risky choices."""
    return [
        *_support_dates(env, today),
        *_advice(env),
        *_zones(env),
        *_clear_text(env),
        *_etcd_on_spot(env),
        *_even_etcd(env),
    ]


def _support_dates(env: Environment, today: date) -> Iterator[Problem]:
    support = EKS_VERSIONS[env.cluster.version]
    if support.standard_support_ends < today <= support.extended_support_ends:
        yield Problem(
            "cluster.version",
            f"standard support of {env.cluster.version} ended on {support.standard_support_ends}; AWS charges extended "
            f"support until {support.extended_support_ends}; move to one of {in_support(today)}",
        )
    elif (support.standard_support_ends - today).days <= 60:
        yield Problem(
            "cluster.version",
            f"standard support of {env.cluster.version} ends on {support.standard_support_ends}; plan the move to one "
            f"of {in_support(support.standard_support_ends + timedelta(days=1))}",
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


def _zones(env: Environment) -> Iterator[Problem]:
    without = ZONE_WITHOUT_EKS.get(env.region)
    if without and "zones" not in env.network.model_fields_set:
        yield Problem(
            "network.zones",
            f"the default, {listed(env.network.zones)}: one letter of your account stands for {without}, where EKS "
            f"makes no cluster; look with "
            f"`aws ec2 describe-availability-zones --region {env.region}`, and name three others",
        )


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


def _even_etcd(env: Environment) -> Iterator[Problem]:
    members = env.milvus.etcd.replicas
    if members % 2 == 0:
        yield Problem(
            "milvus.etcd.replicas",
            f"{members} members of etcd survive the loss of no more than {members - 1} do; it is a step on the way: "
            f"deploy it, then {members + 1}",
        )


def _etcd_on_spot(env: Environment) -> Iterator[Problem]:
    spot = [name for name, group in groups_open_to(env, env.node_group_of("etcd")).items() if group.spot]
    if spot:
        yield Problem(
            "milvus.etcd.node_group",
            f"etcd may run on spot capacity ({listed(spot)}), which AWS takes back at two minutes' notice; without "
            "most of its members Milvus stops; bind it to an on-demand group",
        )
