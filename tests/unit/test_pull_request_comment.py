"""One comment on a pull request, updated in place, that says what merging would change."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.comment_platform import Platform, serving
from tools.preview import comment as pull_request_comment
from tools.preview.comment import CommentError, Thread, post
from tools.preview.text import MARKER, Preview, read_previews, render

# As the CDK 2.1148.1 writes it.
DIFFERENCES = """\
Stack milvus-dev-storage
Resources
[-] AWS::KMS::Key Gone orphan
[-] AWS::KMS::Key milvus-dev-storage/Storage/Key Gone2 destroy
[~] AWS::S3::Bucket milvus-dev-storage/Storage/Data StorageData6BB23F4E replace
 └─ [-] BucketName (requires replacement)
     └─ old-name
[~] AWS::IAM::Role milvus-dev-storage/Role Role1
 └─ [~] Description
[+] AWS::SNS::Topic milvus-dev-storage/Topic Topic1

Stack milvus-dev-streaming
Resources
[~] AWS::MSK::Cluster milvus-dev-streaming/Kafka/Cluster KafkaCluster1 may be replaced
 └─ [~] BrokerNodeGroupInfo (may cause replacement)

✨  Number of stacks with differences: 2
"""


def preview(differences: str = DIFFERENCES, findings: tuple[str, ...] | None = ()) -> Preview:
    return Preview(environment="dev", differences=differences, findings=findings)


def rendered(*previews: Preview, cost: str | None = None, limit: int = 65_000) -> str:
    return render(previews, commit="0123456789abcdef", cost=cost, limit=limit)


def test_replaced_and_deleted_resources_are_found_in_the_differences() -> None:
    assert [(loss.stack, loss.logical_id, loss.fate) for loss in preview().losses] == [
        ("milvus-dev-storage", "Gone", "leaves the stack, but stays in the account"),
        ("milvus-dev-storage", "Gone2", "is deleted"),
        ("milvus-dev-storage", "StorageData6BB23F4E", "is replaced"),
        ("milvus-dev-streaming", "KafkaCluster1", "may be replaced"),
    ]


def test_comment_shows_differences_losses_and_findings() -> None:
    text = rendered(preview(findings=("`AwsSolutions-IAM5` at `x/y`: wildcard",)))
    assert text.startswith(MARKER)
    assert "## Deployment preview of 0123456789ab" in text
    assert "| dev | 2 | 4 | 1 |" in text
    assert "- **dev** `StorageData6BB23F4E` (AWS::S3::Bucket, milvus-dev-storage) is replaced" in text
    assert "- **dev** `AwsSolutions-IAM5` at `x/y`: wildcard" in text
    assert "<details><summary>Differences of dev</summary>" in text


def test_comment_without_anything_to_say_says_so() -> None:
    text = rendered(preview("✨  Number of stacks with differences: 0\n"))
    assert "| dev | none | none | none |" in text
    assert "### Replaced or deleted" not in text
    assert "### Findings" not in text


def test_what_was_not_compared_is_not_called_equal() -> None:
    assert "| dev | not compared | none | no report |" in rendered(preview("", None))


def test_cost_has_its_own_heading_and_only_when_there_is_one() -> None:
    assert "### Cost\n\n+ 12 USD per month" in rendered(preview(), cost="+ 12 USD per month\n")
    assert "### Cost" not in rendered(preview())


def test_plan_of_each_environment_has_one_heading_before_what_is_lost() -> None:
    plans = ["**dev**: no setting changes\n", "**prod**: 1 setting changes\n"]
    text = render([preview()], commit="", cost=None, limit=65_000, plans=plans)
    assert "### Plan\n\n**dev**: no setting changes\n\n**prod**: 1 setting changes\n" in text
    assert text.index("### Plan") < text.index("### Replaced or deleted")
    assert "### Plan" not in rendered(preview())


def test_comment_fits_the_platform_and_says_that_it_was_cut() -> None:
    text = rendered(preview(DIFFERENCES * 500), preview(DIFFERENCES * 500), limit=65_000)
    assert len(text) <= 65_000
    assert text.count("... cut: the whole output is in the job's log and its artifact") >= 2


def test_text_of_a_template_cannot_leave_its_block() -> None:
    text = rendered(preview("`````\n# not a heading of ours\n"))
    assert re.search(r"\n``````\n`````\n# not a heading of ours\n``````\n", text)


def test_previews_are_read_from_the_folders_of_the_job(tmp_path: Path) -> None:
    # GIVEN a pipeline's assembly, whose second environment has two regions, and the comparison of the first environment
    differences, assembly = tmp_path / "differences", tmp_path / "assembly"
    differences.mkdir()
    (differences / "milvus-dev.txt").write_text(DIFFERENCES, encoding="utf-8")
    for stage, stack in (("milvus-dev", "milvus-dev-storage"), ("milvus-prod-eu-west-1", "milvus-prod-storage")):
        folder = assembly / f"assembly-delivery-{stage}"
        folder.mkdir(parents=True)
        stacks = {stack: {"type": "aws:cloudformation:stack", "displayName": f"delivery/{stage}/{stack}"}}
        (folder / "manifest.json").write_text(json.dumps({"artifacts": stacks}), encoding="utf-8")
    places = ["delivery/milvus-dev/milvus-dev-storage/Data", "delivery/Pipeline/Role", ""]
    violations = [
        {
            "ruleName": f"Rule{number}",
            "description": "logs",
            "severity": "error",
            "violatingConstructs": [{"constructPath": place}, {}],
        }
        for number, place in enumerate(places)
    ]
    violations.append({"ruleName": "W", "description": "w", "severity": "warning", "violatingConstructs": []})
    report = {"pluginReports": [{"violations": violations}]}
    (assembly / "validation-report.json").write_text(json.dumps(report), encoding="utf-8")
    # WHEN
    found = {preview.environment: preview for preview in read_previews(differences, assembly)}
    # THEN each finding is with the environment that it is in, or with the pipeline
    assert {name: (each.changed_stacks, each.findings) for name, each in found.items()} == {
        "milvus-dev": (2, ("`Rule0` at `delivery/milvus-dev/milvus-dev-storage/Data`: logs",)),
        "milvus-prod-eu-west-1": (None, ()),
        "delivery": (None, ("`Rule1` at `delivery/Pipeline/Role`: logs",)),
        "pipeline": (None, ("`Rule2` at the app: logs",)),
    }


def test_stack_in_a_stage_of_the_pipeline_is_called_by_its_own_name() -> None:
    differences = DIFFERENCES.replace(
        "Stack milvus-dev-storage", "Stack delivery/milvus-dev/milvus-dev-storage (milvus-dev-storage)"
    ).replace("milvus-dev-storage/Storage/Data", "delivery/milvus-dev/milvus-dev-storage/Storage/Data")
    assert [loss.stack for loss in preview(differences).losses][:3] == ["milvus-dev-storage"] * 3


@pytest.fixture
def platform() -> Iterator[Platform]:
    with serving() as server:
        yield server


def github(platform: Platform, **other: str) -> dict[str, str]:
    return {
        "GITHUB_REPOSITORY": "owner/milvus",
        "GITHUB_API_URL": platform.address,
        "PULL_REQUEST": "7",
        "GITHUB_TOKEN": "token",
        **other,
    }


def gitlab(platform: Platform) -> dict[str, str]:
    return {
        "CI_PROJECT_ID": "42",
        "CI_API_V4_URL": platform.address,
        "CI_MERGE_REQUEST_IID": "7",
        "GITLAB_COMMENT_TOKEN": "token",
    }


@pytest.mark.parametrize("variables", [github, gitlab])
def test_second_push_updates_the_comment_of_the_first(platform: Platform, variables: Any) -> None:
    thread = Thread.from_environment(variables(platform))
    # GIVEN more comments of others than fit a page
    platform.comments += [{"id": number, "body": f"I quote {MARKER}"} for number in range(1, 131)]
    # WHEN the job runs twice
    assert post(thread, f"{MARKER}\nfirst") == "created comment 131"
    assert post(thread, f"{MARKER}\nsecond") == "updated comment 131"
    # THEN there is one comment, with the second text
    assert [each["body"] for each in platform.comments[130:]] == [f"{MARKER}\nsecond"]


def test_addresses_and_tokens_are_those_of_the_platform(platform: Platform) -> None:
    post(Thread.from_environment(github(platform)), MARKER)
    post(Thread.from_environment(gitlab(platform)), MARKER)
    (_, first, github_headers), *_, (method, last, gitlab_headers) = platform.requests
    assert first.startswith("/repos/owner/milvus/issues/7/comments?")
    assert github_headers["Authorization"] == "Bearer token"
    assert (method, last) == ("PUT", "/projects/42/merge_requests/7/notes/1")
    assert gitlab_headers["Private-Token"] == "token"


def test_refused_token_says_what_is_missing_and_not_the_token(platform: Platform) -> None:
    thread = Thread.from_environment(github(platform, GITHUB_TOKEN="refused"))
    with pytest.raises(CommentError, match=r"HTTP 403 Forbidden; give the token the right to comment") as raised:
        post(thread, MARKER)
    assert "refused" not in str(raised.value)


def test_platform_out_of_reach_is_said() -> None:
    # GIVEN a port at which nobody listens
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://127.0.0.1:{server.getsockname()[1]}"
    variables = {"GITHUB_REPOSITORY": "o/m", "GITHUB_API_URL": nobody, "PULL_REQUEST": "7", "GITHUB_TOKEN": "token"}
    with pytest.raises(CommentError, match=r"refused.*; check the network of the job"):
        post(Thread.from_environment(variables), MARKER)


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        ("PULL_REQUEST", r"PULL_REQUEST is not set \(the number of the pull request\); set it in the job"),
        ("GITHUB_TOKEN", r"GITHUB_TOKEN is not set \(the job's token, with the permission pull-requests: write\)"),
        ("GITHUB_REPOSITORY", r"neither GITHUB_REPOSITORY nor CI_PROJECT_ID is set"),
    ],
)
def test_missing_variable_is_named(platform: Platform, missing: str, error: str) -> None:
    variables = github(platform)
    del variables[missing]
    with pytest.raises(CommentError, match=error):
        Thread.from_environment(variables)


def test_job_prints_the_comment_without_posting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dev.txt").write_text(DIFFERENCES, encoding="utf-8")
    (tmp_path / "dev.md").write_text("**dev**: no setting changes\n", encoding="utf-8")
    folders = ["--differences", str(tmp_path), "--plans", str(tmp_path), "--assembly", str(tmp_path / "none")]
    assert pull_request_comment.main(folders) == 0
    printed = capsys.readouterr().out
    assert "| dev | 2 | 4 | no report |" in printed
    assert "**dev**: no setting changes" in printed


def test_job_fails_when_it_cannot_comment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GITHUB_REPOSITORY", "CI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    assert pull_request_comment.main(["--differences", str(tmp_path), "--assembly", str(tmp_path), "--post"]) == 1
    assert "no comment: neither GITHUB_REPOSITORY nor CI_PROJECT_ID is set" in capsys.readouterr().err
