"""The steps that the delivery pipeline adds around each environment: differences, gate, verification."""

from __future__ import annotations

import shlex

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import pipelines

from milvus_constructs.delivery.builds import CDK_SETUP, OPS_SETUP
from milvus_constructs.delivery.verification import starter_role_name, verification_project_name
from settings.environment import Environment
from settings.waves import Placed

CHANGE_SET = "PipelineChange"
"""Name that CDK Pipelines gives the change set which it prepares and later executes."""

# Qualifier of a standard bootstrap: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
_QUALIFIER = "hnb659fds"


def synth_step(*, source: pipelines.IFileSetProducer, pipeline_file: str) -> pipelines.CodeBuildStep:
    """Return the step that checks, tests and synthesizes; what it refuses goes no further.

    It has no right in any account: nothing is looked up at synth. cdk-nag and CDK's template validation run in the
    synthesis, so a finding stops the pipeline here.
    """
    return pipelines.CodeBuildStep(
        "Synth",
        input=source,
        commands=[f"make check test synth CDK='cdk -c pipeline={pipeline_file}'"],
        primary_output_directory="cdk.out",
        build_environment=codebuild.BuildEnvironment(compute_type=codebuild.ComputeType.MEDIUM),
    )


def differences_step(
    *, stage: cdk.Stage, env: Environment, source: pipelines.IFileSetProducer, assembly: pipelines.IFileSetProducer
) -> pipelines.CodeBuildStep:
    """Return the step that publishes `cdk diff` of an environment, in its log and as its artifact.

    Args:
        stage: The environment's stage of the app.
        env: The environment.
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
        role_policy_statements=[lookup(env)],
    )


def gate_step(*, placed: Placed, stack: cdk.Stack, source: pipelines.IFileSetProducer) -> pipelines.CodeBuildStep:
    """Return the step between the preparation of a stack's change set and its execution.

    It judges the very change set that would be executed, not one of its own: nothing can come between. It reads with
    the bootstrap's lookup role.

    Args:
        placed: The environment, its place and its approvals.
        stack: The stack whose change set is judged.
        source: The source tree.
    """
    env = placed.env
    part = stack.stack_name.removeprefix(f"{env.name}-")
    approved = {str(key): value for key, value in placed.target.approvals.items()}.get(part, {})
    approvals = "".join(f" --approve {shlex.quote(f'{key}={reason}')}" for key, reason in sorted(approved.items()))
    command = (
        f"python -m ops gate --stack {stack.stack_name} --change-set-name {CHANGE_SET}"
        f"{_place(env)} --role {_lookup_role(env)}{approvals}"
    )
    return pipelines.CodeBuildStep(
        "Gate",
        input=source,
        install_commands=list(OPS_SETUP),
        commands=[command],
        role_policy_statements=[lookup(env)],
    )


def verification_step(
    *, placed: Placed, pipeline_name: str, stage_name: str, source: pipelines.IFileSetProducer
) -> pipelines.CodeBuildStep:
    """Return the step that starts the environment's own verification project and waits for it.

    The project runs in the VPC of the environment (`milvus_constructs.delivery.verification`); this step may do nothing
    but start it and read how it ended. When it failed, the log ends with the commands that roll back.

    Args:
        placed: The environment and its place.
        pipeline_name: Name of the pipeline, for the commands that roll back.
        stage_name: Name of the wave's stage in CodePipeline, for the same.
        source: The source tree.
    """
    env = placed.env
    role = starter_role_name(env)
    command = (
        f"python -m ops verify --project {verification_project_name(env)}{_place(env)} --role {role} "
        f"--pipeline {pipeline_name} --stage {stage_name}"
    )
    return pipelines.CodeBuildStep(
        "Verify",
        input=source,
        install_commands=list(OPS_SETUP),
        commands=[command],
        role_policy_statements=[_assume(role, env)],
        # The project may wait for half an hour and run for 45 minutes.
        timeout=cdk.Duration.minutes(90),
    )


def lookup(env: Environment) -> iam.PolicyStatement:
    """Return the right to assume the bootstrap's lookup role in an environment's account: it can only read."""
    return _assume(_lookup_role(env), env)


def bootstrap_reader(env: Environment) -> iam.PolicyStatement:
    """Return the right to assume the bootstrap's deploy role in an environment's account, for publishing assets.

    Before it publishes, the CDK command line reads the version of the bootstrap, and it does so as the role that
    deploys, not as the one that looks up (`accessStackForReadOnlyStackOperations` in aws-cdk-cli's
    `lib/api/environment/environment-access.ts`). The step of the pipeline's self-mutation may assume the same role.
    """
    return _assume(f"cdk-{_QUALIFIER}-deploy-role-{env.account or 'ACCOUNT'}-{env.region}", env)


def _place(env: Environment) -> str:
    account = f" --account {env.account}" if env.account else ""
    return f" --region {env.region}{account}"


def _lookup_role(env: Environment) -> str:
    # ACCOUNT stands for the account of the running step, where the settings leave it open.
    return f"cdk-{_QUALIFIER}-lookup-role-{env.account or 'ACCOUNT'}-{env.region}"


def _assume(role: str, env: Environment) -> iam.PolicyStatement:
    account = env.account or cdk.Aws.ACCOUNT_ID
    name = role.replace("ACCOUNT", account)
    return iam.PolicyStatement(
        actions=["sts:AssumeRole"], resources=[f"arn:{cdk.Aws.PARTITION}:iam::{account}:role/{name}"]
    )
