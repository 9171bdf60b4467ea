"""The part of a bill that depends on use: what the assumptions make of what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ops.cost.assumptions import Assumptions
from ops.cost.found import Inventory
from ops.cost.lines import Line
from ops.cost.prices import Price, Prices

_NETWORK, _LOGS, _STORAGE, _KEYS = "network", "logs and metrics", "object storage", "keys and secrets"
_SECONDS = 730 * 3600


def by_use(found: Inventory, prices: Prices, assumed: Assumptions) -> list[Line]:
    """Return the lines that depend on use; each is marked, and none is left out because it is small."""
    parts = (_traffic, _logs, _requests, _pipeline)
    return [line for part in parts for line in part(found, prices, assumed)]


def _traffic(found: Inventory, prices: Prices, assumed: Assumptions) -> Iterator[Line]:
    region, count = found.region, found.count
    if found.node_groups:
        price = prices.of(region, "transfer", "between-zones-each-direction")
        yield _line("EC2", _NETWORK, "traffic between zones, out and in", 2 * assumed.between_zones_gb, price)
    if count["nat"]:
        yield _line(
            "NAT", _NETWORK, "traffic through NAT gateways", assumed.nat_gb, prices.of(region, "nat", "processed")
        )
    if count["endpoints"]:
        price = prices.of(region, "vpc", "interface-endpoint-processed")
        yield _line("VPC", _NETWORK, "traffic through interface endpoints", assumed.endpoint_gb, price)
    for kind, item in (("nlb", "nlb-nlcu"), ("alb", "alb-lcu")):
        if count[kind]:
            units = count[kind] * assumed.load_balancer_units
            what = f"capacity units of {kind.upper()}s"
            yield _line("ELB", "load balancers", what, units, prices.of(region, "elb", item))


def _logs(found: Inventory, prices: Prices, assumed: Assumptions) -> Iterator[Line]:
    brokers = sum(logged for _, _, logged in found.monitoring) * assumed.broker_log_gb
    for what, amount in (
        ("logs of the control plane", _sum_of(found.control_plane_logs, assumed.control_plane_log_gb)),
        ("flow logs", _sum_of(found.flow_logs, assumed.flow_log_gb)),
        ("logs of brokers", brokers),
        ("logs of functions", assumed.function_log_gb if found.count["AWS::Lambda::Function"] else 0),
        ("logs of builds", assumed.build_log_gb if found.count["AWS::CodeBuild::Project"] else 0),
    ):
        if amount:
            for how, item in (("taken in", "logs-ingest"), ("kept", "logs-storage")):
                price = prices.of(found.region, "cloudwatch", item)
                yield _line("CloudWatch", _LOGS, f"{what}, {how}", amount, price)
    topics = found.release.topics if found.release else 0
    for level, number, _ in found.monitoring:
        metrics = msk_metrics(level, brokers=number, topics=topics, assumed=assumed)
        if metrics:
            price = prices.of(found.region, "cloudwatch", "metric-first-10000")
            what = f"MSK metrics, {level} of {number} brokers and {topics} topics"
            yield _line("CloudWatch", _LOGS, what, metrics, price)


def msk_metrics(level: str, *, brokers: int, topics: int, assumed: Assumptions) -> float:
    """Return the metrics that MSK sends above those of ``DEFAULT``, which are free; a topic has one partition."""
    of = assumed.msk_metrics
    metrics = 0.0
    if level != "DEFAULT":
        metrics += brokers * of["broker"]
    if level in {"PER_TOPIC_PER_BROKER", "PER_TOPIC_PER_PARTITION"}:
        metrics += brokers * topics * of["topic"]
    if level == "PER_TOPIC_PER_PARTITION":
        metrics += topics * of["partition"]
    return metrics


def _requests(found: Inventory, prices: Prices, assumed: Assumptions) -> Iterator[Line]:
    region = found.region
    if found.count["AWS::S3::Bucket"] and found.release:
        put, get = prices.of(region, "s3", "put"), prices.of(region, "s3", "get")
        yield _line("S3", _STORAGE, "storage", assumed.s3_gb, prices.of(region, "s3", "standard-first-50TB"))
        yield _line("S3", _STORAGE, "writes (PUT, LIST)", assumed.s3_puts, put)
        yield _line("S3", _STORAGE, "reads (GET)", assumed.s3_gets, get)
        if found.release.woodpecker:
            each = woodpecker_writes(assumed)
            channels = found.release.channels
            yield _line(
                "S3",
                "log: Woodpecker",
                f"writes of Woodpecker, {assumed.woodpecker_channels:g} to {channels} channels always written to",
                each * assumed.woodpecker_channels,
                put,
                most=each * max(channels, assumed.woodpecker_channels),
                note="not measured",
            )
    if found.count["rotated keys"]:
        keys = found.count["rotated keys"] * assumed.key_rotations
        yield _line("KMS", _KEYS, "rotations of keys", keys, prices.of(region, "kms", "key"))
        yield _line("KMS", _KEYS, "requests to keys", assumed.kms_requests, prices.of(region, "kms", "requests"))
    if found.count["secrets"]:
        price = prices.of(region, "secretsmanager", "requests")
        yield _line("Secrets Manager", _KEYS, "requests for secrets", assumed.secret_requests, price)


def _pipeline(found: Inventory, prices: Prices, assumed: Assumptions) -> Iterator[Line]:
    region = found.region
    for size in ("small", "medium"):
        builds = found.count[f"{size} builds"] * assumed.pipeline_runs * assumed.build_minutes
        if builds:
            price = prices.of(region, "codebuild", f"{size}-minute")
            yield _line("CodeBuild", "pipeline", f"builds on {size} Linux", builds, price)
    actions = found.count["actions"] * assumed.pipeline_runs * assumed.action_minutes
    if actions:
        yield _line("CodePipeline", "pipeline", "actions", actions, prices.of(region, "codepipeline", "action-minute"))
    if found.count["AWS::CodePipeline::Pipeline"]:
        price = prices.of(region, "s3", "standard-first-50TB")
        yield _line("S3", "pipeline", "artifacts", assumed.artifact_gb, price)


def woodpecker_writes(assumed: Assumptions) -> float:
    """Return the objects that Woodpecker writes to S3 in a month for a channel that is written to all the time."""
    return _SECONDS * 1000 / assumed.woodpecker_flush_ms


def _sum_of(names: Iterable[str], amounts: Mapping[Any, float]) -> float:
    return sum(amounts.get(name, 0) for name in names)


def _line(
    service: str,
    component: str,
    what: str,
    quantity: float,
    price: Price,
    *,
    most: float | None = None,
    note: str = "",
) -> Line:
    return Line(
        service=service,
        component=component,
        what=what,
        quantity=quantity,
        price=price,
        by_use=True,
        most=most,
        note=note,
    )
