"""Starts the verification project of an environment, waits for its end, and says how to roll back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ops import aws
from ops.errors import OpsError

_PAUSE_SECONDS = 15.0
# The project's own limits: 30 minutes in the queue, 45 running.
_WAIT_SECONDS = 80 * 60
_LOG_LINES = 100

ClientFactory = Callable[[str], aws.AwsClient]


def run_verification(
    client: ClientFactory, *, project: str, say: Callable[[str], None], pause: Callable[[float], None] = time.sleep
) -> bool:
    """Start the project, wait for its end, say the end of its log, and return whether it succeeded.

    Args:
        client: Makes a client with fresh credentials: a chained role lasts an hour, the project may take longer.
        project: Name of the CodeBuild project.
        say: Prints a line.
        pause: Waits for seconds.

    Raises:
        OpsError: The project cannot be started or looked at.
    """
    with aws.reading(f"the project {project}"):
        build = client("codebuild").start_build(projectName=project)["build"]
        say(f"started {build['id']}")
        for _ in range(int(_WAIT_SECONDS / _PAUSE_SECONDS)):
            build = client("codebuild").batch_get_builds(ids=[build["id"]])["builds"][0]
            if build["buildStatus"] != "IN_PROGRESS":
                break
            pause(_PAUSE_SECONDS)
    for line in _log(client, build):
        say(f"| {line}")
    say(f"{build['id']}: {build['buildStatus']}")
    return str(build["buildStatus"]) == "SUCCEEDED"


def _log(client: ClientFactory, build: dict[str, Any]) -> list[str]:
    place = build.get("logs") or {}
    if not place.get("groupName") or not place.get("streamName"):
        return []
    try:
        with aws.reading("its log"):
            events = client("logs").get_log_events(
                logGroupName=place["groupName"],
                logStreamName=place["streamName"],
                limit=_LOG_LINES,
                startFromHead=False,
            )["events"]
    except OpsError as error:
        # A build that could not even start has no log; how it ended must be said all the same.
        return [error.problem]
    return [str(event["message"]).rstrip() for event in events]


def roll_back_text(*, project: str, pipeline: str, stage: str, region: str, commit: str | None) -> str:
    """Return what somebody does now: the wave stopped, nothing behind it is deployed.

    Args:
        project: The verification project that failed.
        pipeline: Name of the pipeline.
        stage: Name of its stage.
        region: Region of the pipeline.
        commit: Commit that was deployed, if the source has commits.
    """
    revert = f"git revert {commit} && git push" if commit else "put the previous source back"
    place = f"--region {region} --pipeline-name {pipeline}"
    return f"""
{project} failed: the wave {stage} stops here, and nothing behind it is deployed.
Roll back in one of these ways:
  1. In the source, which is slower but leaves a trace: {revert}
  2. This stage alone, to an execution that passed it (templates and images of then; data stays as it is):
       aws codepipeline list-pipeline-executions {place} --filter succeededInStage={{stageName={stage}}}
       aws codepipeline rollback-stage {place} --stage-name {stage} --target-pipeline-execution-id ID
     The gate judges what that would replace, as always.
If Milvus was only slow to start: retry the failed action.
       aws codepipeline retry-stage-execution {place} --stage-name {stage} --retry-mode FAILED_ACTIONS \\
         --pipeline-execution-id ID"""
