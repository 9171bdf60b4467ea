"""What every build project of the delivery pipeline has: a pinned image, pinned tools, cached packages."""

from __future__ import annotations

import json
import shlex
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import pipelines
from aws_cdk.aws_logs import ILogGroup
from constructs import IConstruct

from _paths import ROOT
from settings.pipeline import Build

"""Root of this project."""

CDK_CLI: str = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]["aws-cdk"]
"""Version of the CDK command line in the steps that CDK Pipelines generates: the one that package.json pins."""

OPS_SETUP = ("make setup-ops", 'export PATH="$PWD/.venv/bin:$PATH"')
"""Installs what the day-2 commands need, and finds it."""

CDK_SETUP = ("make setup-cdk", 'export PATH="$PWD/node_modules/.bin:$PATH"')
"""Installs the CDK command line, which runs on the image's Node, and finds it."""

_UNPINNED = '"npm install -g aws-cdk"'
_PINNED = f'"npm install -g aws-cdk@{CDK_CLI}"'

# Where pip, uv and npm keep what they downloaded: beside the sources, whoever the build runs as.
_CACHE_DIRECTORIES = {
    "PIP_CACHE_DIR": ".cache/packages/pip",
    "UV_CACHE_DIR": ".cache/packages/uv",
    "npm_config_cache": ".cache/packages/npm",
}
_CACHED = ".cache/packages/**/*"


def build_image(settings: Build) -> codebuild.IBuildImage:
    """Return the image of the settings, for the processor that its name says."""
    if "aarch64" in settings.image:
        return codebuild.LinuxArmBuildImage.from_code_build_image_id(settings.image)
    return codebuild.LinuxBuildImage.from_code_build_image_id(settings.image)


def codebuild_environment(
    settings: Build, *, compute: codebuild.ComputeType = codebuild.ComputeType.SMALL
) -> codebuild.BuildEnvironment:
    """Return the build environment: no Docker, nothing that asks or reports, and packages where they are cached."""
    variables = {"CI": "true", "NO_COLOR": "1", "CDK_DISABLE_CLI_TELEMETRY": "true", **_CACHE_DIRECTORIES}
    return codebuild.BuildEnvironment(
        build_image=build_image(settings),
        compute_type=compute,
        privileged=False,
        environment_variables={
            name: codebuild.BuildEnvironmentVariable(value=value) for name, value in sorted(variables.items())
        },
    )


def runtime_spec(settings: Build) -> dict[str, Any]:
    """Return the part of a buildspec that pins Python and Node of the image, and names what is cached."""
    return {
        "version": "0.2",
        "phases": {"install": {"runtime-versions": {"python": settings.python, "nodejs": settings.node}}},
        "cache": {"paths": [_CACHED]},
    }


def build_defaults(settings: Build, *, cache: codebuild.Cache, logs: ILogGroup) -> pipelines.CodeBuildOptions:
    """Return what CDK Pipelines gives every project of a pipeline."""
    return pipelines.CodeBuildOptions(
        build_environment=codebuild_environment(settings),
        partial_build_spec=codebuild.BuildSpec.from_object(runtime_spec(settings)),
        cache=cache,
        logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=logs)),
    )


def pin_security_check(pipeline: IConstruct, settings: Build, *, logs: ILogGroup) -> None:
    """Give the project behind `ConfirmPermissionsBroadening` the pinned image and CDK command line, and an end of logs.

    CDK Pipelines passes none of them on to it: it installs whatever npm calls latest, on an image of its own choice.

    Args:
        pipeline: The pipeline, after it was built; nothing happens where no wave confirms permissions.
        settings: Image and runtimes.
        logs: What the other builds write to.

    Raises:
        ValueError: Another version of aws-cdk-lib installs it in another way.
    """
    projects = [
        construct
        for construct in cdk.Stack.of(pipeline).node.find_all()
        if isinstance(construct, codebuild.CfnProject) and "/CDKSecurityCheck/" in construct.node.path
    ]
    for project in projects:
        spec = cdk.Stack.of(project).resolve(project.source)["buildSpec"]
        # A buildspec as text in parts, between them the ARN of a function.
        delimiter, parts = spec["Fn::Join"]
        pinned = [part.replace(_UNPINNED, _PINNED) if isinstance(part, str) else part for part in parts]
        if pinned == parts:
            raise ValueError(
                f"{project.node.path}: does not install the CDK with {_UNPINNED} any more; look at its buildspec and "
                "adapt pin_security_check"
            )
        project.add_property_override("Source.BuildSpec", {"Fn::Join": [delimiter, pinned]})
        image = build_image(settings)
        project.add_property_override("Environment.Image", image.image_id)
        project.add_property_override("Environment.Type", image.type)
        project.add_property_override(
            "LogsConfig.CloudWatchLogs", {"Status": "ENABLED", "GroupName": logs.log_group_name}
        )
        owner = project.node.scope
        if not isinstance(owner, codebuild.Project):
            raise TypeError(f"{project.node.path}: is no part of a Project any more; adapt pin_security_check")
        logs.grant_write(owner)


def publish_with_the_cdk(pipeline: IConstruct, settings: Build) -> None:
    """Let the pinned CDK command line publish the assets of every environment, which it knows from the assembly.

    CDK Pipelines would install the program `cdk-assets`, which is released apart from the library: its newest version
    may not read what this version of the library writes, and then nothing can be deployed. Publishing reads each
    environment's bootstrap besides; see `bootstrap_reader` in `milvus_constructs.delivery.steps`. The pipeline's own
    assets are left to its self-mutation: this step has no right in the pipeline's account.

    Args:
        pipeline: The pipeline, after it was built.
        settings: Image and runtimes.
    """
    stacks = shlex.quote(f"{cdk.Stack.of(pipeline).node.path}/*/*")
    spec = runtime_spec(settings)
    spec["phases"]["install"]["commands"] = [f"npm install -g aws-cdk@{CDK_CLI}"]
    spec["phases"]["build"] = {"commands": [f"cdk publish-assets --unstable=publish-assets --app . {stacks}"]}
    for project in cdk.Stack.of(pipeline).node.find_all():
        if isinstance(project, codebuild.CfnProject) and "/Assets/" in project.node.path:
            project.add_property_override("Source.BuildSpec", json.dumps(spec, indent=2))
