"""Posts the preview of a deployment to a pull request of GitHub or a merge request of GitLab: one comment, updated."""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from tools.preview.text import MARKER, read_previews, render

_TIMEOUT_SECONDS = 30
_PER_PAGE = 100


class CommentError(RuntimeError):
    """The comment could not be posted."""


@dataclass(frozen=True, kw_only=True)
class Thread:
    """Where the comments of a pull or merge request are, and how they are changed there."""

    comments: str
    """Address of the list of comments."""
    comment: str
    """Address of one comment, with {id} for its id."""
    update: str
    """HTTP method that changes a comment."""
    headers: Mapping[str, str]
    limit: int
    """Characters of a comment."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Return the thread of the job that is running.

        Raises:
            CommentError: The variables of neither platform are there; the message names what is missing.
        """
        if "GITHUB_REPOSITORY" in environment:
            return cls._github(environment)
        if "CI_PROJECT_ID" in environment:
            return cls._gitlab(environment)
        raise CommentError("neither GITHUB_REPOSITORY nor CI_PROJECT_ID is set; run this in a job of one of the two")

    @classmethod
    def _github(cls, environment: Mapping[str, str]) -> Self:
        base = f"{environment.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{environment['GITHUB_REPOSITORY']}"
        number = _required(environment, "PULL_REQUEST", "the number of the pull request")
        token = _required(environment, "GITHUB_TOKEN", "the job's token, with the permission pull-requests: write")
        return cls(
            comments=f"{base}/issues/{number}/comments",
            comment=f"{base}/issues/comments/{{id}}",
            update="PATCH",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
            limit=65_000,
        )

    @classmethod
    def _gitlab(cls, environment: Mapping[str, str]) -> Self:
        api = _required(environment, "CI_API_V4_URL", "the API of GitLab")
        number = _required(environment, "CI_MERGE_REQUEST_IID", "set in pipelines of merge requests")
        token = _required(environment, "GITLAB_COMMENT_TOKEN", "a project access token with the scope api, masked")
        notes = f"{api}/projects/{quote(environment['CI_PROJECT_ID'], safe='')}/merge_requests/{number}/notes"
        return cls(
            comments=notes,
            comment=f"{notes}/{{id}}",
            update="PUT",
            headers={"PRIVATE-TOKEN": token},
            limit=900_000,
        )


def post(thread: Thread, text: str) -> str:
    """Create the comment, or replace the text of the one that is there; return what was done.

    Raises:
        CommentError: The platform refuses or cannot be reached.
    """
    for page in range(1, 51):
        comments = _call(thread, "GET", f"{thread.comments}?per_page={_PER_PAGE}&page={page}")
        mine = [comment["id"] for comment in comments if str(comment.get("body", "")).startswith(MARKER)]
        if mine:
            _call(thread, thread.update, thread.comment.format(id=mine[0]), {"body": text})
            return f"updated comment {mine[0]}"
        if len(comments) < _PER_PAGE:
            break
    created = _call(thread, "POST", thread.comments, {"body": text})
    return f"created comment {created['id']}"


def _call(thread: Thread, method: str, address: str, body: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    request = urllib.request.Request(  # noqa: S310 - the address is the platform's own, from the job's environment
        address,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={**thread.headers, "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - the same
            return json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        hint = "; give the token the right to comment" if error.code in {401, 403, 404} else ""
        raise CommentError(f"{method} {address}: HTTP {error.code} {error.reason}{hint}") from error
    except (urllib.error.URLError, TimeoutError) as error:
        raise CommentError(f"{method} {address}: {error}; check the network of the job") from error


def _required(environment: Mapping[str, str], name: str, what: str) -> str:
    value = environment.get(name)
    if not value:
        raise CommentError(f"{name} is not set ({what}); set it in the job")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Render the comment, print it, and post it if asked to; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--differences", type=Path, required=True, help="folder with <stage>.txt of `cdk diff`")
    parser.add_argument("--assembly", type=Path, required=True, help="cloud assembly of the pipeline")
    parser.add_argument("--plans", type=Path, help="folder with <stage>.md of `ops plan`")
    parser.add_argument("--cost", type=Path, help="Markdown about the difference in cost, if there is any")
    parser.add_argument("--commit", default="", help="commit that was compared")
    parser.add_argument("--post", action="store_true", help="post it with the job's variables; else only print it")
    options = parser.parse_args(arguments)
    previews = read_previews(options.differences, options.assembly)
    plans = [path.read_text(encoding="utf-8") for path in sorted(options.plans.glob("*.md"))] if options.plans else []
    cost = options.cost.read_text(encoding="utf-8") if options.cost and options.cost.is_file() else None
    try:
        thread = Thread.from_environment(os.environ) if options.post else None
        text = render(previews, commit=options.commit, cost=cost, plans=plans, limit=thread.limit if thread else 65_000)
        print(text if thread is None else post(thread, text))
    except CommentError as error:
        print(f"no comment: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
