"""Reads a pipeline file, and places the environments of its waves in accounts and regions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from settings import loader
from settings.base import Problem
from settings.environment import Environment
from settings.pipeline import Pipeline, Target
from settings.rules.pipeline import RULES, placement_problems


@dataclass(frozen=True)
class Placed:
    """A target of a wave, its environment in the account and region of the target, and the id of its stage."""

    target: Target
    env: Environment
    stage: str


def available_pipelines() -> list[str]:
    """Return the names that ``-c pipeline=`` takes."""
    return sorted(path.stem for path in loader.ENVIRONMENTS.glob("pipeline*.yaml"))


def load_pipeline(name: str) -> Pipeline:
    """Load ``environments/<name>.yaml``.

    Raises:
        SettingsError: The file is missing, is not YAML, or breaks a rule.
    """
    source = loader.file_name(name)
    if name not in available_pipelines():
        known = ", ".join(available_pipelines()) or "none"
        message = f"no pipeline {name}; the file's name begins with `pipeline`. There are: {known}"
        raise loader.SettingsError(source, [Problem("pipeline", message)])
    return parse_pipeline(loader.read_yaml(loader.ENVIRONMENTS / f"{name}.yaml", source), source=source)


def parse_pipeline(data: object, *, source: str) -> Pipeline:
    """Validate what a pipeline file holds.

    Raises:
        SettingsError: It breaks a rule.
    """
    return loader.validate(Pipeline, data, source, (*RULES, _known_environments))


def _known_environments(pipeline: Pipeline) -> Iterator[Problem]:
    known = loader.available()
    for path, target in pipeline.targets:
        if target.environment not in known:
            yield Problem(f"{path}.environment", loader.no_environment(target.environment))


def place(pipeline: Pipeline, *, source: str, today: date | None = None) -> list[list[Placed]]:
    """Return the environments of each wave, in the account and region of their targets.

    Args:
        pipeline: The validated pipeline.
        source: The pipeline's file, as the user would name it.
        today: Day by which support dates are judged; the current day if not given.

    Raises:
        SettingsError: An environment is invalid in that account or region, two targets are the same place, an
            approval names a stack that the environment lacks, or accounts differ and one is not given.
    """
    waves = [[(target, _placed(target, today)) for target in wave.environments] for wave in pipeline.waves]
    envs = [env for wave in waves for _, env in wave]
    found = placement_problems(pipeline, envs)
    if found:
        raise loader.SettingsError(source, found)
    return [[Placed(target, env, _stage_id(env, envs)) for target, env in wave] for wave in waves]


def _stage_id(env: Environment, envs: list[Environment]) -> str:
    """Return the environment's name, with its region and account where the name alone is not unique."""
    same_name = [other for other in envs if other.name == env.name]
    if len(same_name) == 1:
        return env.name
    in_region = [other for other in same_name if other.region == env.region]
    return f"{env.name}-{env.region}" if len(in_region) == 1 else f"{env.name}-{env.region}-{env.account}"


def _placed(target: Target, today: date | None) -> Environment:
    return loader.load_environment(target.environment, account=target.account, region=target.region, today=today)
