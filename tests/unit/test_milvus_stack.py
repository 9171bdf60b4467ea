from __future__ import annotations

import functools
import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from settings import parse_environment
from stacks.build import EnvironmentStacks, build_environment
from tests.unit.settings_files import file_with
from tools.context import CONTEXT

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
RELEASE = "Custom::AWSCDK-EKS-HelmChart"
OIDC_SECRET = "arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-Ab12Cd"


def environment(*changes: tuple[str, Any]) -> EnvironmentStacks:
    app = cdk.App(context=CONTEXT)
    return build_environment(app, parse_environment(file_with(*changes), source="test"))


@functools.cache
def msk() -> Template:
    # GIVEN Milvus with authorization on MSK
    return Template.from_stack(environment().milvus)


@functools.cache
def woodpecker() -> Template:
    # GIVEN Milvus on Woodpecker, in TLS, and Attu behind a sign-in
    certificate = "arn:aws:acm:us-east-2:111122223333:certificate/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
    oidc = {
        "issuer": "https://id.example.com",
        "authorization_endpoint": "https://id.example.com/authorize",
        "token_endpoint": "https://id.example.com/token",
        "user_info_endpoint": "https://id.example.com/userinfo",
        "client_secret_arn": OIDC_SECRET,
    }
    attu = {"exposure": "internal", "certificate_arn": certificate, "oidc": oidc}
    return Template.from_stack(
        environment(
            ("queue", {"kind": "woodpecker"}),
            ("milvus.line", "3.0"),
            ("milvus.service", {"certificate_arn": certificate, "hostname": "milvus.example.com"}),
            ("milvus.attu", attu),
            ("removal_policy", "destroy"),
        ).milvus
    )


def resources(template: Template, kind: str, **properties: Any) -> dict[str, Any]:
    found = dict(template.find_resources(kind, {"Properties": properties} if properties else {}))
    assert found, f"no {kind} to look at"
    return found


def manifest(template: Template, kind: str) -> dict[str, Any]:
    """Return the resource of the only object of a kind."""
    [found] = [
        resource
        for resource in resources(template, MANIFEST).values()
        if f'"kind":"{kind}"' in json.dumps(resource["Properties"]["Manifest"]).replace("\\", "")
    ]
    return dict(found)


def release(template: Template) -> str:
    [name] = resources(template, RELEASE)
    return name


