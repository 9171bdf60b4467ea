"""What holds for every environment's cloud assembly: rules of AWS, lint, and no secret anywhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from settings.parts import Part, parts, stack_name
from tests.assemblies import ENVIRONMENTS, OWN_ENVIRONMENTS, assembly, environment, kubernetes_objects, templates

pytestmark = pytest.mark.parametrize("name", [*ENVIRONMENTS, *OWN_ENVIRONMENTS])

# What a credential looks like in a file: a dynamic reference that would resolve to one, or a value given in place.
SECRETS = (
    re.compile(r"\{\{resolve:"),
    re.compile(r"(?i)sasl[._-]?(user_?name|password)\"?\s*[:=]\s*\\?\"?[^\s\"\\,}]"),
    re.compile(r"(?i)\"(secretstring|masteruserpassword)\"\s*:"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
)


def test_cdk_nag_and_template_validation_find_nothing_unacknowledged(name: str) -> None:
    # THEN synthesis, which raises on findings, wrote every stack of the environment
    env = environment(name)
    assert sorted(templates(name)) == sorted(stack_name(env, part) for part in parts(env))


def test_no_secret_in_any_file_of_the_assembly(name: str) -> None:
    found = []
    for path in (path for path in assembly(name).rglob("*") if path.is_file() and "asset." not in str(path)):
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.name}: {match.group()}" for pattern in SECRETS for match in pattern.finditer(text)]
    assert found == []


def test_cfn_lint_finds_neither_errors_nor_warnings(name: str) -> None:
    files = [str(path) for path in sorted(assembly(name).glob("*.template.json"))]
    region = environment(name).region
    # W3005: the CDK itself writes a DependsOn beside a GetAtt, for every function and its role.
    options = ["--regions", region, "--format", "parseable", "--ignore-checks", "W3005"]
    lint = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), *options, "--", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (lint.stdout, lint.returncode) == ("", 0), lint.stdout + lint.stderr


def test_load_balancer_carries_19530_and_nothing_else(name: str) -> None:
    services = [each for each in kubernetes_objects(name) if each["kind"] == "Service"]
    published = [each for each in services if each["spec"].get("type") == "LoadBalancer"]
    assert [port["targetPort"] for each in published for port in each["spec"]["ports"]] == [19530]


def test_stateful_stacks_are_protected_as_set(name: str) -> None:
    env = environment(name)
    manifest = json.loads((assembly(name) / "manifest.json").read_text(encoding="utf-8"))
    for part in parts(env):
        properties = manifest["artifacts"][stack_name(env, part)]["properties"]
        if part in {Part.STORAGE, Part.STREAMING, Part.EKS, Part.NETWORK}:
            assert properties.get("terminationProtection", False) is env.termination_protection


def test_streaming_and_cluster_do_not_wait_for_one_another(name: str) -> None:
    env = environment(name)
    manifest = json.loads((assembly(name) / "manifest.json").read_text(encoding="utf-8"))

    def waits_for(part: Part) -> set[str]:
        return set(manifest["artifacts"][stack_name(env, part)].get("dependencies", []))

    names = {part: stack_name(env, part) for part in parts(env)}
    if Part.STREAMING in names:
        assert names[Part.EKS] not in waits_for(Part.STREAMING)
        assert names[Part.STREAMING] not in waits_for(Part.EKS)
    assert names[Part.STORAGE] not in waits_for(Part.EKS)
    assert {name for part, name in names.items() if part is not Part.MILVUS} <= (
        waits_for(Part.MILVUS) | waits_for(Part.EKS)
    )


def test_functions_for_tasks_in_the_cluster_carry_all_that_they_import(name: str) -> None:
    # GIVEN the code of the readiness gate as Lambda gets it
    (folder,) = [path.parent.parent for path in assembly(name).glob("asset.*/tasks/handler.py")]
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import tasks.handler, tasks.readiness as readiness; "
    program += "print(readiness.is_rolled_out.__code__.co_filename)"
    # WHEN it is loaded with the standard library alone THEN it finds what it shares with others beside it
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(folder / "settings" / "rollout.py")
    assert sorted(path.name for path in folder.iterdir()) == ["settings", "tasks"]
    assert [path.name for path in (folder / "settings").iterdir() if path.suffix == ".py"] == ["rollout.py"]
