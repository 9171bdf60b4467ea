"""Creates all stacks of an environment and wires them."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from settings import Environment
from settings.parts import Part, stack_name
from settings.queue import Msk
from stacks.eks_stack import EksStack
from stacks.milvus_stack import MilvusStack
from stacks.network_stack import NetworkStack
from stacks.options import StackOptions
from stacks.storage_stack import StorageStack
from stacks.streaming_stack import StreamingStack

_DESCRIPTIONS = {
    Part.NETWORK: "the VPC, or endpoints in an existing one",
    Part.STORAGE: "buckets and their keys",
    Part.STREAMING: "Amazon MSK and the user of Milvus",
    Part.EKS: "the EKS cluster with nodes, add-ons and controllers",
    Part.MILVUS: "the release, its identity, credentials and load balancers",
}


@dataclass(frozen=True, kw_only=True)
class EnvironmentStacks:
    """The stacks of an environment."""

    network: NetworkStack
    storage: StorageStack
    streaming: StreamingStack | None
    """None where the queue is Woodpecker."""
    eks: EksStack
    milvus: MilvusStack


def build_environment(scope: Construct, env: Environment) -> EnvironmentStacks:
    """Create the stacks of an environment.

    Each stack depends on those whose values it uses and on nothing else: MSK and EKS, which take longest, are created
    at the same time (``make deploy``), and only Milvus waits for both.
    """
    network = NetworkStack(
        scope,
        stack_name(env, Part.NETWORK),
        settings=env.network,
        removal=env.removal_policy,
        **_options(env, Part.NETWORK),
    )
    storage = StorageStack(
        scope,
        stack_name(env, Part.STORAGE),
        settings=env.storage,
        removal=env.removal_policy,
        **_options(env, Part.STORAGE),
    )
    streaming = (
        StreamingStack(
            scope,
            stack_name(env, Part.STREAMING),
            name=env.name,
            settings=env.queue,
            vpc=network.vpc,
            subnets=network.private_subnets,
            removal=env.removal_policy,
            **_options(env, Part.STREAMING),
        )
        if isinstance(env.queue, Msk)
        else None
    )
    eks = EksStack(
        scope,
        stack_name(env, Part.EKS),
        settings=env,
        vpc=network.vpc,
        subnets=network.private_subnets,
        **_options(env, Part.EKS),
    )
    milvus = MilvusStack(
        scope,
        stack_name(env, Part.MILVUS),
        settings=env,
        eks=eks,
        storage=storage.storage,
        streaming=streaming,
        **_options(env, Part.MILVUS),
    )
    return EnvironmentStacks(network=network, storage=storage, streaming=streaming, eks=eks, milvus=milvus)


def _options(env: Environment, part: Part) -> StackOptions:
    # The release holds no data and is what gets replaced when something went wrong: nothing keeps it from going.
    protected = env.termination_protection and part is not Part.MILVUS
    return StackOptions(
        env=cdk.Environment(account=env.account, region=env.region),
        description=f"Milvus {env.name}: {_DESCRIPTIONS[part]}",
        # Given, so that a pipeline's stage puts nothing before it.
        stack_name=stack_name(env, part),
        tags=env.tags,
        termination_protection=protected,
    )
