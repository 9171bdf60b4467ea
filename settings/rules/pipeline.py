"""Rules across the fields of a pipeline file: what each setting alone allows, but together cannot work."""

from __future__ import annotations

from collections.abc import Iterator

from settings.base import Problem, Rule
from settings.environment import Environment
from settings.parts import parts
from settings.pipeline import Pipeline, Wave

# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
_ACTIONS_PER_STAGE = 50


def placement_problems(pipeline: Pipeline, envs: list[Environment]) -> list[Problem]:
    """Return what is wrong with the places of the environments.

    Args:
        pipeline: The pipeline.
        envs: The environment of each target, in the order of the file, in the target's account and region.
    """
    return [
        *_same_place(pipeline, envs),
        *_accounts(pipeline, envs),
        *_approved_parts(pipeline, envs),
        *_too_many_actions(pipeline, envs),
    ]


def actions_of_wave(wave: Wave, envs: list[Environment]) -> int:
    """Return the number of actions of a wave's stage: three for each stack, and those before and after."""
    for_each = 2 + (2 if wave.confirm_permissions else 0) + (4 if wave.smoke else 0)
    return sum(3 * len(parts(env)) + for_each for env in envs) + (1 if wave.approval else 0)


def _not_empty(pipeline: Pipeline) -> Iterator[Problem]:
    # Rules, and not lengths of the fields: pydantic would report a wrong entry of a list as a missing one, too.
    if not pipeline.waves:
        yield Problem("waves", "is empty; name at least one wave")
    for index, wave in enumerate(pipeline.waves):
        if not wave.environments:
            yield Problem(f"waves.{index}.environments", "is empty; name at least one environment, or drop the wave")


def _one_source(pipeline: Pipeline) -> Iterator[Problem]:
    given = pipeline.source.given
    if len(given) != 1:
        what = " and ".join(given) if given else "nothing"
        yield Problem("source", f"names {what}; name exactly one of connection, codecommit, s3")


def _connection_account(pipeline: Pipeline) -> Iterator[Problem]:
    connection = pipeline.source.connection
    # A pipeline uses connections of its own account only (the region may differ):
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/connections.html
    if connection and pipeline.account and (owner := connection.arn.split(":")[4]) != pipeline.account:
        yield Problem(
            "source.connection.arn",
            f"belongs to account {owner}, the pipeline to {pipeline.account}; create the connection in the pipeline's",
        )


def _unique_waves(pipeline: Pipeline) -> Iterator[Problem]:
    names = [wave.name for wave in pipeline.waves]
    # CDK Pipelines uses these three for stages of its own.
    taken = {"Source", "Build", "UpdatePipeline", "Assets"}
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(f"waves.{index}.name", f"{name} appears twice; give each wave its own name")
        if name in taken:
            yield Problem(f"waves.{index}.name", f"{name} is a stage that every pipeline has; choose another name")


def _same_place(pipeline: Pipeline, placed: list[Environment]) -> Iterator[Problem]:
    places = [(env.account, env.region, env.name) for env in placed]
    for index, ((path, _), place) in enumerate(zip(pipeline.targets, places, strict=True)):
        if place in places[:index]:
            first = pipeline.targets[places.index(place)][0]
            yield Problem(
                path,
                f"deploys {place[2]} to {place[0] or 'the same account'}, {place[1]}, as {first} does; give it another "
                "account or region, or an environment of another name",
            )


def _accounts(pipeline: Pipeline, placed: list[Environment]) -> Iterator[Problem]:
    given = {env.account for env in placed} | {pipeline.account}
    if given == {None} or None not in given:
        return
    missing = [path for (path, _), env in zip(pipeline.targets, placed, strict=True) if env.account is None]
    paths = [*(["account"] if pipeline.account is None else []), *(f"{path}.account" for path in missing)]
    for path in paths:
        yield Problem(
            path, "missing, while others are given; name every account, so that CDK knows which ones trust the pipeline"
        )


def _approved_parts(pipeline: Pipeline, placed: list[Environment]) -> Iterator[Problem]:
    for (path, target), env in zip(pipeline.targets, placed, strict=True):
        for part in target.approvals:
            if part not in parts(env):
                yield Problem(
                    f"{path}.approvals.{part}", f"{env.name} has no such stack; it has {', '.join(parts(env))}"
                )


def _too_many_actions(pipeline: Pipeline, placed: list[Environment]) -> Iterator[Problem]:
    rest = list(placed)
    for index, wave in enumerate(pipeline.waves):
        envs, rest = rest[: len(wave.environments)], rest[len(wave.environments) :]
        actions = actions_of_wave(wave, envs)
        if actions > _ACTIONS_PER_STAGE:
            yield Problem(
                f"waves.{index}.environments",
                f"{len(envs)} environments make {actions} actions, and CodePipeline takes {_ACTIONS_PER_STAGE} in a "
                "stage; put some into a wave of their own",
            )


RULES: tuple[Rule, ...] = (_not_empty, _one_source, _connection_account, _unique_waves)
