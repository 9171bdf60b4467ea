"""A pipeline file is read as strictly as an environment file, and all of its errors come at once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from settings import SettingsError
from settings.rules.pipeline import actions_of_wave
from settings.waves import Placed, available_pipelines, load_pipeline, parse_pipeline, place
from tests.pipelines import DEV_ACCOUNT, PROD_ACCOUNT, file_with

TODAY = date(2026, 11, 23)


def errors_of(data: Any) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        place(parse_pipeline(data, source="test.yaml"), source="test.yaml", today=TODAY)
    return [str(problem) for problem in raised.value.problems]


def placed(data: dict[str, Any]) -> list[Placed]:
    waves = place(parse_pipeline(data, source="test.yaml"), source="test.yaml", today=TODAY)
    return [each for wave in waves for each in wave]


def test_shipped_pipeline_is_valid_and_deploys_dev_before_prod() -> None:
    waves = place(load_pipeline("pipeline"), source="environments/pipeline.yaml", today=TODAY)
    assert [[each.target.environment for each in wave] for wave in waves] == [["dev"], ["prod"]]


def test_unknown_pipeline_names_those_that_are_there() -> None:
    assert available_pipelines() == ["pipeline"]
    with pytest.raises(SettingsError, match=r"no pipeline prod; the file's name begins with `pipeline`.*are: pipeline"):
        load_pipeline("prod")


def test_all_errors_of_a_step_come_at_once() -> None:
    # GIVEN a misspelt setting and a bad ARN
    wrong = [("regoin", "us-east-1"), ("source.connection.arn", "arn:aws:iam::1:role/x")]
    fields = errors_of(file_with(*wrong))
    assert [error.partition(":")[0] for error in fields] == ["regoin", "source.connection.arn"]
    assert fields[0] == "regoin: unknown setting; did you mean region?"
    assert "got 'arn:aws:iam::1:role/x', which does not match ^arn:aws" in fields[1]
    # AND two broken rules, which wait until every field is right
    broken = [("source.codecommit", {"repository": "x"}), ("waves.0.environments", [])]
    assert errors_of(file_with(*wrong, *broken)) == fields
    assert errors_of(file_with(*broken)) == [
        "source: names connection and codecommit; name exactly one of connection, codecommit, s3",
        "waves.0.environments: is empty; name at least one environment, or drop the wave",
    ]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("waves", []), "waves: is empty; name at least one wave"),
        (
            ("waves.1.environments", []),
            "waves.1.environments: is empty; name at least one environment, or drop the wave",
        ),
        (("source", {}), "source: names nothing; name exactly one of connection, codecommit, s3"),
        (
            ("source.codecommit", {"repository": "milvus"}),
            "source: names connection and codecommit; name exactly one of connection, codecommit, s3",
        ),
        (
            ("account", "444444444444"),
            "source.connection.arn: belongs to account 111111111111, the pipeline to 444444444444; create the "
            "connection in the pipeline's",
        ),
        (("waves.1.name", "dev"), "waves.1.name: dev appears twice; give each wave its own name"),
        *(
            (("waves.0.name", name), f"waves.0.name: {name} is a stage that every pipeline has; choose another name")
            for name in ("Source", "Build", "UpdatePipeline", "Assets")
        ),
        (
            ("waves.0.environments.0.environment", "dve"),
            "waves.0.environments.0.environment: no environment dve; did you mean dev? There are: dev, existing-vpc, "
            "exposed, guide, prod, small",
        ),
        (
            ("waves.1.environments.1.region", "us-east-2"),
            f"waves.1.environments.1: deploys milvus-prod to {PROD_ACCOUNT}, us-east-2, as waves.1.environments.0 "
            "does; give it another account or region, or an environment of another name",
        ),
        (
            ("waves.0.environments.0.account", None),
            "waves.0.environments.0.account: missing, while others are given; name every account, so that CDK knows "
            "which ones trust the pipeline",
        ),
        (
            ("account", None),
            "account: missing, while others are given; name every account, so that CDK knows which ones trust the "
            "pipeline",
        ),
    ],
)
def test_rule_across_fields_names_setting_value_and_remedy(change: tuple[str, Any], error: str) -> None:
    assert errors_of(file_with(change)) == [error]


def test_approval_for_a_stack_that_the_environment_lacks_is_refused() -> None:
    # GIVEN an environment without MSK
    data = file_with(
        ("waves.0.environments.0.environment", "existing-vpc"),
        ("waves.0.environments.0.approvals", {"streaming": {"Cluster1": "moved to the new cluster"}}),
    )
    assert errors_of(data) == [
        "waves.0.environments.0.approvals.streaming: milvus-byo has no such stack; it has network, storage, eks, milvus"
    ]


def test_approval_for_a_stack_that_the_environment_has_is_kept() -> None:
    approvals = {"storage": {"Data1": "moved to the new bucket"}}
    dev, *_ = placed(file_with(("waves.0.environments.0.approvals", approvals)))
    assert dev.target.approvals == approvals


@pytest.mark.parametrize("reason", ["short", "quote ' in it, which a shell would see", "$(command) in the reason"])
def test_reason_of_an_approval_is_text_that_a_shell_cannot_misread(reason: str) -> None:
    data = file_with(("waves.0.environments.0.approvals", {"storage": {"Data1": reason}}))
    assert "which does not match" in errors_of(data)[0]


@pytest.mark.parametrize("name", ["Data1@", "Data1@a b", "Data1@'x'", "Data1@$(command)"])
def test_physical_id_of_an_approval_is_text_that_a_shell_cannot_misread(name: str) -> None:
    data = file_with(("waves.0.environments.0.approvals", {"storage": {name: "moved to the new bucket"}}))
    assert errors_of(data)


def test_target_moves_an_environment_to_its_account_and_region() -> None:
    dev, prod, second = placed(file_with())
    assert (dev.env.account, dev.env.region) == (DEV_ACCOUNT, "us-east-2")
    assert (prod.env.region, second.env.region) == ("us-east-2", "eu-west-1")


def test_stage_is_named_after_its_environment_and_as_much_of_its_place_as_is_needed() -> None:
    assert [each.stage for each in placed(file_with())] == [
        "milvus-dev",
        "milvus-prod-us-east-2",
        "milvus-prod-eu-west-1",
    ]
    # WHEN the same environment goes to two accounts of one region
    twice = file_with(
        ("waves.1.environments", [{"environment": "dev", "account": PROD_ACCOUNT}]),
    )
    assert [each.stage for each in placed(twice)] == [
        f"milvus-dev-us-east-2-{DEV_ACCOUNT}",
        f"milvus-dev-us-east-2-{PROD_ACCOUNT}",
    ]


def test_wave_with_more_actions_than_codepipeline_takes_is_refused() -> None:
    # GIVEN three regions in one wave, with an approval
    regions = [
        {"environment": "prod", "account": PROD_ACCOUNT, "region": region}
        for region in ("us-east-2", "eu-west-1", "ap-south-1")
    ]
    assert errors_of(file_with(("waves.1.environments", regions))) == [
        "waves.1.environments: 3 environments make 70 actions, and CodePipeline takes 50 in a stage; put some into a "
        "wave of their own"
    ]


@pytest.mark.parametrize(
    ("wave", "actions"),
    [
        # Five stacks, three actions each, differences, protection; permissions; the stack of the proof, and the proof.
        ({}, 15 + 2 + 2 + 3 + 1),
        ({"confirm_permissions": False}, 15 + 2 + 3 + 1),
        ({"smoke": False}, 15 + 2 + 2),
        ({"smoke": False, "confirm_permissions": False, "approval": True}, 15 + 2 + 1),
    ],
)
def test_actions_of_a_wave_are_counted(wave: dict[str, bool], actions: int) -> None:
    [first, *_] = parse_pipeline(
        file_with(*((f"waves.0.{key}", value) for key, value in wave.items())), source="x"
    ).waves
    dev, *_ = placed(file_with())
    assert actions_of_wave(first, [dev.env]) == actions


def test_environment_is_judged_by_the_day_that_is_given() -> None:
    # GIVEN the day after the end of every support of Kubernetes WHEN placed THEN that is the day that counts
    with pytest.raises(SettingsError, match=r"cluster\.version: 1\.36 is out of support since 2028-08-02"):
        place(load_pipeline("pipeline"), source="environments/pipeline.yaml", today=date(2030, 1, 1))


def test_environment_is_judged_in_the_account_and_region_of_its_target() -> None:
    # GIVEN an environment with certificates of the region that its own file names
    certificates = {
        "milvus.service.certificate_arn": "arn:aws:acm:us-east-2:111122223333:certificate/"
        "00000000-0000-0000-0000-000000000001",
        "milvus.attu.certificate_arn": "arn:aws:acm:us-east-2:111122223333:certificate/"
        "00000000-0000-0000-0000-000000000002",
        "milvus.attu.oidc.client_secret_arn": "arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-AbCdEf",
    }
    placed(file_with(("waves.0.environments.0.environment", "exposed")))
    # WHEN a wave moves it to another one
    moved = file_with(("waves.0.environments.0.environment", "exposed"), ("waves.0.environments.0.region", "eu-west-1"))
    # THEN each of them is refused there
    assert errors_of(moved) == [
        f"{path}: {arn} is of region us-east-2; it has to be in eu-west-1, like the resource that uses it"
        for path, arn in sorted(certificates.items())
    ]
