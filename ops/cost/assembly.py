"""Cloud assemblies: the templates that `cdk synth` writes, by the environment that they deploy."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.errors import OpsError, one_line, usage_error

_STACK = "aws:cloudformation:stack"
_NESTED = "cdk:cloud-assembly"
_FOUND_BY = "app.py", "cdk.json"
# What the CDK says after what the app has said.
_SAID_BY_CDK = re.compile(r"^.*Subprocess exited with error \d+\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Resource:
    """A resource of a template."""

    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class Deployment:
    """The stacks that belong together: an environment, or the pipeline's own."""

    name: str
    region: str
    resources: tuple[Resource, ...]


def deployments(assembly: Path) -> list[Deployment]:
    """Return what an assembly deploys: one environment, or a pipeline with each of its stages.

    Raises:
        OpsError: It is no cloud assembly, or deploys to a region that is known only later.
    """
    found = list(_deployments(assembly))
    if not any(each.resources for each in found):
        raise _no_assembly(assembly, "it has no stack")
    return found


def _deployments(folder: Path) -> Iterator[Deployment]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        artifacts = manifest["artifacts"]
        stacks = [each for each in artifacts.values() if each["type"] == _STACK]
        if stacks:
            yield _deployment(folder, stacks)
        for nested in artifacts.values():
            if nested["type"] == _NESTED:
                yield from _deployments(folder / nested["properties"]["directoryName"])
    except OSError as error:
        raise _no_assembly(folder, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_assembly(folder, one_line(f"{type(error).__name__}: {error}")) from error


def _deployment(folder: Path, stacks: list[dict[str, Any]]) -> Deployment:
    resources, names, regions = [], [], set()
    for stack in stacks:
        file = stack["properties"]["templateFile"]
        name = stack["properties"].get("stackName") or file.removesuffix(".template.json")
        names.append(name)
        regions.add(stack["environment"].rpartition("/")[2])
        template = json.loads((folder / file).read_text(encoding="utf-8"))
        resources += [
            Resource(name, logical_id, each["Type"], each.get("Properties", {}))
            for logical_id, each in template.get("Resources", {}).items()
        ]
    region = sorted(regions)[0]
    if region == "unknown-region":
        raise _no_assembly(folder, "its region is known only when it is deployed; name one in the environment's file")
    return Deployment(_common(names), region, tuple(resources))


def _common(names: list[str]) -> str:
    """Return what the names of stacks begin with: ``milvus-dev`` of ``milvus-dev-network`` and ``milvus-dev-eks``."""
    if len(names) == 1:
        return names[0]
    parts = [name.split("-") for name in names]
    same = []
    for words in zip(*parts, strict=False):
        if len(set(words)) > 1:
            break
        same.append(words[0])
    return "-".join(same) or names[0]


def _no_assembly(folder: Path, reason: str) -> OpsError:
    return usage_error(
        setting="--assembly",
        value=f"'{folder}' ({reason})",
        allowed="the folder of a cloud assembly, such as cdk.out",
        remedy="Make one with `make synth ENV=NAME`",
    )


def checkout() -> Path | None:
    """Return the checkout of the app that this is called in or belongs to, or None where it is installed alone."""
    for folder in (Path.cwd(), Path(__file__).resolve().parents[2]):
        if all((folder / name).is_file() for name in _FOUND_BY):
            return folder
    return None


@contextmanager
def synthesized(environment: str) -> Iterator[Path]:
    """Synthesize an environment of the checkout, and yield the folder of its assembly, which is gone afterwards.

    Raises:
        OpsError: There is no checkout or no CDK, or the app refuses the environment.
    """
    folder = checkout()
    if folder is None:
        raise usage_error(
            setting="--env",
            value=f"'{environment}', where there is no checkout of the app to synthesize",
            allowed="--env in a checkout, or --assembly DIR anywhere",
            remedy="Change to the checkout, or give the folder that `cdk synth --output DIR` wrote",
        )
    # What `make setup` installs there comes first: this program may be installed somewhere else.
    own = (folder / ".venv" / "bin", folder / "node_modules" / ".bin")
    path = os.pathsep.join([*map(str, own), os.environ.get("PATH", "")])
    cdk = shutil.which("cdk", path=path)
    if cdk is None:
        raise OpsError(
            f"There is no `cdk` on the PATH or in {folder / 'node_modules'}",
            remedy="Run `make setup` there, or give --assembly DIR",
        )
    with tempfile.TemporaryDirectory(prefix="milvus-assembly-") as output:
        done = subprocess.run(
            [cdk, "synth", "--quiet", "-c", f"env={environment}", "--output", output],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OpsError(
                f"`cdk synth -c env={environment}` fails: {one_line(_SAID_BY_CDK.sub('', done.stderr), limit=2000)}",
                remedy="Correct the environment's file",
            )
        yield Path(output)
