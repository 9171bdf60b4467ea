"""Step of the pipeline: starts an environment's verification in its own VPC, waits, and says how to roll back."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

_PROJECT = Path(__file__).resolve().parents[1]
if str(_PROJECT) not in sys.path:  # run as a program, not imported by a test
    sys.path.insert(0, str(_PROJECT))

from scripts.pipeline_session import assumed_client  # noqa: E402 - needs the path above

_PAUSE_SECONDS = 15.0
# The project's own limits: 30 minutes in the queue, 45 running.
_WAIT_SECONDS = 80 * 60
_LOG_LINES = 100

ClientFactory = Callable[[str], Any]


def run_verification(
    client: ClientFactory, *, project: str, say: Callable[[str], None], pause: Callable[[float], None] = time.sleep
) -> bool:
    """Start the project, wait for its end, print the end of its log, and return whether it succeeded.

    Args:
        client: Makes a client with fresh credentials: a chained role lasts an hour, the project may take longer.
        project: Name of the CodeBuild project.
        say: Prints a line.
        pause: Waits for seconds.
    """
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
        events = client("logs").get_log_events(
            logGroupName=place["groupName"], logStreamName=place["streamName"], limit=_LOG_LINES, startFromHead=False
        )["events"]
    except ClientError as error:
        # A build that could not even start has no log; how it ended must be said all the same.
        return [f"its log cannot be read: {error}"]
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify an environment; return 0 if it answers, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True, help="CodeBuild project in the environment's account")
    parser.add_argument("--region", required=True, help="region of the environment")
    parser.add_argument("--account", help="account of the environment; that of the credentials if not given")
    parser.add_argument("--role", required=True, help="role that may start the project")
    parser.add_argument("--pipeline", required=True, help="name of the pipeline, for the advice after a failure")
    parser.add_argument("--stage", required=True, help="name of its stage, for the same")
    options = parser.parse_args(arguments)

    def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes it
        return assumed_client(service, role=options.role, account=options.account, region=options.region)

    def say(line: str) -> None:
        print(line, flush=True)  # noqa: T201 - the build log

    if run_verification(client, project=options.project, say=say):
        return 0
    say(
        roll_back_text(
            project=options.project,
            pipeline=options.pipeline,
            stage=options.stage,
            region=os.environ.get("AWS_REGION", options.region),
            commit=os.environ.get("CODEBUILD_RESOLVED_SOURCE_VERSION"),
        )
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
