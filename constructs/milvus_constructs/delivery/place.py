"""Where a step of the pipeline works, and the roles that it may assume there."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam


@dataclass(frozen=True)
class Place:
    """An account and a region; None stands for the account of the running step."""

    account: str | None
    region: str
    qualifier: str
    """What the bootstrap there puts into the names of its roles.

    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
    """

    @property
    def options(self) -> str:
        """Return the place as options of a command."""
        account = f" --account {self.account}" if self.account else ""
        return f"--region {self.region}{account}"

    @property
    def lookup_role(self) -> str:
        """Return the name of the bootstrap's lookup role, which can only read."""
        return self._bootstrap_role("lookup")

    @property
    def deploy_role(self) -> str:
        """Return the name of the bootstrap's deploy role."""
        return self._bootstrap_role("deploy")

    def may_assume(self, role: str) -> iam.PolicyStatement:
        """Return the right to assume a role in this account; ``ACCOUNT`` in its name is the account's id."""
        account = self.account or cdk.Aws.ACCOUNT_ID
        name = role.replace("ACCOUNT", account)
        return iam.PolicyStatement(
            actions=["sts:AssumeRole"], resources=[f"arn:{cdk.Aws.PARTITION}:iam::{account}:role/{name}"]
        )

    def _bootstrap_role(self, kind: str) -> str:
        return f"cdk-{self.qualifier}-{kind}-role-{self.account or 'ACCOUNT'}-{self.region}"
