"""Synthesizes whole environments for tests, each once per process."""

from __future__ import annotations

import atexit
import functools
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from _paths import ROOT
from settings import Environment, load_environment, loader, parse_environment
from tools.context import CONTEXT

# The frozen copies of what is shipped: what tests of names, records, snapshots and pages compare with.
SHIPPED = ("dev", "small", "prod", "guide", "existing-vpc")
# Without `small`, each of whose stacks is made as one of the others has it: what tests synthesize, lint and ask.
ENVIRONMENTS = tuple(name for name in SHIPPED if name != "small")
# With one that is not shipped: what only a deployment that the internet reaches has.
EVERY_FIXTURE = (*ENVIRONMENTS, "exposed")


def own_files(pattern: str) -> list[str]:
    """Return the files of environments/ that are not as shipped, as ``environments/mine``: only general rules hold."""
    return [
        f"environments/{path.stem}"
        for path in sorted((ROOT / "environments").glob(pattern))
        if not (frozen := loader.ENVIRONMENTS / path.name).is_file() or frozen.read_bytes() != path.read_bytes()
    ]


OWN_ENVIRONMENTS = tuple(name for name in own_files("*.yaml") if not name.startswith("environments/pipeline"))


def environment(name: str) -> Environment:
    """Return the settings of a frozen environment by its name, or of one of the checkout by ``environments/mine``."""
    if "/" not in name:
        return load_environment(name)
    path = ROOT / f"{name}.yaml"
    return parse_environment(loader.read_yaml(path, f"{name}.yaml"), source=f"{name}.yaml")


@functools.cache
def assembly(name: str) -> Path:
    """Return the folder of the cloud assembly of an environment, as `cdk synth` writes it, cdk-nag included.

    Args:
        name: As `environment` takes it.

    Raises:
        Exception: cdk-nag or the template validation found something that is not acknowledged.
    """
    # Imported here: the first import of aws_cdk takes seconds, which collection must not pay.
    import aws_cdk as cdk
    from cdk_nag import AwsSolutionsChecks

    from stacks.build import build_environment

    folder = folder_of_this_process(f"assembly-{Path(name).name}")
    app = cdk.App(outdir=str(folder), context=CONTEXT)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
    build_environment(app, environment(name))
    app.synth()
    return folder


def folder_of_this_process(name: str) -> Path:
    """Return a new folder that is gone when this process is."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def templates(name: str) -> dict[str, dict[str, Any]]:
    """Return every template of an environment by its stack's name."""
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(assembly(name).glob("*.template.json"))
    }


def kubernetes_objects(name: str) -> list[dict[str, Any]]:
    """Return the Kubernetes objects that the stacks of an environment apply, what only AWS knows replaced by ``?``."""
    objects: list[dict[str, Any]] = []
    for template in templates(name).values():
        for resource in template["Resources"].values():
            if resource["Type"] == "Custom::AWSCDK-EKS-KubernetesResource":
                objects += json.loads(_text(resource["Properties"]["Manifest"]))
    return objects


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else "?" for part in value["Fn::Join"][1])


def without_hashes(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template with the hashes of assets replaced, which change with every version of a library."""
    return json.loads(re.sub(r"[0-9a-f]{64}", "<hash>", json.dumps(template)))  # type: ignore[no-any-return]  # JSON
