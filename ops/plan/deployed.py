"""Reads what is deployed: each stack keeps its settings as properties of its guard (docs/adr/0012-change-guard.md)."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from ops import aws
from settings import Environment
from settings.parts import Part, stack_name
from settings.record import owner

GUARD = "Custom::ChangeGuard"


class Deployed(BaseModel):
    """The settings of a deployment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, Any]
    """By path; those of stacks that are not there, or keep none, are missing."""
    versions: dict[str, str]
    """Version of this project that deployed each stack."""
    parts: tuple[Part, ...]
    """The stacks that are there."""
    silent: tuple[str, ...]
    """Stacks that are there, but were deployed before they kept their settings."""


def read_deployed(env: Environment, *, client: aws.AwsClient) -> Deployed:
    """Return what the stacks of an environment keep, whatever its file says now.

    Raises:
        OpsError: AWS does not let them be read.
    """
    settings: dict[str, Any] = {}
    versions: dict[str, str] = {}
    found: list[Part] = []
    silent: list[str] = []
    for part in Part:
        name = stack_name(env, part)
        template = _template(client, name)
        if template is None:
            continue
        found.append(part)
        guards = [each for each in template["Resources"].values() if each["Type"] == GUARD]
        if not guards:
            silent.append(name)
            continue
        kept = json.loads(guards[0]["Properties"]["Settings"])
        versions[name] = guards[0]["Properties"].get("Version", "")
        # A stack may keep a copy of what another one is about; that one knows how it really is.
        settings |= {path: value for path, value in kept.items() if owner(path) is part or path not in settings}
    return Deployed(settings=settings, versions=versions, parts=tuple(found), silent=tuple(silent))


def _template(client: aws.AwsClient, name: str) -> dict[str, Any] | None:
    with aws.reading(f"the template of the stack {name}"):
        try:
            body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        except ClientError as error:
            if aws.is_missing_stack(error):
                return None
            raise
    # boto3 returns JSON as what it says, and a text where it holds another order of keys, or YAML.
    template: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
    return template
