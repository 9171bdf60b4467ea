"""Plays CodePipeline on this machine: runs the commands of build projects as they stand, and the deploy actions."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.account.server import EmbeddedAccount
from rehearsal.run import PROJECT
from tests.pipelines import build_spec, commands, project_of, stages
from tests.source_copies import copy_of_source, freeze_environments, refer_to_tools

# A global installation is the one thing a test must not do. What is asked for has to be what node_modules holds.
_NPM = """#!/bin/sh
[ "$1 $2" = "install -g" ] || exec "$REAL_NPM" "$@"
package=${3%@*} version=${3##*@}
installed=$(sed -n 's/^  "version": "\\(.*\\)",$/\\1/p' "$NODE_MODULES/$package/package.json" | head -1)
[ "$version" = "$installed" ] || { echo "npm: $3 is not what package-lock.json has: $installed" >&2; exit 1; }
"""
# The AWS command line is part of CodeBuild's images; here it writes down what it was asked for.
_AWS = '#!/bin/sh\necho "$@" >> "$AWS_CALLS"\n'


@dataclass
class Outcome:
    """How a step ended."""

    code: int
    output: str


@dataclass
class Runner:
    """Runs the actions of one synthesized pipeline against an embedded account."""

    account: EmbeddedAccount
    folder: Path
    assembly: Path
    template: dict[str, Any]
    aws_calls: Path = field(init=False)
    _keys: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.aws_calls = self.folder / "aws-calls.txt"
        programs = self.folder / "bin"
        programs.mkdir(parents=True)
        for name, text in (("npm", _NPM), ("aws", _AWS)):
            (programs / name).write_text(text, encoding="utf-8")
            (programs / name).chmod(0o755)

    def act_as(self, role: str, statement: dict[str, Any]) -> None:
        """Run what follows as a role that CodeBuild would assume, and that may do what the statement allows."""
        iam = self.account.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
        allowed = json.dumps({"Statement": [{"Effect": "Allow", **statement}]})
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=allowed)
        # The emulator lets the account's root act for a service.
        got = self.account.client("sts").assume_role(RoleArn=arn, RoleSessionName="AWSCodeBuild")["Credentials"]
        self._keys = {
            "AWS_ACCESS_KEY_ID": got["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": got["SecretAccessKey"],
            "AWS_SESSION_TOKEN": got["SessionToken"],
        }

    def act_as_administrator(self) -> None:
        """Run what follows as the account's administrator again."""
        self._keys = {}

    def source(self, name: str) -> Path:
        """Return a fresh copy of the source tree, as CodeBuild unpacks it, with what `make setup` installs."""
        return copy_of_source(self.folder / name)

    def program(self, project: dict[str, Any]) -> Path:
        """Return what a project with an asset as source unpacks, with the installed packages."""
        (digest,) = re.findall(r"/([0-9a-f]{64})\.zip", json.dumps(project["Properties"]["Source"]["Location"]))
        tree = self.folder / "program"
        shutil.copytree(self.assembly / f"asset.{digest}", tree)
        refer_to_tools(tree, ".venv")
        freeze_environments(tree)
        return tree

    def action(self, stage: str, name: str) -> dict[str, Any]:
        """Return an action of a stage by its name."""
        (found,) = [each for each in stages(self.template)[stage] if each["Name"] == name]
        return found

    def build(self, action: dict[str, Any], *, directory: Path, assembly: Path | None = None) -> Outcome:
        """Run the commands of an action's project, in one shell and until one fails, as CodeBuild does."""
        spec = build_spec(project_of(self.template, action), self.assembly)
        variables = json.loads(action["Configuration"].get("EnvironmentVariables", "[]"))
        environment = self._environment(assembly or self.assembly) | {each["name"]: each["value"] for each in variables}
        return self.run(commands(spec), directory=directory, environment=environment)

    def run(self, lines: list[str], *, directory: Path, environment: dict[str, str] | None = None) -> Outcome:
        """Run commands in one shell."""
        done = subprocess.run(
            # -a: a variable that one command sets is seen by the programs of the next, as in CodeBuild.
            ["sh", "-aec", "\n".join([*lines, 'echo "MESSAGE=$MESSAGE"'])],
            cwd=directory,
            env=environment or self._environment(self.assembly),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
        return Outcome(done.returncode, done.stdout)

    def prepare(self, action: dict[str, Any], template: dict[str, Any] | None = None) -> None:
        """Make the change set of an action as CodePipeline does: of the template it names, or of a changed one."""
        configuration = action["Configuration"]
        stack, name = configuration["StackName"], configuration["ChangeSetName"]
        client = self.account.client("cloudformation")
        exists = [each["StackName"] for each in client.describe_stacks()["Stacks"] if each["StackName"] == stack]
        if exists:
            client.delete_change_set(StackName=stack, ChangeSetName=name)
        text = json.dumps(template) if template else self._file(configuration["TemplatePath"])
        settings = json.loads(self._file(configuration["TemplateConfiguration"]))
        client.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateURL=self._upload(text),
            Capabilities=configuration["Capabilities"].split(","),
            Tags=[{"Key": key, "Value": value} for key, value in settings.get("Tags", {}).items()],
        )

    def execute(self, action: dict[str, Any]) -> str:
        """Execute the prepared change set of an action; return the state of the stack afterwards."""
        configuration = action["Configuration"]
        client = self.account.client("cloudformation")
        stack = configuration["StackName"]
        client.execute_change_set(StackName=stack, ChangeSetName=configuration["ChangeSetName"])
        waiter = client.get_waiter("stack_create_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 240})
        return str(client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

    def _upload(self, text: str) -> str:
        # As CodePipeline does with its artifacts: a template in the request may have 51,200 characters only.
        region, account = self.account.options.region, self.account.options.account_id
        bucket, key = f"cdk-hnb659fds-assets-{account}-{region}", "artifact.template.json"
        self.account.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
        return f"{self.account.endpoint}/{bucket}/{key}"

    def _file(self, artifact_path: str) -> str:
        return (self.assembly / artifact_path.split("::")[1]).read_text(encoding="utf-8")

    def _environment(self, assembly: Path) -> dict[str, str]:
        path = [str(self.folder / "bin"), str(PROJECT / "node_modules/.bin"), str(PROJECT / ".venv/bin")]
        account, region = self.account.options.account_id, self.account.options.region
        kept = {name: value for name, value in self.account.environment().items() if name != "MILVUS_ENVIRONMENTS"}
        return (
            kept
            | self._keys
            | {
                "PATH": ":".join([*path, os.environ["PATH"]]),
                "REAL_NPM": str(PROJECT / ".venv/bin/npm"),
                "NODE_MODULES": str(PROJECT / "node_modules"),
                "AWS_CALLS": str(self.aws_calls),
                "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
                "NO_COLOR": "1",
                "CI": "true",
                # What CodeBuild sets: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
                "CODEBUILD_INITIATOR": "codepipeline/milvus-delivery",
                "CODEBUILD_BUILD_ARN": f"arn:aws:codebuild:{region}:{account}:build/project:1",
                "CODEBUILD_SRC_DIR_Synth_Output": str(assembly),
            }
        )
