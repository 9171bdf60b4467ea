"""Rules of the release: its version, advisories and components."""

from __future__ import annotations

from collections.abc import Iterator

from settings.base import Problem, Rule
from settings.environment import Environment
from settings.instances import INSTANCE_TYPES
from settings.milvus import Component, Components, Etcd
from settings.releases import ADVISORIES, BROKEN, COORDINATORS_2_3, RELEASE_LINES, Version
from settings.rules.words import listed, nearest


def _version_of_line(env: Environment) -> Iterator[Problem]:
    if env.milvus.version is None:
        return
    version, oldest = Version.parse(env.milvus.version), Version.parse(env.release.oldest_version)
    line = f"{version.major}.{version.minor}"
    if line != env.milvus.line:
        other = f"set line: '{line}', or " if line in RELEASE_LINES else "take "
        yield Problem(
            "milvus.version",
            f"{version} is not of milvus.line {env.milvus.line}; {other}a version such as "
            f"{env.release.default_version}",
        )
    elif version < oldest:
        yield Problem(
            "milvus.version",
            f"{version} does not work with chart {env.release.chart} and MSK; oldest: {oldest}, default: "
            f"{env.release.default_version}",
        )


def advisories(env: Environment) -> list[tuple[str, str, str]]:
    """Return (name, title, remedy) of each critical advisory that the environment is open to."""
    found = []
    version = Version.parse(env.milvus_version)
    for advisory in ADVISORIES:
        fix = advisory.fix(env.milvus.line)
        if fix is None:
            lines = [line for line, fixed in advisory.fixed_in.items() if fixed]
            found.append((advisory.name, advisory.title, f"this line has no fix; use milvus.line: {listed(lines)}"))
        elif version < fix:
            found.append((advisory.name, advisory.title, f"use milvus.version: {fix} or newer"))
        elif advisory.needs_authorization and not env.milvus.authorization:
            remedy = "its fix only works with milvus.authorization: true"
            found.append((advisory.name, advisory.title, remedy))
    return found


def broken(env: Environment) -> list[tuple[str, str, str]]:
    """Return (name, title, remedy) of each reason for which the version should not run on the environment's nodes."""
    version = Version.parse(env.milvus_version)
    types = [name for group in env.cluster.node_groups.values() for name in group.instance_types]
    architectures = {INSTANCE_TYPES[name].architecture for name in types if name in INSTANCE_TYPES}
    return [
        (each.name, each.title, f"use milvus.version: {each.fixed_in} or newer")
        for each in BROKEN
        if each.concerns(version) and (each.architecture is None or each.architecture in architectures)
    ]


def _accepted(env: Environment) -> Iterator[Problem]:
    open_to = [*advisories(env), *broken(env)]
    names = [name for name, _, _ in open_to]
    for name, title, remedy in open_to:
        if name not in env.milvus.acknowledge:
            yield Problem(
                "milvus.version",
                f"{env.milvus_version} has {name}, {title}; {remedy}, or accept it with milvus.acknowledge: [{name}]",
            )
    for name in env.milvus.acknowledge:
        if name not in names:
            yield Problem(
                "milvus.acknowledge",
                f"{name} does not concern Milvus {env.milvus_version} as set here{nearest(name, names)}; remove it",
            )


def _components_of_line(env: Environment) -> Iterator[Problem]:
    given = env.milvus.components.model_fields_set
    for name in Components.model_fields:
        if name not in given or name in env.component_names:
            continue
        path = f"milvus.components.{name}"
        there = f"there are: {listed(env.component_names)}"
        if env.milvus.mode == "standalone":
            yield Problem(path, f"mode standalone has no {name}; {there}, or set milvus.mode: cluster")
        elif name == "standalone":
            yield Problem(path, f"mode cluster has no standalone pod; {there}, or set milvus.mode: standalone")
        else:
            yield Problem(path, f"Milvus {env.milvus.line} has no {name}; {there}")


def _requests(env: Environment) -> Iterator[Problem]:
    pods: dict[str, Component | Etcd] = {f"milvus.components.{name}": each for name, each in env.components.items()}
    pods["milvus.etcd"] = env.milvus.etcd
    for path, component in pods.items():
        if component.cpu_request is not None and component.cpu_request > component.cpu:
            yield Problem(
                f"{path}.cpu_request",
                f"must be at most the limit, cpu {component.cpu:g}, got {component.cpu_request:g}; lower it, or raise "
                "cpu",
            )


def _standby(env: Environment) -> Iterator[Problem]:
    for name in (*COORDINATORS_2_3, "mix_coordinator", "standalone"):
        component = env.components.get(name)
        if component is None:
            continue
        path = f"milvus.components.{name}.replicas"
        if name == "standalone" and component.replicas > 1:
            yield Problem(path, f"mode standalone has one pod, got {component.replicas}; use milvus.mode: cluster")
        elif component.replicas > 2:
            yield Problem(path, f"a coordinator has at most one standby, got {component.replicas}; use 2")
        elif component.replicas == 2 and not env.milvus.active_standby:
            yield Problem(
                path,
                "2 replicas need milvus.active_standby: true, or both would act as the coordinator; set it, or use 1",
            )


RULES: tuple[Rule, ...] = (_version_of_line, _accepted, _components_of_line, _requests, _standby)
