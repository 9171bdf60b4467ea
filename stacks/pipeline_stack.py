"""The Pipeline stack: from a push to production, with a gate before each environment and a proof after it."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_logs as logs
from aws_cdk import pipelines
from constructs import Construct

from milvus_constructs.delivery import steps
from milvus_constructs.delivery.artifacts import PipelineArtifacts
from milvus_constructs.delivery.builds import CDK_CLI, build_defaults, pin_security_check, publish_with_the_cdk
from milvus_constructs.delivery.findings import accept_pipeline_findings, accept_replication_findings
from milvus_constructs.delivery.place import Place
from milvus_constructs.delivery.source import allow_connection, pipeline_source
from settings import Environment, loader
from settings.pipeline import Pipeline, Wave
from settings.waves import Placed, load_pipeline, place
from stacks.base import ProjectStack
from stacks.build import build_environment
from stacks.verification_stack import VerificationStack


def build_pipeline(scope: Construct, name: str, settings: Pipeline | None = None) -> list[Environment]:
    """Create the pipeline of ``environments/<name>.yaml`` and return the environments that it deploys.

    Args:
        scope: The app.
        name: Name of the file.
        settings: What the file would say, for whoever wants to see another pipeline; what it says if not given.

    Raises:
        SettingsError: The file, or that of an environment which it names, cannot be used.
    """
    settings = settings or load_pipeline(name)
    waves = place(settings, source=loader.file_name(name))
    PipelineStack(scope, settings=settings, file=name, waves=waves)
    return [placed.env for wave in waves for placed in wave]


class EnvironmentStage(cdk.Stage):
    """All stacks of one environment as the pipeline deploys them: those of `cdk deploy`, and the verification."""

    def __init__(self, scope: Construct, *, placed: Placed, pipeline: Pipeline, smoke: bool) -> None:
        env = placed.env
        super().__init__(scope, placed.stage, env=cdk.Environment(account=env.account, region=env.region))
        built = build_environment(self, env)
        if smoke:
            verification = VerificationStack(
                self,
                env=env,
                file=placed.target.environment,
                vpc=built.network.vpc,
                subnets=built.network.private_subnets,
                cluster=built.eks.cluster,
                build=pipeline.build,
                pipeline_account=pipeline.account,
                pipeline_name=pipeline.name,
            )
            verification.finish()
            for stack in self.node.children:
                if isinstance(stack, cdk.Stack) and stack is not verification:
                    verification.add_stack_dependency(stack)


class PipelineStack(ProjectStack):
    """A self-mutating CodePipeline (V2) that deploys the waves of a pipeline file, one after the other.

    Before each environment its differences are published and permissions are judged; between the preparation and the
    execution of each stack's change set a gate refuses the loss of data; afterwards the environment is proven from
    inside its VPC. A failure stops the wave and everything behind it. docs/delivery.md shows it.

    Costs: the minutes of its actions and builds, and a key in each region.
    """

    def __init__(self, scope: Construct, *, settings: Pipeline, file: str, waves: Sequence[Sequence[Placed]]) -> None:
        super().__init__(
            scope,
            settings.name,
            account=settings.account,
            region=settings.region,
            description="Milvus: delivery pipeline",
            tags=settings.tags,
            removal="destroy",
            boundary=settings.permissions_boundary,
        )
        self._settings = settings
        # That of the context key @aws-cdk/core:bootstrapQualifier: the same for all accounts of a pipeline.
        self._qualifier = self.synthesizer.bootstrap_qualifier or cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER
        # One for all builds: CodeBuild would make one for each project, without an end, and leave it behind.
        builds = logs.LogGroup(
            self, "Builds", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        artifacts = PipelineArtifacts(self, "Artifacts", cache_days=settings.build.cache_days)
        self._source = pipeline_source(self, settings.source)
        self._synth = steps.synth_step(source=self._source, pipeline_file=file, qualifier=self._qualifier)
        self.delivery = pipelines.CodePipeline(
            self,
            "Pipeline",
            pipeline_name=settings.name,
            # A newer push waits instead of overtaking: what was approved is what is deployed.
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            synth=self._synth,
            self_mutation=True,
            cli_version=CDK_CLI,
            artifact_bucket=artifacts.bucket,
            cross_account_keys=True,
            enable_key_rotation=True,
            publish_assets_in_parallel=False,
            asset_publishing_code_build_defaults=pipelines.CodeBuildOptions(
                role_policy=[steps.bootstrap_reader(self._place(placed)) for wave in waves for placed in wave]
            ),
            code_build_defaults=build_defaults(settings.build, cache=artifacts.cache("packages"), logs=builds),
        )
        for wave, placed in zip(settings.waves, waves, strict=True):
            self._add_wave(wave, placed)
        self.delivery.build_pipeline()
        allow_connection(self.delivery, settings.source)
        pin_security_check(self.delivery, settings.build, logs=builds)
        publish_with_the_cdk(self.delivery, settings.build)
        accept_pipeline_findings(self.delivery, buckets=[artifacts.bucket, artifacts.caches])
        accept_replication_findings(self.node.root, role=self.delivery.pipeline.role)
        self.finish()

    def _add_wave(self, wave: Wave, targets: Sequence[Placed]) -> None:
        added = self.delivery.add_wave(wave.name)
        # CDK Pipelines names the CodePipeline stage of a wave with one environment after the environment.
        stage_name = wave.name if len(targets) > 1 else targets[0].stage
        published = []
        for placed in targets:
            stage = EnvironmentStage(self, placed=placed, pipeline=self._settings, smoke=wave.smoke)
            published.append(
                steps.differences_step(
                    stage=stage, place=self._place(placed), source=self._source, assembly=self._synth
                )
            )
            before: list[pipelines.Step] = []
            if wave.confirm_permissions:
                before.append(pipelines.ConfirmPermissionsBroadening("Permissions", stage=stage))
            protect = steps.protection_step(
                file=placed.target.environment, place=self._place(placed), source=self._source
            )
            after: list[pipelines.Step] = [protect]
            if wave.smoke:
                verify = steps.verification_step(
                    name=placed.env.name,
                    place=self._place(placed),
                    pipeline_name=self._settings.name,
                    stage_name=stage_name,
                    source=self._source,
                )
                # Which fails where a stack is not protected.
                verify.add_step_dependency(protect)
                after.append(verify)
            added.add_stage(stage, pre=before, post=after, stack_steps=self._gates(stage, placed))
        added.add_pre(*published)
        if wave.approval:
            approval = pipelines.ManualApprovalStep(
                f"Approve-{wave.name}",
                comment=f"Read what {', '.join(step.id for step in published)} published before you approve.",
            )
            for step in published:
                approval.add_step_dependency(step)
            added.add_pre(approval)

    def _gates(self, stage: EnvironmentStage, placed: Placed) -> list[pipelines.StackSteps]:
        approvals = {f"{placed.env.name}-{part}": reasons for part, reasons in placed.target.approvals.items()}
        return [
            pipelines.StackSteps(
                stack=stack,
                change_set=[
                    steps.gate_step(
                        stack=stack,
                        place=self._place(placed),
                        approvals=approvals.get(stack.stack_name, {}),
                        source=self._source,
                    )
                ],
            )
            for stack in stage.node.children
            if isinstance(stack, cdk.Stack)
        ]

    def _place(self, placed: Placed) -> Place:
        return Place(placed.env.account, placed.env.region, self._qualifier)
