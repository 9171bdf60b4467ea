"""Names that stay free when a stack is deleted and created again."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct


def stack_suffix(scope: Construct) -> str:
    """Return eight characters that a stack keeps for its life, and that its successor of the same name will not have.

    The first part of the UUID in the stack's ARN: arn:aws:cloudformation:region:account:stack/name/UUID. AWS lets go of
    some names late or never: retained resources, secrets in their recovery window, MSK configurations.
    """
    uuid = cdk.Fn.select(2, cdk.Fn.split("/", cdk.Stack.of(scope).stack_id))
    return cdk.Fn.select(0, cdk.Fn.split("-", uuid))