def trust(template: Template, account: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the trust conditions for a service account, and the role that has them."""
    [(name, conditions)] = [
        (name, found)
        for name, found in resources(template, "Custom::AWSCDKCfnJson").items()
        if f":{account}" in json.dumps(found)
    ]
    [role] = [found for found in resources(template, "AWS::IAM::Role").values() if name in json.dumps(found)]
    return conditions, role


@pytest.mark.parametrize("account", ["milvus-s3-access-sa", "milvus-secrets-sa"])
def test_roles_trust_exactly_one_service_account(account: str) -> None:
    conditions, role = trust(msk(), account)
    text = json.dumps(conditions["Properties"]["Value"])
    assert f'system:serviceaccount:milvus:{account}\\"' in text
    assert "sts.amazonaws.com" in text
    [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert list(statement["Condition"]) == ["StringEquals"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"


def test_milvus_reaches_its_root_path_and_no_secret() -> None:
    [policy] = [
        found
        for found in resources(msk(), "AWS::IAM::Policy").values()
        if "s3:PutObject" in json.dumps(found["Properties"])
    ]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    [objects] = [statement for statement in statements if "s3:PutObject" in statement["Action"]]
    assert objects["Resource"]["Fn::Join"][1][-1] == "/milvus/*"
    assert "secretsmanager" not in json.dumps([statement["Action"] for statement in statements])


def test_operator_reads_exactly_the_secrets_of_the_release() -> None:
    [policy] = [
        found
        for found in resources(msk(), "AWS::IAM::Policy").values()
        if "secretsmanager:GetSecretValue" in json.dumps(found["Properties"])
    ]
    reading = next(
        statement
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "secretsmanager:GetSecretValue" in statement["Action"]
    )
    # THEN the user of Kafka and root's password: two full ARNs, and no wildcard
    assert len(reading["Resource"]) == 2
    assert "*" not in json.dumps(policy["Properties"]["PolicyDocument"])


def test_operator_reads_the_client_secret_of_attu_where_it_signs_in() -> None:
    [policy] = [
        found
        for found in resources(woodpecker(), "AWS::IAM::Policy").values()
        if "secretsmanager:GetSecretValue" in json.dumps(found["Properties"])
    ]
    reading, _ = policy["Properties"]["PolicyDocument"]["Statement"]
    # THEN by its ARN, next to root's password
    assert OIDC_SECRET in reading["Resource"]
    assert len(reading["Resource"]) == 2


def test_root_password_is_generated_and_safe_in_every_syntax() -> None:
    msk().has_resource_properties(
        "AWS::SecretsManager::Secret",
        {
            "GenerateSecretString": {
                "ExcludePunctuation": True,
                "IncludeSpace": False,
                "PasswordLength": 32,
                "GenerateStringKey": "password",
                "SecretStringTemplate": '{"username": "root"}',
            }
        },
    )


def test_root_password_is_under_a_key_of_its_own_that_its_reader_may_use() -> None:
    [key] = resources(woodpecker(), "AWS::KMS::Key")
    woodpecker().has_resource_properties("AWS::SecretsManager::Secret", {"KmsKeyId": {"Fn::GetAtt": [key, "Arn"]}})
    [decrypting] = [
        statement
        for policy in resources(woodpecker(), "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "kms:Decrypt" and statement["Resource"] == {"Fn::GetAtt": [key, "Arn"]}
    ]
    # THEN through Secrets Manager, and nowhere else
    assert decrypting["Condition"]["StringEquals"].keys() == {"kms:ViaService"}


def test_without_authorization_there_is_no_root_password() -> None:
    # GIVEN a release without authorization and without a queue that needs a password
    template = Template.from_stack(
        environment(
            ("queue", {"kind": "woodpecker"}),
            ("milvus.line", "3.0"),
            ("milvus.authorization", False),
            ("milvus.acknowledge", ["CVE-2026-26190"]),
        ).milvus
    )
    # THEN there is neither a secret nor a role that reads secrets
    template.resource_count_is("AWS::SecretsManager::Secret", 0)
    assert "secretsmanager" not in json.dumps(template.to_json())
    assert "RootSecretArn" not in template.to_json()["Outputs"]


def test_nodes_reach_the_brokers_on_the_scram_port_only() -> None:
    msk().has_resource_properties(
        "AWS::EC2::SecurityGroupIngress", {"FromPort": 9096, "ToPort": 9096, "IpProtocol": "tcp"}
    )
    msk().resource_count_is("AWS::EC2::SecurityGroupIngress", 1)
    woodpecker().resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def test_release_starts_after_its_roles_and_with_the_brokers_open() -> None:
    first = msk().to_json()["Resources"][release(msk())]["DependsOn"]
    kinds = {msk().to_json()["Resources"][name]["Type"] for name in first}
    assert {"AWS::IAM::Policy", "AWS::IAM::Role", "AWS::EC2::SecurityGroupIngress"} <= kinds


@pytest.mark.parametrize("template", [msk, woodpecker])
def test_load_balancers_go_before_the_release_and_so_before_their_controller(template: Any) -> None:
    # THEN what makes a load balancer depends on the release, and the whole stack on the controller's
    assert release(template()) in manifest(template(), "Service")["DependsOn"]
    if template is woodpecker:
        assert release(template()) in manifest(template(), "Ingress")["DependsOn"]


def test_stack_waits_for_all_it_uses_and_the_others_not_for_each_other() -> None:
    stacks = environment()

    def needs(stack: cdk.Stack) -> set[str]:
        return {each.stack_name.rpartition("-")[2] for each in stack.dependencies}

    for stack in (stacks.network, stacks.storage, stacks.streaming, stacks.eks, stacks.milvus):
        if stack is not None:
            cdk.App.of(stack).synth()  # type: ignore[union-attr]  # the stack is in an App
    assert stacks.streaming is not None
    assert needs(stacks.network) == needs(stacks.storage) == set()
    assert needs(stacks.eks) == needs(stacks.streaming) == {"network"}
    assert {"eks", "storage", "streaming"} <= needs(stacks.milvus)


def test_readiness_is_checked_after_the_release_and_again_when_its_values_change() -> None:
    [gate] = resources(msk(), "Custom::ReleaseReadiness").values()
    [guard] = resources(msk(), "Custom::ChangeGuard")
    assert gate["DependsOn"] == [release(msk()), guard]
    properties = gate["Properties"]
    assert (properties["Namespace"], properties["Release"], properties["TimeoutSeconds"]) == (
        "milvus",
        "milvus",
        "1800",
    )
    # THEN the gate holds the version and the values, tokens included
    trigger = json.dumps(properties["Trigger"])
    assert "5.0.19" in trigger
    values = msk().to_json()["Resources"][release(msk())]["Properties"]["Values"]["Fn::Join"][1]
    assert [token for token in values if isinstance(token, dict)] == [
        token for token in properties["Trigger"]["Fn::Join"][1] if isinstance(token, dict)
    ]


def test_the_way_of_the_release_is_prepared_whenever_helm_runs() -> None:
    [preparation] = resources(msk(), "Custom::ReleasePreparation")
    found = msk().to_json()["Resources"]
    assert preparation in found[release(msk())]["DependsOn"]
    properties = found[preparation]["Properties"]
    expected = {"Namespace": "milvus", "Release": "milvus", "Etcd": "milvus-etcd", "VolumeGib": "20"}
    assert {key: properties[key] for key in expected} == expected
    # AND it may wait for as long as a function that runs Helm can live, and for volumes then
    assert int(properties["TimeoutSeconds"]) > 900 + 300
    # AND it holds the values, as the readiness does
    [readiness] = resources(msk(), "Custom::ReleaseReadiness").values()
    assert properties["Trigger"] == readiness["Properties"]["Trigger"]


def test_nothing_waits_inside_a_function_for_longer_than_it_lives() -> None:
    msk().has_resource_properties(RELEASE, {"Wait": Match.absent(), "Timeout": Match.absent()})
    for value in resources(msk(), "Custom::AWSCDK-EKS-KubernetesObjectValue").values():
        assert value["Properties"]["TimeoutSeconds"] < 900


def test_endpoint_is_read_again_when_the_service_changes() -> None:
    [value] = resources(msk(), "Custom::AWSCDK-EKS-KubernetesObjectValue").values()
    service = manifest(msk(), "Service")["Properties"]["Manifest"]
    assert f"[{value['Properties']['Trigger']}]" == service


def test_outputs_of_a_plain_release() -> None:
    outputs = msk().to_json()["Outputs"]
    assert outputs.keys() >= {"Namespace", "ReleaseName", "MilvusEndpoint", "MilvusUri", "RootSecretArn"}
    assert "AttuEndpoint" not in outputs
    assert outputs["MilvusUri"]["Value"]["Fn::Join"][1][0] == "http://"
    assert outputs["MilvusEndpoint"]["Value"]["Fn::Join"][1][-1] == ":19530"


def test_outputs_say_https_where_there_is_a_certificate() -> None:
    outputs = woodpecker().to_json()["Outputs"]
    assert outputs["MilvusUri"]["Value"] == "https://milvus.example.com:19530"
    assert outputs["AttuEndpoint"]["Value"]["Fn::Join"][1][0] == "https://"


@pytest.mark.parametrize(("template", "policy"), [(msk, "RetainExceptOnCreate"), (woodpecker, "Delete")])
def test_namespace_follows_the_removal_policy(template: Any, policy: str) -> None:
    assert manifest(template(), "Namespace")["DeletionPolicy"] == policy


def test_time_out_of_a_gate_must_leave_room_for_its_reason() -> None:
    stacks = environment()
    with pytest.raises(ValueError, match="time-out of 45 minutes: must be below 45"):
        stacks.eks.tasks.await_release(
            stacks.milvus,
            "TooLong",
            namespace="milvus",
            release="milvus",
            timeout=cdk.Duration.minutes(45),
            trigger="",
        )


def test_protection_is_for_what_holds_data_and_the_cluster() -> None:
    stacks = environment(("termination_protection", True))
    assert stacks.eks.termination_protection
    assert stacks.storage.termination_protection
    assert not stacks.milvus.termination_protection
