"""One call of CloudFormation to a resource type: what it changes, and what is named in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Properties = dict[str, Any]

_GENERATED = "XXXXXXXXXXXX"
# CloudFormation begins the names that it makes for these with the logical id, for all others with the stack's name.
_BY_LOGICAL_ID = {
    "AWS::CodeBuild::Project": "{id}-{rest}",
    "AWS::SSM::Parameter": "CFN-{id}-{rest}",
    "AWS::SecretsManager::Secret": "{id}-{rest}",
    "AWS::StepFunctions::StateMachine": "{id}-{rest}",
    "AWS::Lambda::LayerVersion": "{id}{rest}",
}
_NAMES = {
    "AWS::CodeBuild::Project": "Name",
    "AWS::CodePipeline::Pipeline": "Name",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::EKS::Cluster": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::MSK::Cluster": "ClusterName",
    "AWS::MSK::Configuration": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SSM::Parameter": "Name",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a handler of CloudFormation is asked for.

    Attributes:
        kind: ``create``, ``update`` or ``delete``.
        previous: the properties before an update.
    """

    kind: str
    type_name: str
    logical_id: str
    stack: str
    properties: Properties
    region: str
    account: str
    physical_id: str = ""
    previous: Properties = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Region and account as they stand in an ARN."""
        return f"{self.region}:{self.account}"

    @property
    def service(self) -> str:
        """The type's service, as actions are prefixed."""
        service = self.type_name.split("::")[1].lower()
        return {"msk": "kafka", "stepfunctions": "states"}.get(service, service)

    @property
    def name(self) -> str:
        """The resource's name: the given one, or the one that CloudFormation makes."""
        if given := self.properties.get(_NAMES.get(self.type_name, "")):
            return str(given)
        shape = _BY_LOGICAL_ID.get(self.type_name, "{stack}-{id}-{rest}")
        made = shape.format(stack=self.stack, id=self.logical_id, rest=_GENERATED)
        return made.lower() if self.type_name == "AWS::S3::Bucket" else made

    def changed(self, name: str) -> bool:
        """Whether a property is given now, or was before."""
        return name in self.properties or name in self.previous

    def values(self, prefix: str) -> list[str]:
        """Return the texts anywhere in the properties that begin with ``prefix``."""
        return sorted({text for text in _texts([self.properties, self.previous]) if text.startswith(prefix)})


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _texts(each)
