"""Teaches the emulator's CloudFormation the missing types, and to check properties of every type.

``_RESOURCE_HANDLERS`` and its neighbours are private names of ministack, which has no public way to add a type: its
version is pinned exactly, and rehearsal/tests/started starts a real server (docs/adr/0004-emulated-account.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from rehearsal.account import (
    authority,
    corrections,
    delivery,
    eks,
    eks_rules,
    evictions,
    exports,
    identity,
    kafka,
    limits,
    names,
    network,
    offers,
    scaling,
    schemas,
    seed,
    zones,
)
from rehearsal.account.base import Created, Handler, Properties, Request, Rule
from rehearsal.account.eks_api import EksApi
from rehearsal.account.kafka_api import KafkaApi
from rehearsal.account.kubernetes_api import KubernetesApis
from rehearsal.account.kubernetes_handlers import kubernetes_handlers
from rehearsal.account.kubernetes_records import KubernetesRecords
from rehearsal.account.late_events import ControlPlaneEvents
from rehearsal.account.options import AccountOptions

# What AWS checks beyond the schema for types that the emulator provisions itself.
RULES: dict[str, Rule] = {
    "AWS::EC2::SecurityGroup": network.check_security_group,
    "AWS::EC2::Subnet": network.check_subnet,
    "AWS::EKS::Cluster": eks_rules.check_cluster,
    "AWS::EKS::Nodegroup": eks_rules.check_nodegroup,
    "AWS::SecretsManager::Secret": identity.check_secret,
}
# Their properties belong to the function behind them, or to the CDK itself.
_NO_SCHEMA = ("Custom::", "AWS::CloudFormation::CustomResource", "AWS::CDK::")

Call = Callable[..., Any]


def own_handlers(options: AccountOptions, records: KubernetesRecords) -> dict[str, Handler]:
    """Every type that this project adds to the emulator."""
    handlers = {**network.HANDLERS, **kafka.HANDLERS, **identity.HANDLERS, **eks.HANDLERS}
    handlers |= scaling.handlers() | delivery.handlers()
    if options.kubernetes is None:
        handlers |= kubernetes_handlers(records)
    return handlers


def install(options: AccountOptions) -> None:
    """Patches the emulator in this process; call once, before its server runs."""
    from ministack import app  # noqa: PLC0415 - it reads its options from the environment when imported
    from ministack.services import cloudformation, cloudwatch_logs, codebuild, ec2, msk, secretsmanager  # noqa: PLC0415 - they read the environment when imported
    from ministack.services import eks as eks_service  # noqa: PLC0415 - the same
    from ministack.services.cloudformation import handlers, provisioners, stacks  # noqa: PLC0415 - the same

    KafkaApi(msk, secretsmanager, options).install()
    records = KubernetesRecords(options)
    events = ControlPlaneEvents(cloudwatch_logs)
    EksApi(eks_service, ec2, options, KubernetesApis(records), events).install()
    quotas, places = limits.quotas_of(options.quotas), zones.Zones(options.zones, options.region)
    held = limits.Limits(quotas, eks_service._nodegroups.values)
    held.install(ec2, codebuild)
    stuck = evictions.Evictions(options.run_dir)
    places.install(ec2)
    offers.install(app, ec2, eks_service, msk, quotas=quotas, zones=places)
    exports.install(stacks, handlers, cloudformation)
    if options.network is not None:
        seed.seed(ec2, options.network)
    taken = names.Names(cloudwatch_logs._log_groups, secretsmanager._secrets)
    clients = _clients()
    rules = RULES | {
        "AWS::EC2::VPC": held.check_vpc,
        "AWS::Logs::LogGroup": taken.check_log_group,
        "AWS::SecretsManager::Secret": _both(taken.check_secret, identity.check_secret),
        "AWS::EC2::Subnet": _both(places.check_subnet, network.check_subnet),
        "AWS::EKS::Nodegroup": _both(_both(eks_rules.check_nodegroup, held.check_nodegroup), stuck.check_nodegroup),
    }
    own = own_handlers(options, records)
    for name, entry in provisioners._RESOURCE_HANDLERS.items():
        if not name.startswith(_NO_SCHEMA):
            provisioners._RESOURCE_HANDLERS[name] = _checked(name, entry, clients, rules.get(name))
    for name, handler in own.items():
        provisioners._RESOURCE_HANDLERS[name] = _adapted(name, handler, clients)
        if schemas.schema(name) is not None:
            provisioners._REPLACING_PROPERTIES.setdefault(name, schemas.replacing(name))
            # A change set names whole properties: one that replaces in part only is "Conditionally", as in AWS.
            provisioners._CONDITIONALLY_REPLACING_PROPERTIES.setdefault(name, schemas.perhaps_replacing(name))
    corrections.apply(provisioners, clients)
    authority.install(app, provisioners)
    blocking = stacks._runs_on_worker_thread
    # These call back into this server: they must not run on the thread that serves it.
    calling = {*own, *rules, *corrections.CALLING}
    stacks._runs_on_worker_thread = lambda name: name in calling or blocking(name)


def _clients() -> Callable[[str], Any]:
    endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    config = Config(retries={"max_attempts": 1}, proxies={}, parameter_validation=True)

    @cache
    def client(service: str, region: str, account: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="rehearsal",  # noqa: S106 - the emulator wants any key
            config=config,
        )

    def of_this_request(service: str) -> Any:
        from ministack.core import responses  # noqa: PLC0415 - holds the request's account and region

        return client(service, responses.get_region(), responses.get_account_id())

    return of_this_request


def _both(first: Rule, second: Rule) -> Rule:
    def check(request: Request) -> None:
        first(request)
        second(request)

    return check


def _checked(
    name: str, entry: dict[str, Any], clients: Callable[[str], Any], rule: Rule | None = None
) -> dict[str, Any]:
    """Return the emulator's own handler behind the schema check and AWS's rules."""

    def check(logical_id: str, properties: Properties, stack: str, **more: Any) -> None:
        schemas.check(name, logical_id, properties)
        if rule:
            rule(
                Request(type_name=name, logical_id=logical_id, stack=stack, properties=properties, aws=clients, **more)
            )

    wrapped = dict(entry)
    create: Call = entry["create"]

    def checked_create(logical_id: str, properties: Properties, stack: str) -> Any:
        check(logical_id, properties, stack)
        physical_id, attributes = create(logical_id, properties, stack)
        return physical_id, attributes

    wrapped["create"] = checked_create
    if "update" in entry:
        update: Call = entry["update"]

        def checked_update(physical_id: str, old: Properties, new: Properties, stack: str, *rest: str) -> Any:
            # A replacement is a new resource to AWS, also where the emulator's update handler does it.
            replaced = any(old.get(key) != new.get(key) for key in schemas.replacing(name))
            more = {} if replaced else {"physical_id": physical_id, "previous": old}
            check(rest[0] if rest else physical_id, new, stack, **more)
            return update(physical_id, old, new, stack, *rest)

        wrapped["update"] = checked_update
    return wrapped


def _adapted(name: str, handler: Handler, clients: Callable[[str], Any]) -> dict[str, Any]:
    """One of our handlers in the shape that the emulator calls."""

    def request(logical_id: str, properties: Properties, stack: str, **more: Any) -> Request:
        return Request(type_name=name, logical_id=logical_id, properties=properties, stack=stack, aws=clients, **more)

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        schemas.check(name, logical_id, properties)
        return handler.create(request(logical_id, properties, stack))

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        schemas.check(name, logical_id, new)
        return handler.update(request(logical_id, new, stack, physical_id=physical_id, previous=old))

    def delete(physical_id: str, properties: Properties, logical_id: str) -> None:
        handler.delete(request(logical_id or physical_id, properties, "", physical_id=physical_id))

    return {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
        "delete_with_logical_id": True,
    }
