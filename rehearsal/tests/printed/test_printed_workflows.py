"""Each step of the pull-request workflows is run as it stands in its file, with what its platform provides."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.run import PROJECT
from rehearsal.tests.printed.checkout import Checkout
from rehearsal.tests.printed.pages import bare
from rehearsal.tests.printed.tables import ACCOUNT, CANNOT_RUN, REGION
from rehearsal.tests.printed.workflows import GITHUB, GITLAB, Step, github, gitlab, given
from tests.comment_platform import Platform, serving
from tests.source_copies import needs_tools
from tools.preview.text import MARKER

pytestmark = [pytest.mark.printed, needs_tools]

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/diff"
HOSTS = {GITHUB: "token.actions.githubusercontent.com", GITLAB: "gitlab.example"}
AUDIENCES = {GITHUB: "sts.amazonaws.com", GITLAB: "https://sts.amazonaws.com"}
SUBJECTS = {
    GITHUB: "repo:your-organization/milvus-on-eks:pull_request",
    GITLAB: "project_path:your-organization/milvus-on-eks:ref_type:branch:ref:change",
}
# No key exists anywhere: the job's own token takes its place.
KEYLESS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
GIT = {f"GIT_{who}_{what}": "somebody@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("workflows")
    with EmbeddedAccount(AccountOptions(run_dir=folder / "account", account_id=ACCOUNT, region=REGION)) as account:
        role_of_docs(account)
        place = Checkout(folder, account)
        repository = "git init -qb main . && git add -A && git commit -qm all && git remote add origin ."
        bootstrap = f"make setup && node_modules/.bin/cdk bootstrap aws://{ACCOUNT}/{REGION}"
        done = place.build([repository, f"export PATH=$PWD/.venv/bin:$PATH && {bootstrap}"], GIT)
        assert done.code == 0, done.output
        yield place


def role_of_docs(account: EmbeddedAccount) -> None:
    """Make the role of docs/delivery.md, Pull requests, 1, by its statement; for GitLab by the same with its names."""
    page = (PROJECT / "docs" / "delivery.md").read_text(encoding="utf-8")
    (printed,) = (text for text in re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL) if "oidc-provider" in text)
    text = printed.replace("111111111111", ACCOUNT)
    of_gitlab = text.replace(HOSTS[GITHUB], HOSTS[GITLAB]).replace(AUDIENCES[GITHUB], AUDIENCES[GITLAB])
    of_gitlab = of_gitlab.replace(SUBJECTS[GITHUB], SUBJECTS[GITLAB])
    document = {"Version": "2012-10-17", "Statement": [json.loads(text), json.loads(of_gitlab)]}
    iam = account.client("iam")
    for workflow, host in HOSTS.items():
        audiences = [AUDIENCES[workflow]]
        iam.create_open_id_connect_provider(Url=f"https://{host}", ClientIDList=audiences, ThumbprintList=["0" * 40])
    iam.create_role(RoleName="diff", AssumeRolePolicyDocument=json.dumps(document))
    policy = (PROJECT / "policies" / "diff-only.json").read_text(encoding="utf-8")
    iam.put_role_policy(RoleName="diff", PolicyName="diff-only", PolicyDocument=policy)


def token(workflow: str) -> str:
    """Return what the platform gives a job to prove who it is."""

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"iss": f"https://{HOSTS[workflow]}", "sub": SUBJECTS[workflow], "aud": AUDIENCES[workflow]}
    return f"{part({'alg': 'RS256'})}.{part({**claims, 'exp': int(time.time()) + 3600})}.c2ln"


@pytest.fixture(scope="module")
def platforms() -> Iterator[dict[str, Platform]]:
    with serving() as of_github, serving() as of_gitlab:
        yield {GITHUB: of_github, GITLAB: of_gitlab}


def contexts(platform: Platform, tree: Path) -> dict[str, str]:
    """Return what the platforms know, by the names that the workflows use."""
    return {
        "vars.AWS_DIFF_ROLE_ARN != '' && github.event.pull_request.head.repo.full_name == github.repository": "true",
        "github.token": "token",
        "github.event.pull_request.number": "7",
        "github.event.pull_request.head.sha": COMMIT,
        "AWS_DIFF_ROLE_ARN": ROLE,
        "CI_COMMIT_SHA": COMMIT,
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_PROJECT_DIR": str(tree),
        "CI_API_V4_URL": platform.address,
    }


def provided(step: Step, platform: Platform, known: dict[str, str]) -> dict[str, str]:
    """Return the variables of a job that its platform sets, and what is set up in it by hand."""
    if step.workflow == GITHUB:
        file = Path(known["CI_PROJECT_DIR"]).parent / "token"
        file.write_text(token(GITHUB), encoding="utf-8")
        # What configure-aws-credentials makes of the role and of the job's token.
        exchanged = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(file)}
        return {"CI": "true", "GITHUB_REPOSITORY": "owner/milvus", "GITHUB_API_URL": platform.address, **exchanged}
    variables = {name: value for name, value in known.items() if name.isupper() and " " not in name}
    return variables | {
        "CI": "true",
        "CI_PROJECT_ID": "42",
        "GITLAB_COMMENT_TOKEN": "token",
        "AWS_TOKEN": token(GITLAB),
    }


def runnable(step: Step) -> tuple[str, ...]:
    return tuple(
        command for command in step.commands if not any(fnmatchcase(bare(command), pattern) for pattern in CANNOT_RUN)
    )


STEPS = [step for step in (*github(), *gitlab()) if runnable(step)]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_steps_pass_as_they_stand_in_the_workflow(
    step: Step, checkout: Checkout, platforms: dict[str, Platform]
) -> None:
    # GIVEN the variables of the job, as its platform fills them in
    platform = platforms[step.workflow]
    known = contexts(platform, checkout.tree)
    variables = {name: given(value, known) for name, value in step.variables.items()}
    # WHEN the step runs, THEN it passes
    outcome = checkout.build(runnable(step), KEYLESS | provided(step, platform, known) | variables)
    assert outcome.code == 0, outcome.output


@pytest.mark.parametrize("workflow", [GITHUB, GITLAB])
def test_each_platform_shows_one_comment(workflow: str, platforms: dict[str, Platform]) -> None:
    (comment,) = platforms[workflow].comments
    assert comment["body"].startswith(MARKER)
    assert f"Deployment preview of {COMMIT[:12]}" in comment["body"]
    assert {line.split("|")[1].strip() for line in comment["body"].splitlines() if line.startswith("| milvus-")} == {
        "milvus-dev",
        "milvus-prod",
    }


def test_no_token_stays_on_the_machine() -> None:
    (file,) = {step.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] for step in gitlab() if "AWS_ROLE_ARN" in step.variables}
    assert not Path(file).exists()
