"""Entry point of the CDK application: settings of one environment -> its stacks, or of a pipeline -> the pipeline."""

from __future__ import annotations

import sys

import _node  # noqa: F401 - before aws_cdk, which starts Node

# isort: split
import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

import _paths  # noqa: F401 - before everything that imports milvus_constructs
from settings import Environment, SettingsError, load_environment, load_warnings, select
from stacks.build import build_environment


def build(app: cdk.App) -> None:
    """Add the stacks of ``-c env=NAME``, or the pipeline of ``-c pipeline=NAME``, with the checks of every synth.

    Raises:
        SettingsError: The context selects nothing, or the file of the environment or of the pipeline cannot be used.
    """
    kind, name = select(app.node.get_all_context())
    if kind == "pipeline":
        from stacks.pipeline_stack import build_pipeline  # noqa: PLC0415 - costs time that a plain synth need not spend

        for env in build_pipeline(app, name):
            _annotate(app, env)
    else:
        env = load_environment(name)
        build_environment(app, env)
        _annotate(app, env)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def _annotate(app: cdk.App, env: Environment) -> None:
    for number, warning in enumerate(load_warnings(env), start=1):
        # An id of its own for each, so that one can be acknowledged without the others.
        cdk.Annotations.of(app).add_warning_v2(f"settings:{env.name}:{number}", str(warning))


def main() -> int:
    """Synthesize; return the exit code."""
    # A trace of a construct would lead into jsii, never to a line of Python.
    app = cdk.App(stack_traces=False)
    try:
        build(app)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what the CDK CLI shows
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
