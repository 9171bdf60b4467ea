"""Writes the plan of each environment of a pipeline for the pull request's comment: `python -m tools.preview.plans`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ops import aws
from ops.errors import OpsError
from ops.plan import make_plan, markdown, read_deployed
from settings.waves import Placed, load_pipeline, place
from tools.context import CONTEXT

_QUALIFIER = "@aws-cdk/core:bootstrapQualifier"
_DEFAULT_QUALIFIER = "hnb659fds"

Client = Callable[[Placed], aws.AwsClient]


def client(placed: Placed) -> aws.AwsClient:
    """Return CloudFormation where an environment is deployed, with the role of the bootstrap that may only read."""
    region = placed.env.region
    role = f"cdk-{CONTEXT.get(_QUALIFIER, _DEFAULT_QUALIFIER)}-lookup-role-ACCOUNT-{region}"
    session = aws.session(role=role, account=placed.env.account, region=region)
    return aws.client("cloudformation", region=region, session=session)


def write_plans(pipeline: str, folder: Path, *, reads: Client = client) -> list[str]:
    """Write the plan of each environment as Markdown, by the name of its stage; return what failed or is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    wrong = []
    for placed in (each for wave in place(load_pipeline(pipeline), source=pipeline) for each in wave):
        try:
            found = make_plan(placed.env, read_deployed(placed.env, client=reads(placed)))
        except OpsError as error:
            text = f"**{placed.env.name}**: not known: {error.problem}. {error.remedy}\n"
            wrong.append(f"{placed.stage}: {error.problem}")
        else:
            text = markdown(found)
            wrong += [f"{placed.stage}: {each.setting} is refused: {each.refused}" for each in found.refused]
        (folder / f"{placed.stage}.md").write_text(text, encoding="utf-8")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the plans; return 1 where one fails or refuses something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", default="pipeline", help="name of the pipeline's file in environments/")
    parser.add_argument("--out", type=Path, required=True, help="folder for <stage>.md")
    options = parser.parse_args(arguments)
    wrong = write_plans(options.pipeline, options.out)
    for line in wrong:
        print(f"plan: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
