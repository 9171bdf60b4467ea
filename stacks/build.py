"""Creates all stacks of an environment and wires them."""

from __future__ import annotations

from dataclasses import dataclass

from constructs import Construct

from settings import Environment
from settings.queue import Msk
from stacks.eks_stack import EksStack
from stacks.milvus_stack import MilvusStack
from stacks.network_stack import NetworkStack
from stacks.storage_stack import StorageStack
from stacks.streaming_stack import StreamingStack


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
    at the same time (``cdk deploy --all --concurrency 4``), and only Milvus waits for both.
    """
    network = NetworkStack(scope, env=env)
    vpc, subnets = network.vpc, network.private_subnets
    storage = StorageStack(scope, env=env)
    streaming = (
        StreamingStack(scope, env=env, settings=env.queue, vpc=vpc, subnets=subnets)
        if isinstance(env.queue, Msk)
        else None
    )
    eks = EksStack(scope, env=env, vpc=vpc, subnets=subnets)
    milvus = MilvusStack(scope, env=env, eks=eks, storage=storage.storage, streaming=streaming)
    for stack in (network, storage, streaming, eks, milvus):
        if stack is not None:
            stack.finish()
    # With a bucket that exists nothing of the Storage stack is used; its guard has to be asked first all the same.
    milvus.add_stack_dependency(storage)
    return EnvironmentStacks(network=network, storage=storage, streaming=streaming, eks=eks, milvus=milvus)
