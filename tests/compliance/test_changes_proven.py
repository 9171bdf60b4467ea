"""What each setting declares about its change is what templates, Kubernetes objects and Helm values say.

A synthesis for each setting takes some minutes together: `make test-changes`, each week.
"""

from __future__ import annotations

import functools

import pytest

from charts.values import helm_values
from settings import Environment
from settings.changes import Effect, Setting, settings_of
from settings.pipeline import Pipeline
from tools.change_proof import pipelines
from tools.change_proof.cases import NO_OTHER_VALUE, case_of
from tools.change_proof.derive import derive, worst
from tools.change_proof.kubernetes import values_effects
from tools.change_proof.rendered import rendered_effects
from tools.change_proof.stacks import Stacks
from tools.chart_proof.cases import context
from tools.chart_proof.render import Rendered, render
from tools.chart_proof.source import PULL, VARIABLE, chart_folder, charts_given

SETTINGS = {
    each.path: each
    for each in settings_of(Environment)
    if not each.only_holds_others and each.path not in NO_OTHER_VALUE
}
OF_THE_RELEASE = [path for path in SETTINGS if path.startswith(("milvus.", "queue.", "storage.root_path"))]

needs_the_chart = pytest.mark.skipif(
    charts_given() is None,
    reason=f"the changed values were NOT rendered by the real chart: {VARIABLE} is not set (a folder with one folder "
    f"per chart version, or {PULL}); the rules of tools/change_proof/kubernetes.py stand in for it",
)


@functools.cache
def synthesized(settings: str) -> Stacks:
    return Stacks.of(Environment.model_validate_json(settings))


@functools.cache
def rendered(settings: str) -> Rendered:
    env = Environment.model_validate_json(settings)
    given = charts_given()
    assert given is not None
    # Where the chart comes from is another test's: a mirror that is made up holds none.
    repository = "https://zilliztech.github.io/milvus-helm/"
    return render(
        chart_folder(given, version=env.release.chart, repository=repository), helm_values(env, context(env)), env
    )


@functools.cache
def delivered(settings: str) -> pipelines.Delivered:
    return pipelines.Delivered.of(Pipeline.model_validate_json(settings))


def release_of(env: Environment) -> tuple[str, ...]:
    return env.milvus.namespace, env.milvus.release_name, env.release.chart


@pytest.mark.whole
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_change_does_what_the_setting_declares(setting: Setting) -> None:
    # GIVEN an environment, and the same with another value of the setting
    before, after = case_of(setting).environments()
    # WHEN both are synthesized and compared
    found = derive(synthesized(before.model_dump_json()), synthesized(after.model_dump_json()))
    # THEN what AWS, Helm and Kubernetes make of the difference is what the setting declares
    assert setting.change is not None
    seen = "\n".join(f"  {effect}: {what}" for what, effect in sorted(found.items()))
    assert worst(found) is setting.change.effect, f"{setting.path} declares {setting.change.effect}, but:\n{seen}"


@pytest.mark.whole
@pytest.mark.parametrize("setting", pipelines.settings().values(), ids=pipelines.settings())
def test_change_of_a_pipeline_does_what_the_setting_declares(setting: Setting) -> None:
    # GIVEN a pipeline, and the same with another value of the setting
    before, after = pipelines.pipelines(setting.path)
    # WHEN both are synthesized with what they deploy, and compared
    found = pipelines.delivery_effects(delivered(before.model_dump_json()), delivered(after.model_dump_json()))
    # THEN what becomes of the pipeline and of the environments is what the setting declares
    assert setting.change is not None
    seen = "\n".join(f"  {effect}: {what}" for what, effect in sorted(found.items()))
    assert worst(found) is setting.change.effect, f"{setting.path} declares {setting.change.effect}, but:\n{seen}"


@pytest.mark.whole
@needs_the_chart
@pytest.mark.parametrize("path", OF_THE_RELEASE)
def test_changed_values_do_in_the_real_chart_what_the_rules_say(path: str) -> None:
    # GIVEN the values before and after a change
    before, after = case_of(SETTINGS[path]).environments()
    values = [helm_values(env, context(env)) for env in (before, after)]
    # WHEN the chart renders both
    found = {
        what: effect for effect, what in rendered_effects(*(rendered(env.model_dump_json()) for env in (before, after)))
    }
    # THEN pods restart, and Kubernetes refuses, where the rules say so; where data lies, no chart knows
    rules = {what: effect for effect, what in values_effects(*values)}
    elsewhere = any("the data" in what or "queue" in what for what, effect in rules.items() if effect is Effect.NEVER)
    if not elsewhere and release_of(before) == release_of(after):
        assert worst(found) is worst(rules), f"rendered: {found}\nby the rules: {rules}"
