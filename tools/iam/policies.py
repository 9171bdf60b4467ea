"""Writes policies/*.json: the least that deploying, comparing, bootstrapping, destroying and `ops doctor` need.

What CloudFormation needs for a resource type of the templates stands in the type's public schema
(``handlers.*.permissions``), which cfn-lint ships. `python -m tools.iam.policies` writes the files, a test fails where
they differ.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from _paths import ROOT
from ops.cost import queries
from ops.doctor.permissions import PERMISSIONS
from settings.pipeline import CodeCommit, Connection, S3Source, Source
from tools.context import CONTEXT
from tools.iam.boundary import boundary_policy, bounded_policy
from tools.iam.destroy import destroy_policy
from tools.iam.scopes import (
    ADDED,
    BOOTSTRAP_SCOPES,
    CONDITIONS,
    ELSEWHERE,
    FILES,
    LINKED_ROLES,
    NOT_NEEDED,
    SCOPES,
    TOOLKIT_ACTIONS,
)
from tools.schemas import schema

POLICIES = ROOT / "policies"
SOURCES = (
    Source(
        connection=Connection(
            arn="arn:aws:codeconnections:us-east-2:111111111111:connection/00000000-0000-0000-0000-000000000000",
            repository="your-organization/milvus-on-eks",
        )
    ),
    Source(codecommit=CodeCommit(repository="milvus-on-eks")),
    Source(s3=S3Source(bucket="milvus-sources", key="milvus-on-eks.zip")),
)
"""One source of each kind that a pipeline can have."""
_BOOTSTRAP_TEMPLATE = ROOT / "node_modules/aws-cdk/lib/api/bootstrap/bootstrap-template.yaml"
# CloudFormation lists nothing when it creates, updates or deletes a stack.
_HANDLERS = ("create", "read", "update", "delete")

Template = dict[str, Any]
Policy = dict[str, Any]


def resource_types(templates: Iterable[Template]) -> set[str]:
    """Return the types of all resources."""
    return {resource["Type"] for template in templates for resource in template.get("Resources", {}).values()}


def actions_of(resource_type: str) -> set[str]:
    """Return the actions that CloudFormation's handlers of a type need, less what this project never asks of them.

    A few are needed that no schema lists.

    Raises:
        LookupError: The schemas say nothing about the type, and `tools.iam.scopes.ELSEWHERE` does not either.
    """
    if resource_type.startswith("Custom::"):
        return {"lambda:InvokeFunction"}
    if resource_type in ELSEWHERE:
        return set(ELSEWHERE[resource_type])
    listed = _permissions(resource_type)
    if not listed:
        raise LookupError(
            f"{resource_type}: cfn-lint's schemas list no permissions for it; add them to ELSEWHERE in "
            "tools/iam/scopes.py, with their source"
        )
    needed = {action for action in listed if not any(action.startswith(prefix) for prefix in NOT_NEEDED)}
    return needed | set(ADDED.get(resource_type, ()))


def service_principals(templates: Iterable[Template]) -> list[str]:
    """Return the services that the templates' roles are made for: no role may be passed to another one."""
    found: set[str] = set()
    for template in templates:
        for resource in template.get("Resources", {}).values():
            if resource["Type"] == "AWS::IAM::Role":
                document = resource["Properties"]["AssumeRolePolicyDocument"]
                found |= {name for statement in document["Statement"] for name in _services(statement)}
    return sorted(found)


def execution_policies(templates: list[Template]) -> dict[str, Policy]:
    """Return the policies of the role with which CloudFormation deploys, by file name."""
    needed = set().union(*(actions_of(each) for each in resource_types(templates)))
    # The bootstrap's version is a parameter of every stack, and assets lie in the bootstrap's bucket.
    needed |= {"ssm:GetParameters", "s3:GetObject"}
    # The service was renamed, its older actions stay valid; which one is asked for depends on the connection's ARN.
    needed |= {f"codeconnections:{_name(a)}" for a in needed if _service(a) == "codestar-connections"}
    return {
        name: _document(_statements({a for a in needed if _service(a) in services}, SCOPES, templates))
        for name, services in FILES.items()
    }


