"""What CloudFormation needs for a resource, and on what."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.account.authority.conditions import UnknownToTheEngineError, require_known, role_of
from rehearsal.account.authority.needed import ADDITIONS, ONLY_WITH, actions
from rehearsal.account.authority.operation import Operation
from rehearsal.account.authority.targets import ANY, targets

_PLACE = "us-west-2:111122223333"
_KEY = f"arn:aws:kms:{_PLACE}:key/1"
_ROLE = "arn:aws:iam::111122223333:role/milvus-nodes"


def _operation(
    type_name: str, kind: str = "create", previous: dict[str, Any] | None = None, **properties: Any
) -> Operation:
    return Operation(
        kind=kind,
        type_name=type_name,
        logical_id="Thing1A2B",
        stack="milvus-dev-eks",
        properties=properties,
        previous=previous or {},
        region="us-west-2",
        account="111122223333",
    )


def test_a_new_resource_is_made_and_read_and_an_old_one_deleted_only() -> None:
    made = actions(_operation("AWS::MSK::Configuration"))
    gone = actions(_operation("AWS::MSK::Configuration", "delete"))

    assert made == ["kafka:CreateConfiguration", "kafka:DescribeConfiguration"]
    assert gone == ["kafka:DeleteConfiguration", "kafka:DescribeConfiguration"]


def test_a_type_of_which_nothing_is_known_does_not_pass() -> None:
    with pytest.raises(LookupError, match="no schema lists what CloudFormation needs for AWS::Made::Up; add it to"):
        actions(_operation("AWS::Made::Up"))


@pytest.mark.parametrize(
    ("action", "type_name", "given"),
    [
        ("route53:AssociateVPCWithHostedZone", "AWS::EC2::VPCEndpoint", {"PrivateDnsEnabled": True}),
        ("kms:GenerateDataKey", "AWS::SecretsManager::Secret", {"KmsKeyId": _KEY}),
        ("vpce:AllowMultiRegion", "AWS::EC2::VPCEndpoint", {"ServiceRegion": "us-east-1"}),
        ("ec2:AcceptAddressTransfer", "AWS::EC2::EIP", {"TransferAddress": "192.0.2.1"}),
        ("iam:AttachRolePolicy", "AWS::IAM::Role", {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}),
        ("iam:CreateInstanceProfile", "AWS::EKS::Cluster", {"ComputeConfig": {"Enabled": True}}),
        ("secretsmanager:ReplicateSecretToRegions", "AWS::SecretsManager::Secret", {"ReplicaRegions": []}),
        ("elasticfilesystem:DescribeMountTargets", "AWS::Lambda::Function", {"FileSystemConfigs": []}),
        ("s3:PutObjectAcl", "AWS::S3::Bucket", {"AccessControl": "Private"}),
    ],
)
def test_some_actions_are_needed_with_a_property_only(action: str, type_name: str, given: dict[str, Any]) -> None:
    assert action not in actions(_operation(type_name))
    assert action in actions(_operation(type_name, **given))


def test_a_boundary_is_put_and_deleted_only_where_it_changes() -> None:
    def changed(old: str | None, new: str | None) -> set[str]:
        before, after = ({"PermissionsBoundary": each} if each else {} for each in (old, new))
        found = actions(_operation("AWS::IAM::Role", "update", previous=before, **after))
        return {each.removeprefix("iam:") for each in found if "Boundary" in each}

    assert changed("one", "one") == set()
    assert changed("one", "two") == {"PutRolePermissionsBoundary"}
    assert "DeleteRolePermissionsBoundary" in changed("one", None)


def test_a_pipeline_is_handed_its_own_role_and_not_those_that_its_actions_assume() -> None:
    actions_role = {"Configuration": {"RoleArn": "arn:aws:iam::111122223333:role/cdk-hnb659fds-cfn-exec-role"}}
    pipeline = _operation("AWS::CodePipeline::Pipeline", RoleArn=_ROLE, Stages=[{"Actions": [actions_role]}])
    for action in ("iam:GetRole", "iam:PassRole"):
        assert [arn for arn, _keys in targets(action, pipeline)] == [_ROLE]


def test_what_is_added_and_left_out_is_said_once_and_with_a_source() -> None:
    assert all(source.startswith("https://") for each in ADDITIONS.values() for _action, _when, source in each)
    assert all(":" in beginning for beginning, _of in ONLY_WITH)


@pytest.mark.parametrize(
    ("action", "operation", "wanted"),
    [
        pytest.param(
            "iam:CreateRole",
            _operation("AWS::IAM::Role", PermissionsBoundary="arn:aws:iam::111122223333:policy/limit"),
            [
                (
                    "arn:aws:iam::111122223333:role/milvus-dev-eks-Thing1A2B-XXXXXXXXXXXX",
                    {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/limit"},
                )
            ],
            id="a role by the name that CloudFormation makes, with its boundary",
        ),
        pytest.param(
            "iam:AttachRolePolicy",
            _operation("AWS::IAM::Role", RoleName="milvus-x", ManagedPolicyArns=["arn:aws:iam::aws:policy/One"]),
            [("arn:aws:iam::111122223333:role/milvus-x", {"iam:PolicyARN": "arn:aws:iam::aws:policy/One"})],
            id="a managed policy by its ARN",
        ),
        pytest.param(
            "iam:PassRole",
            _operation("AWS::Lambda::Function", Role=_ROLE),
            [(_ROLE, {"iam:PassedToService": "lambda.amazonaws.com"})],
            id="a role to the service that gets it",
        ),
        pytest.param(
            "iam:CreateServiceLinkedRole",
            _operation("AWS::MSK::Cluster"),
            [
                (
                    "arn:aws:iam::111122223333:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka",
                    {"iam:AWSServiceName": "kafka.amazonaws.com"},
                )
            ],
            id="the linked role of a service",
        ),
        pytest.param(
            "eks:CreateNodegroup",
            _operation("AWS::EKS::Nodegroup", ClusterName="milvus-dev"),
            [(f"arn:aws:eks:{_PLACE}:cluster/milvus-dev", {})],
            id="a new node group is asked for of its cluster",
        ),
        pytest.param(
            "eks:DeleteNodegroup",
            _operation("AWS::EKS::Nodegroup", ClusterName="milvus-dev"),
            [(f"arn:aws:eks:{_PLACE}:nodegroup/milvus-dev/XXXXXXXX", {})],
            id="an old one by its own ARN",
        ),
        pytest.param("kafka:CreateCluster", _operation("AWS::MSK::Cluster"), [(ANY, {})], id="not made yet"),
        pytest.param(
            "kafka:DeleteCluster",
            _operation("AWS::MSK::Cluster", ClusterName="milvus-dev"),
            [(f"arn:aws:kafka:{_PLACE}:cluster/milvus-dev/XXXXXXXX", {})],
            id="an MSK cluster by its name",
        ),
        pytest.param(
            "secretsmanager:CreateSecret",
            _operation("AWS::SecretsManager::Secret"),
            [(f"arn:aws:secretsmanager:{_PLACE}:secret:Thing1A2B-XXXXXXXXXXXX-XXXXXX", {})],
            id="a secret is named after its logical id",
        ),
        pytest.param(
            "kms:Decrypt",
            _operation("AWS::SecretsManager::Secret", KmsKeyId=_KEY),
            [(_KEY, {"kms:ViaService": "secretsmanager.us-west-2.amazonaws.com"})],
            id="a key through the service",
        ),
        pytest.param("kms:Decrypt", _operation("AWS::Lambda::Function"), [], id="no key, no permission for one"),
        pytest.param(
            "s3:CreateBucket",
            _operation("AWS::S3::Bucket"),
            [("arn:aws:s3:::milvus-dev-eks-thing1a2b-xxxxxxxxxxxx", {})],
            id="a bucket's name is in small letters",
        ),
        pytest.param(
            "s3:GetObject",
            _operation("AWS::Lambda::Function", Code={"S3Bucket": "assets", "S3Key": "code.zip"}),
            [("arn:aws:s3:::assets/code.zip", {})],
            id="the code of a function",
        ),
        pytest.param(
            "lambda:InvokeFunction",
            _operation("Custom::Any", ServiceToken=f"arn:aws:lambda:{_PLACE}:function:milvus-f"),
            [(f"arn:aws:lambda:{_PLACE}:function:milvus-f", {})],
            id="the function behind a custom resource",
        ),
        pytest.param("ec2:CreateVpc", _operation("AWS::EC2::VPC"), [(ANY, {})], id="by action only"),
    ],
)
def test_an_action_is_judged_on_what_it_is_about(
    action: str, operation: Operation, wanted: list[tuple[str, dict[str, str]]]
) -> None:
    assert targets(action, operation) == wanted


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}},
        {"StringLikeIfExists": {"aws:ResourceTag/name": "milvus"}},
        {"Null": {"aws:RequestTag/elbv2.k8s.aws/cluster": "true"}},
        {"StringEquals": {"oidc.eks.us-west-2.amazonaws.com/id/A:sub": "system:serviceaccount:milvus:milvus"}},
    ],
)
def test_the_conditions_of_this_project_are_known(condition: dict[str, Any]) -> None:
    require_known(condition)


@pytest.mark.parametrize(
    ("condition", "unknown"),
    [
        ({"BinaryEquals": {"aws:PrincipalArn": ""}}, "the condition operator BinaryEquals"),
        ({"StringEquals": {"ec2:Subnet": ""}}, "the condition key ec2:Subnet"),
        ({"StringEquals": {"cognito:sub": ""}}, "the condition key cognito:sub"),
    ],
)
def test_any_other_condition_is_an_error(condition: dict[str, Any], unknown: str) -> None:
    with pytest.raises(UnknownToTheEngineError, match=f"^{unknown}$"):
        require_known(condition)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (
            "arn:aws:sts::111122223333:assumed-role/milvus-delivery-step/AWSCodeBuild",
            "arn:aws:iam::111122223333:role/milvus-delivery-step",
        ),
        ("arn:aws-cn:sts::111122223333:assumed-role/one/two", "arn:aws-cn:iam::111122223333:role/one"),
        (_ROLE, _ROLE),
        ("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root"),
    ],
)
def test_the_principal_of_a_condition_is_the_role_and_not_its_session(principal: str, expected: str) -> None:
    assert role_of(principal) == expected
