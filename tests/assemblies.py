"""Synthesizes whole environments for tests, each once in a run, whichever of its processes asks first."""

from __future__ import annotations

import atexit
import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
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

    def synthesize(folder: Path) -> None:
        # Imported here: the first import of aws_cdk takes seconds, which collection must not pay.
        import aws_cdk as cdk
        from cdk_nag import AwsSolutionsChecks

        from stacks.build import build_environment

        app = cdk.App(outdir=str(folder), context=CONTEXT)
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
        build_environment(app, environment(name))
        app.synth()

    return folder_of_this_run(f"assembly-{name.replace('/', '-')}", synthesize)


def begin_run() -> None:
    """Make the folder of this run of the tests, unless the process that started this one made it."""
    if RUN not in os.environ:
        os.environ[RUN] = tempfile.mkdtemp(prefix="milvus-on-eks-tests-")
        atexit.register(shutil.rmtree, os.environ[RUN], ignore_errors=True)


RUN = "PYTEST_MILVUS_RUN"


def folder_of_this_run(name: str, write: Callable[[Path], object]) -> Path:
    """Return a folder that the first process of a run fills, and the others read; it is gone when the run is."""
    begin_run()
    # A test may start the tests of a copy of the sources.
    ours = Path(os.environ[RUN], hashlib.sha256(str(ROOT).encode()).hexdigest()[:8])
    folder = ours / name
    folder.mkdir(parents=True, exist_ok=True)
    with Path(ours, f"{name}.written").open("a+", encoding="utf-8") as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        if not os.fstat(written.fileno()).st_size:
            write(folder)
            written.write("written")
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
