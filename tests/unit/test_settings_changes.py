"""Every setting declares what a change of it does, and the page says it."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, Field

from settings.changes import KEY, RESTARTS_ETCD, Change, Effect, Setting, change, declared, never, settings_of
from settings.environment import Environment
from settings.pipeline import Pipeline
from settings.record import change_rules
from tools.docs.changes_page import PAGE, changes_page
from tools.docs.settings_schema import FOLDER
from tools.docs.upgrade_page import PAGE as UPGRADE
from tools.docs.upgrade_page import upgrade_page

SETTINGS = [*settings_of(Environment), *settings_of(Pipeline)]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: f"{setting.model.__name__}-{setting.path}")
def test_every_setting_declares_what_a_change_of_it_does(setting: Setting) -> None:
    if setting.only_holds_others:
        assert setting.change is None, f"{setting.path} is always there; its own settings declare what they do"
        return
    assert setting.change is not None, (
        f"{setting.model.__name__}.{setting.path.rpartition('.')[2]} declares no change: give its Field a "
        "json_schema_extra of settings/changes.py, such as IN_PLACE"
    )
    assert setting.change.remedy or setting.change.effect is not Effect.NEVER, f"{setting.path}: never, and no remedy"


def test_settings_of_a_model_are_those_in_its_maps_lists_and_unions_too() -> None:
    paths = {setting.path for setting in SETTINGS}
    assert {
        "cluster.node_groups.*.taints[].key",
        "network.existing.vpc_id",
        "queue.brokers",
        "queue.preview",
        "milvus.components.standalone.memory_gib",
        "milvus.attu.oidc.issuer",
        "waves[].environments[].approvals",
    } <= paths


def test_declaration_comes_back_from_the_field() -> None:
    class Sample(BaseModel):
        silent: int = Field(default=1)
        moves: int = Field(default=1, json_schema_extra=change(Effect.REPLACES, "a pump", only_grows=True, remedy="no"))
        fixed: int = Field(default=1, json_schema_extra=never())

    fields = Sample.model_fields
    assert declared(fields["silent"]) is None
    assert declared(fields["moves"]) == Change(Effect.REPLACES, "a pump", only_grows=True, remedy="no")
    assert declared(fields["fixed"]) == Change(Effect.NEVER, remedy="make a new environment and move the data")


def test_schema_for_editors_has_the_declaration() -> None:
    schema = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
    assert schema["$defs"]["Etcd"]["properties"]["cpu"][KEY] == RESTARTS_ETCD[KEY]


def test_changes_page_is_generated_from_the_models() -> None:
    assert PAGE.read_text(encoding="utf-8") == changes_page(), "docs/changes.md is stale: run `make docs`"


def test_tables_of_the_upgrade_page_are_generated() -> None:
    text = UPGRADE.read_text(encoding="utf-8")
    assert upgrade_page(text) == text, "docs/upgrade.md is stale: run `make docs`"
    # AND it says what is refused, of every kind of rule, and the image of etcd that comes with each line
    for row in (
        "| more than one step at a time | `milvus.etcd.replicas`: 1, 2, 3, 4, 5 |",
        "| 2.6 | 2.5.16 or newer | 2.6.25 | 5.0.19 | 3.5.25-r1 |",
    ):
        assert row in text.splitlines()
    [way_back] = [line for line in text.splitlines() if line.startswith("| the way back")]
    assert all(f"`{path}`" in way_back for path in change_rules()["grows"])


def test_upgrade_page_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^docs/upgrade\.md has 0 places for refusals: there must be one$"):
        upgrade_page("# Upgrade\n")


def test_changes_page_has_a_component_once() -> None:
    page = changes_page()
    assert page.count("| `milvus.components.NAME.replicas` | in-place |") == 1
    assert "| `queue.kafka_version` | broker-by-broker, only grows | the brokers |" in page
    assert "| `waves[].smoke` | in-place | the verification stack" in page.partition("## Of the pipeline")[2]
