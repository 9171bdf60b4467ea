"""A customer-managed KMS key for data at rest."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from milvus_constructs.removal import RemovalSetting, removal_policy

# KMS never deletes a key at once: 7 days is the shortest wait, 30 the longest.
_PENDING_DAYS = {"destroy": 7, "retain": 30}


class EncryptionKey(kms.Key):
    """A symmetric key that KMS rotates every year.

    Costs by the month and by request. Data whose key is gone is gone: with ``removal="retain"`` the key outlives its
    stack, with ``destroy`` it can be called back for 7 days (``aws kms cancel-key-deletion``).

    Example:
        >>> EncryptionKey(self, "Key", description="Data bucket of milvus-dev", removal="destroy")
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        removal: RemovalSetting,
        alias: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=description,
            alias=alias,
            enable_key_rotation=True,
            removal_policy=removal_policy(removal),
            pending_window=cdk.Duration.days(_PENDING_DAYS[removal]),
        )

    def grant_through(self, grantee: iam.IGrantable, service: str, *actions: str) -> iam.Grant:
        """Allow actions on the key, but only in requests that a service makes for the grantee: see `grant_through`."""
        return grant_through(self, grantee, service, *actions)


def grant_through(key: kms.IKey, grantee: iam.IGrantable, service: str, *actions: str) -> iam.Grant:
    """Allow actions on a key, but only in requests that a service makes for the grantee.

    The statement goes to the grantee alone, never into the key policy: a role of a later stack there would make
    the two stacks depend on each other (aws-cdk#10339). The key policy has to trust the account, as ours do.

    Args:
        key: The key.
        grantee: Who is allowed.
        service: Service in front of the key, such as ``s3`` or ``secretsmanager``.
        actions: KMS actions, such as ``kms:Decrypt``.
    """
    return iam.Grant.add_to_principal(
        grantee=grantee,
        actions=list(actions),
        resource_arns=[key.key_arn],
        conditions={"StringEquals": through(key, service)},
    )


def through(scope: IConstruct, service: str) -> dict[str, str | list[str]]:
    """Return what is equal in a request to KMS that a service of the scope's region makes for somebody."""
    stack = cdk.Stack.of(scope)
    name = f"{service}.{stack.region}.{stack.url_suffix}"
    # AWS's examples for China have both spellings, by service.
    in_china = not cdk.Token.is_unresolved(stack.region) and stack.region.startswith("cn-")
    return {"kms:ViaService": [name, f"{service}.{stack.region}.amazonaws.com"] if in_china else name}