def bootstrap_policy(template: Template) -> Policy:
    """Return what `cdk bootstrap` needs: CloudFormation's calls, and its resources, which it makes as the caller."""
    needed = set().union(*(actions_of(each) for each in resource_types([template])))
    # The bucket's and the repository's handlers ask for keys; a standard bootstrap has none of its own.
    needed = {action for action in needed if _service(action) != "kms"}
    return _document(_statements(needed | set(TOOLKIT_ACTIONS), BOOTSTRAP_SCOPES, [template]))


def caller_policy(manifests: Iterable[dict[str, Any]], *, deploy: bool) -> Policy:
    """Return what a person or a job needs that runs `cdk deploy` or `cdk diff`: the bootstrap's roles, nothing else.

    Args:
        manifests: manifest.json of every assembly; they name the roles.
        deploy: Whether the roles that change something are among them.
    """
    names: set[str] = set()
    for artifact in (artifact for manifest in manifests for artifact in manifest["artifacts"].values()):
        properties = artifact.get("properties", {})
        if artifact["type"] == "aws:cloudformation:stack":
            names.add(_role_name(properties["lookupRole"]["arn"]))
            if deploy:
                names |= {_role_name(properties["assumeRoleArn"]), "cdk-hnb659fds-file-publishing-role-*"}
    resources = [f"arn:aws:iam::*:role/{name}" for name in sorted(names)]
    return _document([{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": resources}])


def doctor_policy() -> Policy:
    """Return what `ops doctor` reads."""
    return _document(
        [
            {
                "Effect": "Allow",
                "Action": sorted(action for action, of in PERMISSIONS.items() if of == resource),
                "Resource": [resource],
            }
            for resource in sorted(set(PERMISSIONS.values()))
        ]
    )


def cost_policy() -> Policy:
    """Return what `ops cost --refresh` reads: prices, which belong to nobody."""
    return _document([{"Effect": "Allow", "Action": sorted(queries.PERMISSIONS), "Resource": ["*"]}])


def all_policies(templates: list[Template], manifests: list[dict[str, Any]]) -> dict[str, Policy]:
    """Return every policy by the name of its file under policies/."""
    return {
        **execution_policies(templates),
        "bootstrap.json": bootstrap_policy(bootstrap_template()),
        "cost.json": cost_policy(),
        "destroy.json": destroy_policy(),
        "deploy.json": caller_policy(manifests, deploy=True),
        "diff-only.json": caller_policy(manifests, deploy=False),
        "doctor.json": doctor_policy(),
        "boundary.json": boundary_policy(),
        "execution-bounded.json": bounded_policy(),
    }


def bootstrap_template() -> Template:
    """Return the template that `cdk bootstrap` of the locked CDK command line deploys, without what options add."""
    template: Template = yaml.safe_load(_BOOTSTRAP_TEMPLATE.read_text(encoding="utf-8"))
    kept = {
        name: resource
        for name, resource in template["Resources"].items()
        # A key only with --bootstrap-customer-key, a managed policy only with --example-permissions-boundary.
        if resource["Type"] not in {"AWS::KMS::Key", "AWS::KMS::Alias", "AWS::IAM::ManagedPolicy"}
    }
    return {**template, "Resources": kept}


def written(policy: Policy) -> str:
    """Return the text of a policy's file."""
    return json.dumps(policy, indent=2) + "\n"


def assemblies(folder: Path) -> Iterator[Path]:
    """Synthesize every environment and pipeline below a folder; yield the folders with templates."""
    import aws_cdk as cdk  # noqa: PLC0415 - costs seconds that importing this module must not

    from settings import available, load_environment  # noqa: PLC0415 - the same
    from settings.waves import available_pipelines, load_pipeline  # noqa: PLC0415 - the same
    from stacks.build import build_environment  # noqa: PLC0415 - the same
    from stacks.pipeline_stack import build_pipeline  # noqa: PLC0415 - the same

    for name in available():
        app = cdk.App(outdir=str(folder / name), context=CONTEXT)
        build_environment(app, load_environment(name))
        yield Path(app.synth().directory)
    for name in available_pipelines():
        settings = load_pipeline(name)
        # With each kind of source, not only the file's: for CodeCommit, say, a rule starts the pipeline.
        for source in SOURCES:
            app = cdk.App(outdir=str(folder / f"{name}-{source.given[0]}"), context=CONTEXT)
            build_pipeline(app, name, settings.model_copy(update={"source": source}))
            yield Path(app.synth().directory)


def read_assemblies(folders: Iterable[Path]) -> tuple[list[Template], list[dict[str, Any]]]:
    """Return the templates and the manifests of assemblies, those of stages included."""
    templates: list[Template] = []
    manifests: list[dict[str, Any]] = []
    for folder in folders:
        templates += [
            _json(path) for path in sorted(folder.rglob("*.template.json")) if "asset." not in path.parent.name
        ]
        manifests += [_json(path) for path in sorted(folder.rglob("manifest.json")) if "asset." not in path.parent.name]
    return templates, manifests


def _statements(actions: set[str], scopes: dict[str, tuple[str, ...]], templates: list[Template]) -> list[Policy]:
    found = []
    for service in sorted({_service(action) for action in actions}):
        mine = sorted(action for action in actions if _service(action) == service)
        special = [action for action in mine if action in {"iam:PassRole", "iam:CreateServiceLinkedRole"}]
        limits = {
            action: (scopes.get(action, scopes.get(service, ("*",))), CONDITIONS.get(action, {}))
            for action in mine
            if action not in special
        }
        for limit in sorted(limits.values(), key=repr):
            same = [action for action in limits if limits[action] == limit]
            condition = {"Condition": limit[1]} if limit[1] else {}
            statement = {"Effect": "Allow", "Action": same, "Resource": list(limit[0]), **condition}
            if statement not in found:
                found.append(statement)
        found += [_special(action, scopes, templates) for action in special]
    return found


def _special(action: str, scopes: dict[str, tuple[str, ...]], templates: list[Template]) -> Policy:
    if action == "iam:PassRole":
        condition = {"StringEquals": {"iam:PassedToService": service_principals(templates)}}
        return {"Effect": "Allow", "Action": [action], "Resource": list(scopes["iam"]), "Condition": condition}
    return {
        "Effect": "Allow",
        "Action": [action],
        "Resource": ["arn:aws:iam::*:role/aws-service-role/*"],
        "Condition": {"StringEquals": {"iam:AWSServiceName": list(LINKED_ROLES)}},
    }


def _document(statements: list[Policy]) -> Policy:
    return {"Version": "2012-10-17", "Statement": statements}


def _service(action: str) -> str:
    return action.split(":", maxsplit=1)[0]


def _name(action: str) -> str:
    return action.split(":", maxsplit=1)[1]


def _services(statement: Policy) -> list[str]:
    service = statement.get("Principal", {}).get("Service", []) if isinstance(statement.get("Principal"), dict) else []
    return [each for each in (service if isinstance(service, list) else [service]) if isinstance(each, str)]


def _role_name(arn: str) -> str:
    """Return a role's name with account and region left open: ``cdk-hnb659fds-deploy-role-*``."""
    name = arn.rsplit("/", maxsplit=1)[-1]
    return name[: name.index("-role-")] + "-role-*"


@cache
def _permissions(resource_type: str) -> tuple[str, ...]:
    handlers = (schema(resource_type) or {}).get("handlers", {})
    listed = {each for name in _HANDLERS for each in handlers.get(name, {}).get("permissions", [])}
    # Two spellings of one service stand in the schemas; IAM does not tell them apart.
    return tuple(sorted(f"{_service(each).lower()}:{each.split(':', 1)[1]}" for each in listed))


@cache
def _json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    return json.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    """Write the files."""
    POLICIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        templates, manifests = read_assemblies(assemblies(Path(folder)))
    for name, policy in all_policies(templates, manifests).items():
        (POLICIES / name).write_text(written(policy), encoding="utf-8")


if __name__ == "__main__":
    main()
