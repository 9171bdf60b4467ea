from __future__ import annotations

import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Match

from milvus_constructs.encryption_key import EncryptionKey
from milvus_constructs.kafka.user import KafkaUser
from tests.unit.streaming_templates import only, streaming


def test_brokers_admit_nobody_by_themselves() -> None:
    group = only("AWS::EC2::SecurityGroup")["Properties"]
    assert "SecurityGroupIngress" not in group
    streaming()[0].resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def test_client_stack_opens_the_scram_port_for_its_own_security_group_only() -> None:
    rule = only("AWS::EC2::SecurityGroupIngress", streaming()[1])["Properties"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 9096, 9096)
    assert "Fn::GetAtt" in rule["SourceSecurityGroupId"]
    assert "CidrIp" not in rule


def test_secret_has_the_prefix_the_key_and_the_keys_that_msk_demands() -> None:
    secret = only("AWS::SecretsManager::Secret")["Properties"]
    assert secret["Name"]["Fn::Join"][1][0].startswith("AmazonMSK_")
    assert "Fn::GetAtt" in secret["KmsKeyId"]
    assert json.loads(secret["GenerateSecretString"]["SecretStringTemplate"]) == {"username": "milvus"}
    assert secret["GenerateSecretString"]["GenerateStringKey"] == "password"


def test_password_is_safe_in_every_syntax() -> None:
    generator = only("AWS::SecretsManager::Secret")["Properties"]["GenerateSecretString"]
    # Letters and digits of every kind, and no x: never a number in YAML, nothing to quote anywhere.
    assert generator["ExcludePunctuation"] is True
    assert generator["IncludeSpace"] is False
    assert generator["RequireEachIncludedType"] is True
    assert generator["ExcludeCharacters"] == "x"
    assert generator["PasswordLength"] >= 32


def test_secret_is_not_granted_by_version() -> None:
    # GIVEN the user of Kafka, whose readers follow a rotation
    stack = cdk.Stack(cdk.App(), "stack")
    key = EncryptionKey(stack, "Key", description="test", removal="destroy")
    user = KafkaUser(stack, "User", name="milvus-test", username="milvus", key=key, removal="destroy")
    # WHEN somebody asks for one version THEN it is an error, not a grant of all of them
    with pytest.raises(ValueError, match=r"^stack/User: got version stages AWSPREVIOUS; leave them out$"):
        user.grant_read(iam.AccountRootPrincipal(), ["AWSPREVIOUS"])


def test_broker_list_is_read_after_the_secret_was_accepted() -> None:
    template = streaming()[0]
    [association] = template.find_resources("Custom::MskScramAssociation")
    assert association in only("Custom::MskBootstrapBrokers")["DependsOn"]


def test_broker_list_does_not_change_with_the_number_of_brokers() -> None:
    # GIVEN an import by Milvus's stack, which would make CloudFormation refuse a changed list
    properties = [
        only("Custom::MskBootstrapBrokers", streaming(brokers=brokers)[0])["Properties"] for brokers in (3, 6)
    ]
    # THEN more brokers read nothing anew
    assert properties[0] == properties[1]


def test_functions_may_do_their_one_thing_on_this_cluster_only() -> None:
    allowed = {}
    for policy in streaming()[0].find_resources("AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            for action in [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]:
                if action.startswith("kafka:"):
                    allowed[action] = tuple(statement["Resource"]["Fn::GetAtt"])
    [name] = streaming()[0].find_resources("AWS::MSK::Cluster")
    assert set(allowed) == {
        "kafka:BatchAssociateScramSecret",
        "kafka:BatchDisassociateScramSecret",
        "kafka:ListScramSecrets",
        "kafka:GetBootstrapBrokers",
    }
    assert set(allowed.values()) == {(name, "Arn")}


def test_every_function_logs_to_a_log_group_of_the_stack() -> None:
    functions = streaming()[0].find_resources("AWS::Lambda::Function").values()
    assert functions
    assert all("Ref" in function["Properties"]["LoggingConfig"]["LogGroup"] for function in functions)


def test_reader_of_the_secret_may_decrypt_it_through_secrets_manager_only() -> None:
    statements = only("AWS::IAM::Policy", streaming()[1])["Properties"]["PolicyDocument"]["Statement"]
    assert [statement["Action"] for statement in statements] == [
        ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "kms:Decrypt",
    ]
    suffix = {"Ref": "AWS::URLSuffix"}
    through = {"kms:ViaService": {"Fn::Join": ["", ["secretsmanager.us-east-2.", suffix]]}}
    assert statements[1]["Condition"] == {"StringEquals": through}


def test_destroy_leaves_nothing_and_retain_leaves_secret_key_and_logs() -> None:
    kinds = ["AWS::SecretsManager::Secret", "AWS::KMS::Key", "AWS::Logs::LogGroup"]
    for template, policy in (
        (streaming()[0], "Delete"),
        (streaming(removal="retain", max_gib=100)[0], "RetainExceptOnCreate"),
    ):
        for kind in kinds:
            for resource in template.find_resources(kind).values():
                assert resource.get("DeletionPolicy", "Delete") == policy, kind


@pytest.mark.parametrize(
    "kind",
    ["AWS::MSK::Cluster", "AWS::MSK::Configuration", "AWS::EC2::SecurityGroup", "Custom::MskScramAssociation"],
)
def test_brokers_go_with_their_stack_since_they_would_keep_the_network(kind: str) -> None:
    for template in (streaming()[0], streaming(removal="retain", max_gib=100)[0]):
        found = template.find_resources(kind)
        assert found
        assert {resource.get("DeletionPolicy", "Delete") for resource in found.values()} == {"Delete"}


def test_no_secret_value_stands_in_the_template() -> None:
    assert "{{resolve:" not in json.dumps([template.to_json() for template in streaming()])


@pytest.mark.parametrize("output", ["MskClusterArn", "KafkaSecretArn", "BootstrapBrokersSaslScram"])
def test_what_others_need_is_an_output(output: str) -> None:
    streaming()[0].has_output(output, Match.object_like({"Value": Match.any_value()}))


def test_networks_of_the_settings_reach_the_brokers_on_the_port_with_a_login_and_on_no_other() -> None:
    template, _ = streaming(private_cidrs=("10.8.0.0/16",))
    ingress = only("AWS::EC2::SecurityGroup", template)["Properties"]["SecurityGroupIngress"]
    assert [(rule["CidrIp"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in ingress] == [
        ("10.8.0.0/16", "tcp", 9096, 9096)
    ]
    # AND nobody but them: without any there is no rule in this stack
    assert "SecurityGroupIngress" not in only("AWS::EC2::SecurityGroup")["Properties"]
