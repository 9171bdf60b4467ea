"""Settings of the delivery pipeline: where the source is, the waves of environments, and the gates before each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from settings import loader
from settings.base import Problem, Rule, Settings, SettingsFile
from settings.environment import Environment
from settings.naming import Part
from settings.regions import Region

AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
Approved = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,255}(@[A-Za-z0-9:/_.-]{1,1024})?$")]
"""A logical id, or one with the physical id that it stands for now."""
Reason = Annotated[str, Field(pattern=r"^[A-Za-z0-9 .,:;/#()_+-]{10,200}$")]
"""Plain characters: it travels through a shell."""
Branch = Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,255}$")]


class Connection(Settings):
    """A repository at GitHub, GitLab or Bitbucket, through a CodeConnections (CodeStar) connection."""

    arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:(codestar-connections|codeconnections):[a-z0-9-]+:\d{12}:connection/[0-9a-f-]{36}$",
        description="ARN of the connection; somebody has authorized it once in the console (status AVAILABLE).",
    )
    repository: str = Field(
        pattern=r"^[\w.-]+(/[\w.-]+)+$", description="Repository as owner/name; GitLab groups may be nested."
    )
    branch: Branch = Field(default="main", description="Branch whose pushes start the pipeline.")


class CodeCommit(Settings):
    """A CodeCommit repository in the pipeline's account and region."""

    repository: str = Field(pattern=r"^[\w.-]{1,100}$", description="Name of the repository.")
    branch: Branch = Field(default="main", description="Branch whose pushes start the pipeline.")


class S3Source(Settings):
    """A zip of the source tree in a versioned bucket, for sources that no connection reaches."""

    bucket: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="Bucket; versioning must be on for pushes to count."
    )
    key: str = Field(pattern=r"^[A-Za-z0-9_./-]+\.zip$", max_length=512, description="Key of the zip file.")


class Source(Settings):
    """Where the pipeline takes the source from: exactly one of the three."""

    connection: Connection | None = Field(default=None, description="GitHub, GitLab or Bitbucket.")
    codecommit: CodeCommit | None = Field(default=None, description="CodeCommit.")
    s3: S3Source | None = Field(default=None, description="A zip file in a bucket.")

    @property
    def given(self) -> list[str]:
        """Return the kinds that the file names."""
        return [name for name in Source.model_fields if getattr(self, name) is not None]


class Build(Settings):
    """What the build projects run on. Python packages, Node and the CDK command line are pinned by their lock files."""

    image: str = Field(
        default="aws/codebuild/amazonlinux-x86_64-standard:5.0",
        pattern=r"^aws/codebuild/[a-z0-9_-]+:\d+\.\d+(-[\d.]+)?$",
        description="CodeBuild image with its version; `aws codebuild list-curated-environment-images` lists the "
        "dated ones, such as ...:5.0-25.10.01, which never change.",
    )
    python: str = Field(
        default="3.12", pattern=r"^3\.1[1-9]$", description="Python of the image; the requirements need 3.11 or newer."
    )
    node: str = Field(
        default="22",
        pattern=r"^(22|24)$",
        description="Node of the image, for the steps that CDK Pipelines generates. The project's own steps use the "
        "Node that requirements.txt pins.",
    )
    cache_days: int = Field(default=30, ge=1, le=365, description="Days that the caches of pip and npm are kept.")


class Target(Settings):
    """An environment that a wave deploys, in the account and region of its file or in others."""

    environment: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="Name of the file under environments/.")
    account: AccountId | None = Field(default=None, description="Account instead of the file's, in quotes.")
    region: Region | None = Field(default=None, description="Region instead of the file's.")
    approvals: dict[Part, dict[Approved, Reason]] = Field(
        default_factory=dict,
        description="Replacements and deletions of stateful resources that may pass, by stack and logical id, each "
        "with its reason. As LOGICAL_ID@PHYSICAL_ID it is good for what is there now, and for nothing after it. "
        "Remove them once they are deployed: the gate refuses one that approves nothing.",
    )


