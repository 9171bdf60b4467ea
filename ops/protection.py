"""Gives each stack the protection that the settings ask for: CodePipeline makes them without (aws-cdk#17871)."""

from __future__ import annotations

from ops import aws
from ops.stacks import MISSING, Stack, read_stacks, require_deployed
from settings import Environment
from settings.parts import Part, stack_name


def protect(env: Environment, *, client: aws.AwsClient) -> tuple[Stack, ...]:
    """Switch the protection of stacks on or off, as the CDK's command line does; return those that were changed.

    A protection of Milvus's stack is nobody's here, and is left as it is.

    Args:
        env: The environment.
        client: CloudFormation.

    Raises:
        OpsError: Nothing of the environment is deployed, or a stack cannot be read or changed.
    """
    stacks = read_stacks(env, client=client)
    require_deployed(env, stacks)
    changed = []
    for stack in stacks:
        wanted = stack.protection_asked
        if stack.state == MISSING or wanted == stack.protected or stack.name == stack_name(env, Part.MILVUS):
            continue
        with aws.reading(f"the protection of the stack {stack.name}"):
            client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=wanted)
        changed.append(stack.model_copy(update={"protected": wanted}))
    return tuple(changed)
