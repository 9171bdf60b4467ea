"""What every stack of this project is and has, so that none can forget it."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from milvus_constructs.logs import FunctionLogs
from milvus_constructs.removal import RemovalSetting
from settings import Environment
from settings.parts import protected_stacks


class ProjectStack(cdk.Stack):
    """A stack under its own name, in its place, with tags, whose functions' logs end.

    Args:
        scope: The app, or a pipeline's stage. The account may be left open: nothing is looked up at synth.
        name: Id, and name in CloudFormation: a stage would put its own name before it, and a pipeline would deploy a
            second environment beside the one that `cdk deploy` made.
        account: Account id; None means that of the credentials.
        region: Region.
        description: Description in CloudFormation.
        tags: Tags of every resource.
        removal: Whether the logs of CDK's functions outlive the stack.
        protected: Whether CloudFormation refuses to delete the stack.
        boundary: Name of the managed policy that limits every role of the stack, those of the CDK's functions too.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        account: str | None,
        region: str,
        description: str,
        tags: Mapping[str, str],
        removal: RemovalSetting,
        protected: bool = False,
        boundary: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=cdk.Environment(account=account, region=region),
            description=description,
            tags=tags,
            termination_protection=protected,
        )
        cdk.Aspects.of(self).add(FunctionLogs(self, removal=removal))
        if boundary is not None:
            policy = iam.ManagedPolicy.from_managed_policy_name(self, "PermissionsBoundary", boundary)
            iam.PermissionsBoundary.of(self).apply(policy)


class EnvironmentStack(ProjectStack):
    """A stack of an environment; protected where the environment is, unless it is easily made again."""

    def __init__(self, scope: Construct, name: str, *, env: Environment, description: str) -> None:
        super().__init__(
            scope,
            name,
            account=env.account,
            region=env.region,
            description=f"Milvus {env.name}: {description}",
            tags=env.tags,
            removal=env.removal_policy,
            protected=name in protected_stacks(env),
            boundary=env.permissions_boundary,
        )
