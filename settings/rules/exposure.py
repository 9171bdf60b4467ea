"""Rules of what clients reach: the Services and their names, the load balancer of Milvus, and Attu."""

from __future__ import annotations

from collections.abc import Iterator

from settings.base import Problem, Rule
from settings.chart_names import chart_fullname, chart_services, etcd_fullname
from settings.environment import Environment
from settings.instances import INSTANCE_TYPES
from settings.placement import groups_open_to
from settings.rules.words import LIST_RANGES, WIDEST_PREFIX, for_everybody, listed


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
                f"name other than {listed(reserved)}",
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
    if wide := for_everybody(service.source_cidrs):
        yield Problem(
            "milvus.service.source_cidrs", f"got {wide}; do not expose a database to the whole internet; {LIST_RANGES}"
        )
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
        wide = for_everybody(attu.inbound_cidrs) if attu.inbound_cidrs else "none"
        if not sign_in and wide:
            yield Problem(
                "milvus.attu.inbound_cidrs",
                f"got {wide}, but Attu has no login of its own: internet-facing, it needs address ranges, none wider "
                f"than /{WIDEST_PREFIX}, or a sign-in (milvus.attu.oidc or .cognito); or set milvus.attu.exposure: "
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
    groups = groups_open_to(env, env.milvus.node_group)
    types = [
        INSTANCE_TYPES[name] for group in groups.values() for name in group.instance_types if name in INSTANCE_TYPES
    ]
    if types and all(each.architecture == "arm64" for each in types):
        yield Problem(
            "milvus.attu.exposure",
            "Attu of Milvus 2.3 has no image for arm64 (zilliztech/attu#415), got "
            f"{listed(each.name for each in types)}; use instances of amd64 such as m6i.2xlarge, or "
            "milvus.attu.exposure: off",
        )


RULES: tuple[Rule, ...] = (_service_names, _service_certificate, _service_exposure, _attu_exposure, _attu_architecture)
