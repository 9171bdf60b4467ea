"""Reads the stacks of an environment: their state, and their outputs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from ops import aws
from ops.errors import OpsError, one_line
from settings import Environment
from settings.parts import parts, protected_stacks, stack_name

MISSING = "NOT_DEPLOYED"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
_HEALTHY = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})


class Stack(BaseModel):
    """A stack as CloudFormation describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    state: str
    reason: str = ""
    updated: datetime | None = None
    outputs: dict[str, str] = Field(default_factory=dict)
    protected: bool = False
    """Whether CloudFormation refuses to delete it."""
    protection_asked: bool = False
    """Whether the settings ask for that."""

    @property
    def healthy(self) -> bool:
        """Whether the last change of the stack went through."""
        return self.state in _HEALTHY

    @property
    def unprotected(self) -> bool:
        """Whether it is there without the protection that the settings ask for."""
        return self.state != MISSING and self.protection_asked and not self.protected

    @property
    def busy(self) -> bool:
        """Whether a change is under way."""
        return self.state.endswith("_IN_PROGRESS")


def read_stacks(env: Environment, *, client: aws.AwsClient | None = None) -> tuple[Stack, ...]:
    """Return every stack that the environment should have, in the order of deployment."""
    cloudformation = client or aws.client("cloudformation", region=env.region)
    protected = protected_stacks(env)
    names = [stack_name(env, part) for part in parts(env)]
    return tuple(_read(cloudformation, name, protection_asked=name in protected) for name in names)


def outputs_of(stacks: Sequence[Stack]) -> dict[str, str]:
    """Return the outputs of all stacks; their keys are unique by design (`settings.output_keys`)."""
    return {key: value for stack in stacks for key, value in stack.outputs.items()}


def _read(cloudformation: aws.AwsClient, name: str, *, protection_asked: bool) -> Stack:
    missing = Stack(name=name, state=MISSING, protection_asked=protection_asked)
    with aws.reading(f"the stack {name}"):
        try:
            answer = cloudformation.describe_stacks(StackName=name)
        except ClientError as error:
            if aws.is_missing_stack(error):
                return missing
            raise
    if not answer.get("Stacks"):
        return missing
    found = answer["Stacks"][0]
    return Stack(
        name=name,
        state=found["StackStatus"],
        reason=one_line(found.get("StackStatusReason") or ""),
        updated=found.get("LastUpdatedTime") or found.get("CreationTime"),
        outputs={output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
        protected=bool(found.get("EnableTerminationProtection")),
        protection_asked=protection_asked,
    )


def require_deployed(env: Environment, stacks: Sequence[Stack]) -> None:
    """Raise `OpsError` if not one stack of the environment exists."""
    if all(stack.state == MISSING for stack in stacks):
        raise OpsError(
            f"environment {env.name} is not deployed in {env.region}: there is no stack {stacks[0].name}",
            remedy="Deploy it (`make deploy ENV=...`), or check AWS_PROFILE: it may be another account",
        )
