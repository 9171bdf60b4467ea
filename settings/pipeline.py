"""Settings of the delivery pipeline: where the source is, the waves of environments, and the gates before each."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.base import PolicyName, Settings
from settings.changes import IN_PLACE, Effect, change, never
from settings.parts import Part
from settings.regions import Region

AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
Approved = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,255}(@[A-Za-z0-9:/_.-]{1,1024})?$")]
"""A logical id, or one with the physical id that it stands for now."""
Reason = Annotated[str, Field(pattern=r"^[A-Za-z0-9 .,:;/#()_+-]{10,200}$")]
"""Plain characters: it travels through a shell."""
Branch = Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,255}$")]

# What runs is never touched: these are changes of the pipeline alone. It updates itself, and then deploys.
_ANOTHER_PIPELINE = never("deploy the new pipeline, then destroy the stack of the old one: the environments stay")
_ELSEWHERE = never("make a new environment there and move the data; the old one stays, and nothing deploys it")
_WHAT_IS_DEPLOYED = change(
    Effect.IN_PLACE, "an environment that is no longer named keeps its stacks, and nothing deploys it"
)
_VERIFICATION = change(Effect.IN_PLACE, "the verification stack, which is deployed from now on, or stays as it is")


class Connection(Settings):
    """A repository at GitHub, GitLab or Bitbucket, through a CodeConnections (CodeStar) connection."""

    arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:(codestar-connections|codeconnections):[a-z0-9-]+:\d{12}:connection/[0-9a-f-]{36}$",
        description="ARN of the connection; somebody has authorized it once in the console (status AVAILABLE).",
        json_schema_extra=IN_PLACE,
    )
    repository: str = Field(
        pattern=r"^[\w.-]+(/[\w.-]+)+$",
        description="Repository as owner/name; GitLab groups may be nested.",
        json_schema_extra=IN_PLACE,
    )
    branch: Branch = Field(
        default="main", description="Branch whose pushes start the pipeline.", json_schema_extra=IN_PLACE
    )


class CodeCommit(Settings):
    """A CodeCommit repository in the pipeline's account and region."""

    repository: str = Field(
        pattern=r"^[\w.-]{1,100}$", description="Name of the repository.", json_schema_extra=IN_PLACE
    )
    branch: Branch = Field(
        default="main", description="Branch whose pushes start the pipeline.", json_schema_extra=IN_PLACE
    )


class S3Source(Settings):
    """A zip of the source tree in a versioned bucket, for sources that no connection reaches."""

    bucket: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="Bucket; versioning must be on for pushes to count.",
        json_schema_extra=IN_PLACE,
    )
    key: str = Field(
        pattern=r"^[A-Za-z0-9_./-]+\.zip$",
        max_length=512,
        description="Key of the zip file.",
        json_schema_extra=IN_PLACE,
    )


class Source(Settings):
    """Where the pipeline takes the source from: exactly one of the three."""

    connection: Connection | None = Field(
        default=None, description="GitHub, GitLab or Bitbucket.", json_schema_extra=IN_PLACE
    )
    codecommit: CodeCommit | None = Field(default=None, description="CodeCommit.", json_schema_extra=IN_PLACE)
    s3: S3Source | None = Field(default=None, description="A zip file in a bucket.", json_schema_extra=IN_PLACE)

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
        json_schema_extra=IN_PLACE,
    )
    python: str = Field(
        default="3.12",
        pattern=r"^3\.1[1-9]$",
        description="Python of the image; the requirements need 3.11 or newer.",
        json_schema_extra=IN_PLACE,
    )
    node: str = Field(
        default="22",
        pattern=r"^(22|24)$",
        description="Node of the image, for Diff and the steps that CDK Pipelines generates. Synth uses the Node that "
        "requirements/app.txt pins.",
        json_schema_extra=IN_PLACE,
    )
    cache_days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="Days that the caches of pip and npm are kept.",
        json_schema_extra=IN_PLACE,
    )


class Target(Settings):
    """An environment that a wave deploys, in the account and region of its file or in others."""

    environment: str = Field(
        pattern=r"^[a-z][a-z0-9-]*$",
        description="Name of the file under environments/.",
        json_schema_extra=_WHAT_IS_DEPLOYED,
    )
    account: AccountId | None = Field(
        default=None, description="Account instead of the file's, in quotes.", json_schema_extra=_ELSEWHERE
    )
    region: Region | None = Field(
        default=None, description="Region instead of the file's.", json_schema_extra=_ELSEWHERE
    )
    approvals: dict[Part, dict[Approved, Reason]] = Field(
        default_factory=dict,
        description="Replacements and deletions of stateful resources that may pass, by stack and logical id, each "
        "with its reason. As LOGICAL_ID@PHYSICAL_ID it is good for what is there now, and for nothing after it. "
        "Remove them once they are deployed: the gate refuses one that approves nothing.",
        json_schema_extra=IN_PLACE,
    )


class Wave(Settings):
    """Environments that are deployed at the same time. A failure in one stops the pipeline after the wave."""

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,49}$",
        description="Name of the pipeline's stage, where it has several environments; one alone gives it its own.",
        json_schema_extra=IN_PLACE,
    )
    environments: tuple[Target, ...] = Field(
        description="What is deployed in this wave; at least one.", json_schema_extra=_WHAT_IS_DEPLOYED
    )
    approval: bool = Field(
        default=False,
        description="Somebody reads the differences and approves the wave by hand.",
        json_schema_extra=IN_PLACE,
    )
    confirm_permissions: bool = Field(
        default=True,
        description="Changes that broaden permissions or open ports wait for an approval.",
        json_schema_extra=IN_PLACE,
    )
    smoke: bool = Field(
        default=True,
        description="After the deployment: hello_milvus from inside the VPC, and the status.",
        json_schema_extra=_VERIFICATION,
    )


class Pipeline(Settings):
    """The delivery pipeline: a settings file ``environments/pipeline*.yaml``."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{1,24}[a-z0-9]$",
        description="Name of the pipeline and of its stack. Cannot change once deployed.",
        json_schema_extra=_ANOTHER_PIPELINE,
    )
    account: AccountId | None = Field(
        default=None,
        description="Account of the pipeline, in quotes; empty means the one of the credentials at deployment.",
        json_schema_extra=_ANOTHER_PIPELINE,
    )
    region: Region = Field(description="Region of the pipeline.", json_schema_extra=_ANOTHER_PIPELINE)
    source: Source = Field(description="Where the source is: connection, codecommit or s3.")
    build: Build = Field(default_factory=Build, description="Image and caches of the build projects.")
    waves: tuple[Wave, ...] = Field(
        description="Waves, deployed one after the other; at least one.", json_schema_extra=_WHAT_IS_DEPLOYED
    )
    tags: dict[str, str] = Field(
        default_factory=dict, description="Tags of the pipeline's resources.", json_schema_extra=IN_PLACE
    )
    permissions_boundary: PolicyName | None = Field(
        default=None,
        description="Name of a managed policy in the pipeline's account that limits every role of the pipeline; that "
        "of an environment stands in the environment's file.",
        json_schema_extra=IN_PLACE,
    )

    @property
    def targets(self) -> list[tuple[str, Target]]:
        """Return every target with its path in the file."""
        return [
            (f"waves.{wave_index}.environments.{index}", target)
            for wave_index, wave in enumerate(self.waves)
            for index, target in enumerate(wave.environments)
        ]