class Wave(Settings):
    """Environments that are deployed at the same time. A failure in one stops the pipeline after the wave."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,49}$", description="Name of the pipeline's stage.")
    environments: tuple[Target, ...] = Field(description="What is deployed in this wave; at least one.")
    approval: bool = Field(default=False, description="Somebody reads the differences and approves the wave by hand.")
    confirm_permissions: bool = Field(
        default=True, description="Changes that broaden permissions or open ports wait for an approval."
    )
    smoke: bool = Field(
        default=True, description="After the deployment: hello_milvus from inside the VPC, and the status."
    )


class Pipeline(SettingsFile):
    """The delivery pipeline: a settings file ``environments/pipeline*.yaml``."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{1,24}[a-z0-9]$",
        description="Name of the pipeline and of its stack. Cannot change once deployed.",
    )
    account: AccountId | None = Field(
        default=None,
        description="Account of the pipeline, in quotes; empty means the one of the credentials at deployment.",
    )
    region: Region = Field(description="Region of the pipeline.")
    source: Source = Field(description="Where the source is: connection, codecommit or s3.")
    build: Build = Field(default_factory=Build, description="Image and caches of the build projects.")
    waves: tuple[Wave, ...] = Field(description="Waves, deployed one after the other; at least one.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of the pipeline's resources.")

    @property
    def targets(self) -> list[tuple[str, Target]]:
        """Return every target with its path in the file."""
        return [
            (f"waves.{wave_index}.environments.{index}", target)
            for wave_index, wave in enumerate(self.waves)
            for index, target in enumerate(wave.environments)
        ]

    @classmethod
    def rules(cls) -> Sequence[Rule]:
        """Return the rules across the fields of a pipeline file."""
        from settings.pipeline_rules import RULES  # noqa: PLC0415 - the rules need this model

        return RULES


@dataclass(frozen=True)
class Placed:
    """A target of a wave, its environment in the account and region of the target, and the id of its stage."""

    target: Target
    env: Environment
    stage: str


def available_pipelines() -> list[str]:
    """Return the names that ``-c pipeline=`` takes."""
    return sorted(path.stem for path in loader.ENVIRONMENTS.glob("pipeline*.yaml"))


def load_pipeline(name: str) -> Pipeline:
    """Load ``environments/<name>.yaml``.

    Raises:
        SettingsError: The file is missing, is not YAML, or breaks a rule; it holds every problem of the file.
    """
    source = f"environments/{name}.yaml"
    if name not in available_pipelines():
        known = ", ".join(available_pipelines()) or "none"
        message = f"no pipeline {name}; the file's name begins with `pipeline`. There are: {known}"
        raise loader.SettingsError(source, [Problem("pipeline", message)])
    return parse_pipeline(loader.read_yaml(loader.ENVIRONMENTS / f"{name}.yaml", source), source=source)


def parse_pipeline(data: object, *, source: str) -> Pipeline:
    """Validate what a pipeline file holds.

    Raises:
        SettingsError: It breaks a rule; it holds every problem.
    """
    return loader.validate(Pipeline, data, source)


def place(pipeline: Pipeline, *, source: str, today: date | None = None) -> list[list[Placed]]:
    """Return the environments of each wave, in the account and region of their targets.

    Args:
        pipeline: The validated pipeline.
        source: The pipeline's file, as the user would name it.
        today: Day by which support dates are judged; the current day if not given.

    Raises:
        SettingsError: An environment is invalid in that account or region, two targets are the same place, an
            approval names a stack that the environment lacks, or accounts differ and one is not given.
    """
    from settings.pipeline_rules import placement_problems  # noqa: PLC0415 - the rules need this model

    waves = [[(target, _environment(target, today)) for target in wave.environments] for wave in pipeline.waves]
    envs = [env for wave in waves for _, env in wave]
    found = placement_problems(pipeline, envs)
    if found:
        raise loader.SettingsError(source, found)
    return [[Placed(target, env, _stage_id(env, envs)) for target, env in wave] for wave in waves]


def _stage_id(env: Environment, envs: list[Environment]) -> str:
    """Return the environment's name, with its region and account where the name alone is not unique."""
    same_name = [other for other in envs if other.name == env.name]
    if len(same_name) == 1:
        return env.name
    in_region = [other for other in same_name if other.region == env.region]
    return f"{env.name}-{env.region}" if len(in_region) == 1 else f"{env.name}-{env.region}-{env.account}"


def _environment(target: Target, today: date | None) -> Environment:
    source = f"environments/{target.environment}.yaml"
    env = loader.load_environment(target.environment, today=today)
    changes = {key: value for key in ("account", "region") if (value := getattr(target, key)) is not None}
    if not changes:
        return env
    # Read again rather than copied, so that every rule is judged with the other account and region.
    data = loader.read_yaml(loader.ENVIRONMENTS / f"{target.environment}.yaml", source)
    return loader.parse_environment({**_mapping(data), **changes}, source=source, today=today)


def _mapping(data: object) -> dict[str, object]:
    return dict(data) if isinstance(data, dict) else {}
