"""The source of the delivery pipeline: a connection to a Git host, CodeCommit, or a zip in a bucket."""

from __future__ import annotations

from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import pipelines
from constructs import Construct

from milvus_constructs.tree import child
from settings.pipeline import Source

_ACTION = "Source"


def pipeline_source(scope: Construct, settings: Source) -> pipelines.CodePipelineSource:
    """Return the source that the settings name; a push to it starts the pipeline.

    Repository and bucket are somebody else's and only referred to. The sources are handed on as a zip without Git's
    history: no later step can push, and none needs the connection.

    Raises:
        ValueError: The settings name no source; `settings.pipeline` refuses that in a file.
    """
    if settings.connection:
        return pipelines.CodePipelineSource.connection(
            settings.connection.repository,
            settings.connection.branch,
            connection_arn=settings.connection.arn,
            action_name=_ACTION,
        )
    if settings.codecommit:
        repository = codecommit.Repository.from_repository_name(scope, "Repository", settings.codecommit.repository)
        return pipelines.CodePipelineSource.code_commit(repository, settings.codecommit.branch, action_name=_ACTION)
    if settings.s3:
        bucket = s3.Bucket.from_bucket_name(scope, "SourceBucket", settings.s3.bucket)
        return pipelines.CodePipelineSource.s3(bucket, settings.s3.key, action_name=_ACTION)
    raise ValueError("source: names nothing; name exactly one of connection, codecommit, s3")


def allow_connection(delivery: pipelines.CodePipeline, settings: Source) -> None:
    """Let the source's action use its connection by the name that the service has had since 2024.

    CDK grants ``codestar-connections:UseConnection`` alone, while an action on a connection has to begin as its ARN
    does, which is ``codeconnections`` for new ones. https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html

    Args:
        delivery: The pipeline, after it was built.
        settings: Its source; nothing happens where it is not a connection.
    """
    if settings.connection:
        role = child(delivery.pipeline, f"{_ACTION}/{_ACTION}/CodePipelineActionRole", iam.Role)
        role.add_to_policy(
            iam.PolicyStatement(actions=["codeconnections:UseConnection"], resources=[settings.connection.arn])
        )
