"""A change of every setting of a pipeline's file, and what it does: to the pipeline, and to what it deploys."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings import loader
from settings.changes import Effect, Setting, settings_of
from settings.pipeline import Pipeline
from settings.waves import parse_pipeline
from tools.change_proof.cases import at_path
from tools.change_proof.derive import derive
from tools.change_proof.stacks import Stacks
from tools.context import CONTEXT

_NAME = "pipeline"
_CONNECTION = "arn:aws:codeconnections:us-east-2:111122223333:connection/"
# One environment, because each costs the time of its synthesis.
_BASE: Mapping[str, Any] = {
    "name": "milvus-delivery",
    "account": "111122223333",
    "region": "us-east-2",
    "source": {"connection": {"arn": f"{_CONNECTION}{'0' * 8}-0000-0000-0000-{'0' * 12}", "repository": "acme/milvus"}},
    "waves": [{"name": "first", "environments": [{"environment": "dev", "account": "111122223333"}]}],
}
_CODECOMMIT: Mapping[str, Any] = {"source": {"codecommit": {"repository": "milvus"}}}
_S3: Mapping[str, Any] = {"source": {"s3": {"bucket": "sources", "key": "milvus.zip"}}}
_TARGET = "waves.0.environments.0"
_PROD = {"name": "second", "environments": [{"environment": "prod", "account": "111122223333"}]}
_BOTH: Mapping[str, Any] = {"waves.0.environments": [*_BASE["waves"][0]["environments"], *_PROD["environments"]]}

_Values = Mapping[str, Any]
# Before and after, by the setting's path as `settings_of` writes it.
_TABLE: Mapping[str, tuple[_Values, _Values]] = {
    "name": ({}, {"name": "milvus-other"}),
    # A connection is of its pipeline's account.
    "account": (_CODECOMMIT, {"account": "444455556666"}),
    "region": ({}, {"region": "us-west-2"}),
    "source.connection": (_CODECOMMIT, {"source": _BASE["source"]}),
    "source.connection.arn": ({}, {"source.connection.arn": f"{_CONNECTION}{'1' * 8}-0000-0000-0000-{'0' * 12}"}),
    "source.connection.repository": ({}, {"source.connection.repository": "acme/vectors"}),
    "source.connection.branch": ({}, {"source.connection.branch": "release"}),
    "source.codecommit": ({}, _CODECOMMIT),
    "source.codecommit.repository": (_CODECOMMIT, {"source.codecommit.repository": "vectors"}),
    "source.codecommit.branch": (_CODECOMMIT, {"source.codecommit.branch": "release"}),
    "source.s3": ({}, _S3),
    "source.s3.bucket": (_S3, {"source.s3.bucket": "other"}),
    "source.s3.key": (_S3, {"source.s3.key": "other.zip"}),
    "build.image": ({}, {"build": {"image": "aws/codebuild/amazonlinux-x86_64-standard:6.0"}}),
    "build.python": ({}, {"build": {"python": "3.13"}}),
    "build.node": ({}, {"build": {"node": "24"}}),
    "build.cache_days": ({}, {"build": {"cache_days": 31}}),
    "waves": ({}, {"waves": [*_BASE["waves"], _PROD]}),
    # With one environment alone the stage has the name of that one.
    "waves[].name": (_BOTH, {"waves.0.name": "other"}),
    "waves[].environments": ({}, _BOTH),
    "waves[].environments[].environment": ({}, {f"{_TARGET}.environment": "prod"}),
    "waves[].environments[].account": ({}, {f"{_TARGET}.account": "444455556666"}),
    "waves[].environments[].region": ({}, {f"{_TARGET}.region": "us-west-2"}),
    "waves[].environments[].approvals": (
        {},
        {f"{_TARGET}.approvals": {"streaming": {"Kafka": "agreed with its owner, OPS-17"}}},
    ),
    "waves[].approval": ({}, {"waves.0.approval": True}),
    "waves[].confirm_permissions": ({}, {"waves.0.confirm_permissions": False}),
    "waves[].smoke": ({}, {"waves.0.smoke": False}),
    "tags": ({}, {"tags": {"cost-center": "4711"}}),
    "permissions_boundary": ({}, {"permissions_boundary": "milvus-boundary"}),
}


def settings() -> dict[str, Setting]:
    """Return the settings of a pipeline's file that declare a change, by their paths."""
    return {each.path: each for each in settings_of(Pipeline) if not each.only_holds_others}


def pipelines(path: str) -> tuple[Pipeline, Pipeline]:
    """Return a pipeline before and after a change of the setting at a path, both judged by every rule.

    Raises:
        KeyError: There is no second value for it.
    """
    before, after = _TABLE[path]
    return _parsed(before), _parsed({**before, **after})


def _parsed(values: _Values) -> Pipeline:
    data = copy.deepcopy(dict(_BASE))
    for path, value in values.items():
        *parents, leaf = path.split(".")
        at_path(data, parents)[leaf] = copy.deepcopy(value)
    return parse_pipeline(data, source=loader.file_name(_NAME))


@dataclass(frozen=True)
class Delivered:
    """The stack of a pipeline, and by their names the stacks that it deploys."""

    own: Stacks
    deployed: Stacks

    @classmethod
    def of(cls, pipeline: Pipeline) -> Delivered:
        """Synthesize a pipeline with its environments in this process, without cdk-nag."""
        import aws_cdk as cdk  # noqa: PLC0415 - the first import takes seconds

        from stacks.pipeline_stack import build_pipeline  # noqa: PLC0415 - imports aws_cdk

        with tempfile.TemporaryDirectory() as folder:
            app = cdk.App(outdir=folder, context=CONTEXT)
            build_pipeline(app, _NAME, pipeline)
            app.synth()
            stages = [Stacks.read(path) for path in sorted(Path(folder).glob("assembly-*"))]
            both = ({name: each for stage in stages for name, each in getattr(stage, kind).items()} for kind in _KINDS)
            return cls(Stacks.read(Path(folder)), Stacks(*both))


_KINDS = ("templates", "about")


def delivery_effects(before: Delivered, after: Delivered) -> dict[str, Effect]:
    """Return all that a change does: to the pipeline by its templates, to the environments by which are deployed."""
    found = derive(before.own, after.own)
    old, new = before.deployed, after.deployed
    for name in sorted(old.templates.keys() | new.templates.keys()):
        if name not in new.templates or name not in old.templates:
            # CDK Pipelines deletes no stack: what is no longer named stays as it is.
            found[f"{name} is {'deployed' if name in new.templates else 'no longer deployed, and stays'}"] = (
                Effect.IN_PLACE
            )
        elif old.about[name]["environment"] != new.about[name]["environment"]:
            found[f"{name} is deployed to another account or region"] = Effect.NEVER
        elif json.dumps(old.templates[name], sort_keys=True) != json.dumps(new.templates[name], sort_keys=True):
            found |= derive(_alone(old, name), _alone(new, name))
    return found


def _alone(stacks: Stacks, name: str) -> Stacks:
    return Stacks({name: stacks.templates[name]}, {name: stacks.about[name]})
