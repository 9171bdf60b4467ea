"""Synthesizes whole pipelines for tests, each once in a run."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

import yaml

from settings import loader
from settings.waves import Placed, parse_pipeline, place
from tests.assemblies import folder_of_this_run
from tools.context import CONTEXT

PIPELINE_ACCOUNT, DEV_ACCOUNT, PROD_ACCOUNT = "111111111111", "222222222222", "333333333333"

_OTHER_SOURCES = {
    "codecommit": {"repository": "milvus-on-eks"},
    "s3": {"bucket": "milvus-sources", "key": "milvus-on-eks.zip"},
}


def pipeline_file(kind: str) -> dict[str, Any]:
    """Return a pipeline file by its kind.

    Args:
        kind: `shipped`; `three` for three accounts in two regions, `codecommit` or `s3` by source: made of that one.
    """
    data: dict[str, Any] = yaml.safe_load((loader.ENVIRONMENTS / "pipeline.yaml").read_text(encoding="utf-8"))
    if kind in _OTHER_SOURCES:
        data["source"] = {kind: _OTHER_SOURCES[kind]}
        data["waves"] = data["waves"][:1]
    if kind == "three":
        data["account"] = PIPELINE_ACCOUNT
        data["waves"] = [
            {"name": "dev", "environments": [{"environment": "dev", "account": DEV_ACCOUNT}]},
            {
                "name": "prod",
                "approval": True,
                "environments": [
                    {"environment": "prod", "account": PROD_ACCOUNT},
                    {"environment": "prod", "account": PROD_ACCOUNT, "region": "eu-west-1"},
                ],
            },
        ]
    return data


def file_with(*changes: tuple[str, Any], kind: str = "three") -> dict[str, Any]:
    """Return a pipeline file with settings changed, each given as a dotted path, with indexes for lists, and value."""
    data = copy.deepcopy(pipeline_file(kind))
    for path, value in changes:
        *parents, leaf = path.split(".")
        at: Any = data
        for parent in parents:
            at = at[int(parent)] if isinstance(at, list) else at.setdefault(parent, {})
        at[leaf] = value
    return data


def synthesize(data: dict[str, Any], folder: Path, **context: str) -> list[Placed]:
    """Write the cloud assembly of a pipeline file, cdk-nag included, and return the environments that it deploys.

    Args:
        data: The file.
        folder: Of the assembly.
        context: What a user gives by ``-c`` beside it.

    Raises:
        Exception: cdk-nag or the template validation found something that is not acknowledged.
    """
    # Imported here: the first import of aws_cdk takes seconds, which collection must not pay.
    import aws_cdk as cdk
    from cdk_nag import AwsSolutionsChecks

    from stacks.pipeline_stack import PipelineStack

    settings = parse_pipeline(data, source="test.yaml")
    waves = place(settings, source="test.yaml")
    app = cdk.App(outdir=str(folder), context={**CONTEXT, **context})
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
    PipelineStack(app, settings=settings, file="pipeline", waves=waves)
    app.synth()
    return [placed for wave in waves for placed in wave]


@functools.cache
def pipeline_assembly(kind: str) -> Path:
    """Return the folder of the cloud assembly of a kind of pipeline."""
    return folder_of_this_run(f"pipeline-{kind}", lambda folder: synthesize(pipeline_file(kind), folder))


@functools.cache
def pipeline_template(kind: str) -> dict[str, Any]:
    """Return the template of the pipeline's own stack."""
    path = pipeline_assembly(kind) / "milvus-delivery.template.json"
    template: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return template


def stage_template(kind: str, stage: str, part: str) -> dict[str, Any]:
    """Return the template of one stack of one stage."""
    folder = pipeline_assembly(kind) / f"assembly-milvus-delivery-{stage}"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for artifact in manifest["artifacts"].values():
        if artifact["type"] == "aws:cloudformation:stack" and artifact["properties"]["stackName"].endswith(f"-{part}"):
            template: dict[str, Any] = json.loads((folder / artifact["properties"]["templateFile"]).read_text("utf-8"))
            return template
    raise LookupError(f"no stack {part} in {folder}")


def stages(template: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the actions of each stage of the pipeline, in the order in which they run."""
    (pipeline,) = resources(template, "AWS::CodePipeline::Pipeline")
    return {
        stage["Name"]: sorted(stage["Actions"], key=lambda action: action["RunOrder"])
        for stage in pipeline["Properties"]["Stages"]
    }


def resources(template: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    """Return the resources of a type; none is an error, so that no test looks at nothing."""
    found = [resource for resource in template["Resources"].values() if resource["Type"] == resource_type]
    if not found:
        raise LookupError(f"no {resource_type} to look at")
    return found


def build_spec(project: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the buildspec of a project as CodeBuild would read it; values of the deployment stand as their JSON."""
    spec = project["Properties"]["Source"]["BuildSpec"]
    if isinstance(spec, dict):
        delimiter, parts = spec["Fn::Join"]
        spec = delimiter.join(part if isinstance(part, str) else "VALUE-OF-THE-DEPLOYMENT" for part in parts)
    elif not spec.startswith("{"):
        spec = (folder / spec).read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(spec)
    return parsed


def commands(spec: dict[str, Any]) -> list[str]:
    """Return the commands of a buildspec in the order in which they run."""
    return [command for name in ("install", "build") for command in spec["phases"].get(name, {}).get("commands", [])]


def project_of(template: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    """Return the build project that an action of the pipeline starts."""
    logical_id = action["Configuration"]["ProjectName"]["Ref"]
    project: dict[str, Any] = template["Resources"][logical_id]
    return project


def action_named(template: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the one action whose name ends so."""
    (found,) = [action for actions in stages(template).values() for action in actions if action["Name"].endswith(name)]
    return found
