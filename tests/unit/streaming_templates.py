"""Templates of the Streaming stack, and of a client's stack, for tests."""

from __future__ import annotations

import functools
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from milvus_constructs.kafka.access import KafkaAccess
from milvus_constructs.removal import RemovalSetting
from settings import parse_environment
from settings.queue import BrokerStorage, Msk
from stacks.network_stack import NetworkStack
from stacks.streaming_stack import StreamingStack
from tests.unit.settings_files import file_with
from tools.context import CONTEXT


@functools.cache
def streaming(
    *,
    removal: RemovalSetting = "destroy",
    max_gib: int = 500,
    brokers: int = 3,
    private_cidrs: tuple[str, ...] = (),
) -> tuple[Template, Template]:
    """Return the templates of the Streaming stack and of a stack that may connect to it and read the secret."""
    app = cdk.App(context=CONTEXT)
    settings = Msk(
        kind="msk",
        brokers=brokers,
        storage=BrokerStorage(volume_gib=100, max_gib=max_gib),
        private_cidrs=private_cidrs,
    )
    env = parse_environment(file_with(("removal_policy", removal)), source="test")
    network = NetworkStack(app, env=env)
    kafka = StreamingStack(app, env=env, settings=settings, vpc=network.vpc, subnets=network.private_subnets)
    client = cdk.Stack(app, "client", env=cdk.Environment(region=env.region))
    group = ec2.SecurityGroup(client, "Cluster", vpc=network.vpc)
    KafkaAccess(client, "Kafka", brokers=kafka.security_group, client_security_group_id=group.security_group_id)
    kafka.user.grant_read(iam.Role(client, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com")))
    cdk.CfnOutput(client, "Brokers", value=kafka.bootstrap_brokers)
    network.finish()
    kafka.finish()
    return Template.from_stack(kafka), Template.from_stack(client)


def only(kind: str, template: Template | None = None) -> dict[str, Any]:
    """Return the one resource of a type, in the Streaming stack if no other template is given."""
    [resource] = (template or streaming()[0]).find_resources(kind).values()
    return dict(resource)
