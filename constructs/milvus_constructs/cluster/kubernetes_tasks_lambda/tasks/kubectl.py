"""Runs kubectl against the cluster that a custom resource names."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

_KUBECONFIG = Path(os.environ.get("TASKS_DIRECTORY", "/tmp")) / "tasks-kubeconfig"  # noqa: S108 - Lambda's only one
# Where the layers of the function put their programs.
_PROGRAMS = "/opt/kubectl:/opt/awscli"
_SECONDS = 60


class KubectlError(Exception):
    """A command failed; the message is what it said."""


def run(*command: str) -> str:
    """Run a program of the layers and return what it printed.

    Raises:
        KubectlError: It failed, or took longer than a minute.
    """
    environment = {**os.environ, "PATH": f"{_PROGRAMS}:{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise KubectlError(f"{command[0]} {command[1]} gave no answer within {_SECONDS} s") from error
    if done.returncode:
        raise KubectlError(done.stderr.strip() or f"{command[0]} {command[1]} ended with code {done.returncode}")
    return done.stdout


def log_in(cluster_name: str) -> None:
    """Write a kubeconfig for a cluster; the function's own role is who then asks."""
    run("aws", "eks", "update-kubeconfig", "--name", cluster_name, "--kubeconfig", str(_KUBECONFIG))
    _KUBECONFIG.chmod(0o600)


def kubectl(*arguments: str) -> str:
    """Run kubectl with the kubeconfig that `log_in` wrote.

    Raises:
        KubectlError: It failed.
    """
    return run("kubectl", *arguments, "--kubeconfig", str(_KUBECONFIG))


def items(kinds: str, *, namespace: str, selector: str = "") -> list[dict[str, Any]]:
    """Return the objects of one or more kinds (``deployments,statefulsets``) in a namespace."""
    chosen = ("--selector", selector) if selector else ()
    answer = kubectl("get", kinds, "--namespace", namespace, *chosen, "--output", "json")
    found: list[dict[str, Any]] = json.loads(answer)["items"]
    return found
