"""What every stack of this project is and has, so that none can forget it."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from milvus_constructs.change_guard import ChangeGuard
from milvus_constructs.logs import end_function_logs
from milvus_constructs.removal import RemovalSetting
from settings import Environment
from settings.parts import Part, protected_stacks, stack_name
from settings.record import record_of, rules_for


class ProjectStack(cdk.Stack):
    """A stack under its own name, in its place, with tags, whose functions' logs end.

    Whoever creates one calls `finish` when everything is in it. An aspect would need no call, but the CDK would ask
    Python about every construct of the app, which is a third of the time of a synth.

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
        self._removal: RemovalSetting = removal
        if boundary is not None:
            policy = iam.ManagedPolicy.from_managed_policy_name(self, "PermissionsBoundary", boundary)
            iam.PermissionsBoundary.of(self).apply(policy)

    def finish(self) -> None:
        """Do what concerns everything in the stack, once, when it is there."""
        end_function_logs(self, removal=self._removal)


class EnvironmentStack(ProjectStack):
    """A stack of an environment; protected where the environment is, unless it is easily made again.

    Everything in it waits for its guard, which fails an update of settings that cannot change so before anything else
    is touched (docs/adr/0012-change-guard.md).
    """

    def __init__(self, scope: Construct, part: Part, *, env: Environment, description: str) -> None:
        name = stack_name(env, part)
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
        settings = record_of(env, part)
        self._guard = ChangeGuard(
            self,
            "Guard",
            settings=settings,
            rules=rules_for(settings),
            accepted=[each.model_dump(mode="json", exclude={"reason"}) for each in env.changes.accept],
            removal=env.removal_policy,
        )

    def finish(self) -> None:
        """Let everything wait for the guard, too."""
        super().finish()
        for each in self.node.children:
            if each is not self._guard:
                each.node.add_dependency(self._guard.resource)
