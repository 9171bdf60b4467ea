"""Which actions CloudFormation performs for a resource: those of its type's schema, with the additions known here."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.account import schemas
from rehearsal.account.authority.operation import Operation

Condition = Callable[[Operation], bool]


def _given(*names: str) -> Condition:
    return lambda operation: any(operation.changed(name) for name in names)


def _never(_operation: Operation) -> bool:
    return False


# A schema lists what all properties together could need. These are asked for with one of the properties only: beginning
# of the action, type (or any) -> when.
ONLY_WITH: dict[tuple[str, str], Condition] = {
    ("acm-pca:", "AWS::MSK::Cluster"): lambda operation: bool(operation.values("arn:aws:acm-pca:")),
    ("ec2:AcceptAddressTransfer", "*"): _given("TransferAddress"),
    ("ec2:AssignPrivateNatGatewayAddress", "*"): _given("SecondaryPrivateIpAddresses"),
    ("ec2:UnassignPrivateNatGatewayAddress", "*"): _given("SecondaryPrivateIpAddresses"),
    ("ec2:AttachVpnGateway", "*"): _given("VpnGatewayId"),
    ("ec2:DetachVpnGateway", "*"): _given("VpnGatewayId"),
    ("ec2:DescribeVpnGateways", "*"): _given("VpnGatewayId"),
    ("elasticfilesystem:", "*"): _given("FileSystemConfigs"),
    ("firehose:", "*"): lambda operation: "DeliveryStream" in str(operation.properties),
    ("iam:DeleteRolePermissionsBoundary", "*"): lambda operation: (
        "PermissionsBoundary" in operation.previous and "PermissionsBoundary" not in operation.properties
    ),
    ("iam:PutRolePermissionsBoundary", "*"): lambda operation: (
        operation.properties.get("PermissionsBoundary") != operation.previous.get("PermissionsBoundary")
    ),
    ("iam:AttachRolePolicy", "AWS::IAM::Role"): _given("ManagedPolicyArns"),
    ("iam:DetachRolePolicy", "AWS::IAM::Role"): _given("ManagedPolicyArns"),
    ("iam:PutRolePolicy", "AWS::IAM::Role"): _given("Policies"),
    ("iam:DeleteRolePolicy", "AWS::IAM::Role"): _given("Policies"),
    **{(f"iam:{verb}GroupPolicy", "*"): _given("Groups") for verb in ("Delete", "Get", "Put")},
    **{(f"iam:{verb}UserPolicy", "*"): _given("Users") for verb in ("Delete", "Get", "Put")},
    **{
        (f"iam:{verb}", "AWS::EKS::Cluster"): _given("ComputeConfig")
        for verb in (
            "AddRoleToInstanceProfile",
            "CreateInstanceProfile",
            "DeleteInstanceProfile",
            "GetInstanceProfile",
            "RemoveRoleFromInstanceProfile",
            "TagInstanceProfile",
        )
    },
    ("lambda:PassCapacityProvider", "*"): _given("CapacityProviderConfig"),
    # A scalable target of a function: the service's name is not lambda here.
    ("lambda:", "AWS::ApplicationAutoScaling::ScalableTarget"): lambda operation: (
        operation.properties.get("ServiceNamespace") == "lambda"
    ),
    ("s3:GetBucketPolicy", "AWS::MSK::Cluster"): lambda operation: "'S3'" in str(operation.properties),
    ("s3:PutBucketPolicy", "AWS::MSK::Cluster"): lambda operation: "'S3'" in str(operation.properties),
    ("s3:GetBucketPolicy", "AWS::EC2::FlowLog"): lambda operation: (
        operation.properties.get("LogDestinationType") == "s3"
    ),
    ("s3:PutBucketPolicy", "AWS::EC2::FlowLog"): lambda operation: (
        operation.properties.get("LogDestinationType") == "s3"
    ),
    **{
        (f"s3:{verb}", "*"): _given("MetadataTableConfiguration", "MetadataConfiguration")
        for verb in (
            "CreateBucketMetadataTableConfiguration",
            "DeleteBucketMetadataTableConfiguration",
            "UpdateBucketMetadata",
        )
    },
    # CloudFormation deletes a bucket, and fails where objects lie in it.
    ("s3:DeleteObject", "AWS::S3::Bucket"): _never,
    ("s3:PutObjectAcl", "*"): _given("AccessControl"),
    # An entry of an access log that got among the permissions.
    ("s3:REST.PUT.OBJECT", "*"): _never,
    ("s3files:", "*"): _given("FileSystemConfigs"),
    ("s3tables:", "*"): _given("MetadataTableConfiguration", "MetadataConfiguration"),
    ("secretsmanager:RemoveRegionsFromReplication", "*"): _given("ReplicaRegions"),
    ("secretsmanager:ReplicateSecretToRegions", "*"): _given("ReplicaRegions"),
    ("vpc-lattice:", "*"): _given("ServiceNetworkArn", "ResourceConfigurationArn"),
    ("vpce:", "*"): _given("ServiceRegion"),
}

_CODEBUILD = ("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs")
# Types whose schema lists no permissions: what their documentation says, by kind of operation.
WITHOUT_SCHEMA: dict[str, dict[str, tuple[str, ...]]] = {
    # https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-permissions-reference.html
    "AWS::CodeBuild::Project": {
        "create": ("codebuild:CreateProject", "codebuild:BatchGetProjects", "iam:PassRole", *_CODEBUILD),
        "update": ("codebuild:UpdateProject", "codebuild:BatchGetProjects", "iam:PassRole", *_CODEBUILD),
        "delete": ("codebuild:DeleteProject",),
    },
}
# Nothing outside CloudFormation is asked for these.
_INSIDE = ("AWS::CloudFormation::", "AWS::CDK::")


def _private_dns(operation: Operation) -> bool:
    return str(operation.properties.get("PrivateDnsEnabled", "")).lower() == "true"


# What is needed although no schema lists it: type -> (action, when, source).
ADDITIONS: dict[str, tuple[tuple[str, Condition, str], ...]] = {
    "AWS::EC2::VPCEndpoint": (
        (
            "route53:AssociateVPCWithHostedZone",
            _private_dns,
            "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html",
        ),
    ),
    "AWS::SecretsManager::Secret": (
        (
            "kms:GenerateDataKey",
            _given("KmsKeyId"),
            "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
        ),
        (
            "kms:Decrypt",
            _given("KmsKeyId"),
            "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
        ),
    ),
}


def actions(operation: Operation) -> list[str]:
    """Return the actions of an operation.

    Raises:
        LookupError: Nothing is known about the type: it would pass unjudged.
    """
    kind, name = operation.kind, operation.type_name
    if name.startswith("Custom::") or name == "AWS::CloudFormation::CustomResource":
        return ["lambda:InvokeFunction"]
    if name.startswith(_INSIDE):
        return []
    if name in WITHOUT_SCHEMA:
        listed = list(WITHOUT_SCHEMA[name][kind])
    else:
        handlers = (schemas.schema(name) or {}).get("handlers", {})
        # What was made is read, too; what is gone is not.
        both = (kind,) if kind == "delete" else (kind, "read")
        listed = [each for part in both for each in handlers.get(part, {}).get("permissions", [])]
    if not listed:
        raise LookupError(f"no schema lists what CloudFormation needs for {name}; add it to {__name__}.WITHOUT_SCHEMA")
    if kind != "delete":
        listed += [action for action, when, _source in ADDITIONS.get(name, ()) if when(operation)]
    # Two spellings of one service stand in the schemas; IAM does not tell them apart.
    spelled = {f"{each.partition(':')[0].lower()}:{each.partition(':')[2]}" for each in listed}
    return sorted(action for action in spelled if _needed(action, operation))


def _needed(action: str, operation: Operation) -> bool:
    return all(
        when(operation)
        for (beginning, of), when in ONLY_WITH.items()
        if action.startswith(beginning) and of in ("*", operation.type_name)
    )
