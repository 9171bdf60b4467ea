"""The steps that the delivery pipeline adds around each environment: differences, gate, verification."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import pipelines

from milvus_constructs.delivery.builds import CDK_SETUP, OPS_SETUP
from milvus_constructs.delivery.place import Place
from milvus_constructs.delivery.verification import starter_role_name
from settings.parts import verification_name

_QUALIFIER_KEY = "@aws-cdk/core:bootstrapQualifier"
CHANGE_SET = "PipelineChange"
"""Name that CDK Pipelines gives the change set which it prepares and later executes."""


def synth_step(*, source: pipelines.IFileSetProducer, pipeline_file: str, qualifier: str) -> pipelines.CodeBuildStep:
    """Return the step that checks, tests and synthesizes; what it refuses goes no further.

    It has no right in any account: nothing is looked up at synth. cdk-nag and CDK's template validation run in the
    synthesis, so a finding stops the pipeline here.

    Args:
        source: The source tree.
        pipeline_file: Name of the pipeline's settings file.
        qualifier: Of the bootstrap, which the first deployment was given by ``-c``, and which each synthesis needs.
    """
    context = f"-c pipeline={pipeline_file}"
    if qualifier != cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER:
        context += f" -c {_QUALIFIER_KEY}={qualifier}"
    return pipelines.CodeBuildStep(
        "Synth",
        input=source,
        commands=[f"make check test synth CDK='cdk {context}'"],
        build_environment=codebuild.BuildEnvironment(compute_type=codebuild.ComputeType.MEDIUM),
    )


def differences_step(
    *, stage: cdk.Stage, place: Place, source: pipelines.IFileSetProducer, assembly: pipelines.IFileSetProducer
) -> pipelines.CodeBuildStep:
    """Return the step that publishes `cdk diff` of an environment, in its log and as its artifact.

    Args:
        stage: The environment's stage of the app.
        place: Where the environment is.
        source: The source tree.
        assembly: The synthesized app.

    It compares templates with the bootstrap's lookup role, which can only read.
    """
    stacks = shlex.quote(f"{stage.node.path}/*")
    file = f"differences/{stage.node.id}.txt"
    return pipelines.CodeBuildStep(
        f"Diff-{stage.node.id}",
        input=source,
        additional_inputs={"assembly": assembly},
        install_commands=list(CDK_SETUP),
        commands=[
            "mkdir -p differences",
            f"cdk diff --app assembly --method template {stacks} > {file} 2>&1 || {{ cat {file}; exit 1; }}",
            f"cat {file}",
        ],
        primary_output_directory="differences",
        role_policy_statements=[place.may_assume(place.lookup_role)],
    )


def gate_step(
    *, stack: cdk.Stack, place: Place, approvals: Mapping[str, str], source: pipelines.IFileSetProducer
) -> pipelines.CodeBuildStep:
    """Return the step between the preparation of a stack's change set and its execution.

    It judges the very change set that would be executed, not one of its own: nothing can come between. It reads with
    the bootstrap's lookup role.

    Args:
        stack: The stack whose change set is judged.
        place: Where it is.
        approvals: Reasons of approved losses by resource.
        source: The source tree.
    """
    approved = "".join(f" --approve {shlex.quote(f'{key}={reason}')}" for key, reason in sorted(approvals.items()))
    command = (
        f"python -m ops gate --stack {stack.stack_name} --change-set-name {CHANGE_SET}"
        f" {place.options} --role {place.lookup_role}{approved}"
    )
    return pipelines.CodeBuildStep(
        "Gate",
        input=source,
        install_commands=list(OPS_SETUP),
        commands=[command],
        role_policy_statements=[place.may_assume(place.lookup_role)],
    )


def verification_step(
    *, name: str, place: Place, pipeline_name: str, stage_name: str, source: pipelines.IFileSetProducer
) -> pipelines.CodeBuildStep:
    """Return the step that starts the environment's own verification project and waits for it.

    The project runs in the VPC of the environment (`milvus_constructs.delivery.verification`); this step may start it,
    with other commands than its own too, and read how it ended. When it failed, the log ends with the commands that
    roll back.

    Args:
        name: Name of the environment.
        place: Where it is.
        pipeline_name: Name of the pipeline, for the commands that roll back.
        stage_name: Name of the wave's stage in CodePipeline, for the same.
        source: The source tree.
    """
    role = starter_role_name(name, place.region)
    command = (
        f"python -m ops verify --project {verification_name(name)} {place.options} --role {role} "
        f"--pipeline {pipeline_name} --stage {stage_name}"
    )
    return pipelines.CodeBuildStep(
        "Verify",
        input=source,
        install_commands=list(OPS_SETUP),
        commands=[command],
        role_policy_statements=[place.may_assume(role)],
        # The project may wait for half an hour and run for 45 minutes.
        timeout=cdk.Duration.minutes(90),
    )


def protection_step(*, file: str, place: Place, source: pipelines.IFileSetProducer) -> pipelines.CodeBuildStep:
    """Return the step that protects an environment's stacks, or no longer, as the CDK's command line does.

    CloudFormation's actions of CodePipeline cannot (aws-cdk#17871). It acts as the bootstrap's deploy role: no other
    role of the bootstrap may do it, and that one is what deploys the stacks.

    Args:
        file: Name of the environment's settings file.
        place: Where it is.
        source: The source tree.
    """
    command = f"python -m ops protect --env {shlex.quote(file)} {place.options} --role {place.deploy_role}"
    return pipelines.CodeBuildStep(
        "Protect",
        input=source,
        install_commands=list(OPS_SETUP),
        commands=[command],
        role_policy_statements=[place.may_assume(place.deploy_role)],
    )


def bootstrap_reader(place: Place) -> iam.PolicyStatement:
    """Return the right to assume the bootstrap's deploy role in an environment's account, for publishing assets.

    Before it publishes, the CDK command line reads the version of the bootstrap, and it does so as the role that
    deploys, not as the one that looks up (`accessStackForReadOnlyStackOperations` in aws-cdk-cli's
    `lib/api/environment/environment-access.ts`). The step of the pipeline's self-mutation may assume the same role.
    """
    return place.may_assume(place.deploy_role)
