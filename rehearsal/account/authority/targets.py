"""On which resources, and with which condition keys, CloudFormation performs an action for a resource.

What is not told apart here (EC2, CloudWatch, Logs, Application Auto Scaling) is judged as "any resource": a statement
for some resources only does not allow it. https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rehearsal.account.authority.operation import Operation

Target = tuple[str, dict[str, str]]

ANY = "*"
# To which service a type hands the roles that it is given.
PASSED_TO = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "application-autoscaling.amazonaws.com",
    "AWS::CodeBuild::Project": "codebuild.amazonaws.com",
    "AWS::CodePipeline::Pipeline": "codepipeline.amazonaws.com",
    "AWS::EC2::FlowLog": "vpc-flow-logs.amazonaws.com",
    "AWS::EKS::Addon": "eks.amazonaws.com",
    "AWS::EKS::Cluster": "eks.amazonaws.com",
    # The nodes are EC2's, but it is EKS that gets the role.
    "AWS::EKS::Nodegroup": "eks.amazonaws.com",
    "AWS::EKS::PodIdentityAssociation": "eks.amazonaws.com",
    "AWS::Events::Rule": "events.amazonaws.com",
    "AWS::Lambda::Function": "lambda.amazonaws.com",
    "AWS::S3::Bucket": "s3.amazonaws.com",
    "AWS::StepFunctions::StateMachine": "states.amazonaws.com",
}
# Service-linked roles that a type's service makes on its first use: service, role.
LINKED_ROLES = {
    "AWS::ApplicationAutoScaling::ScalableTarget": (
        "kafka.application-autoscaling.amazonaws.com",
        "AWSServiceRoleForApplicationAutoScaling_KafkaCluster",
    ),
    "AWS::EKS::Cluster": ("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
    "AWS::EKS::Nodegroup": ("eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup"),
    "AWS::MSK::Cluster": ("kafka.amazonaws.com", "AWSServiceRoleForKafka"),
}
_OF_EKS = {
    "AWS::EKS::AccessEntry": ("AccessEntry", "access-entry"),
    "AWS::EKS::Addon": ("Addon", "addon"),
    "AWS::EKS::Nodegroup": ("Nodegroup", "nodegroup"),
    "AWS::EKS::PodIdentityAssociation": ("PodIdentityAssociation", "podidentityassociation"),
}


def targets(action: str, operation: Operation) -> list[Target]:
    """Return resources and condition keys of an action; none when the resource has nothing that it is about."""
    rule = _ACTIONS.get(action) or _SERVICES.get(action.partition(":")[0])
    return rule(action, operation) if rule else [(ANY, {})]


def _role(operation: Operation, name: str) -> str:
    return f"arn:aws:iam::{operation.account}:role/{name.lstrip('/')}"


def _given_roles(_action: str, operation: Operation) -> list[Target]:
    if operation.type_name == "AWS::CodePipeline::Pipeline":
        # Its service role is handed to it; the roles of its actions are assumed by that one, when they run.
        given = {str(each.get("RoleArn", "")) for each in (operation.properties, operation.previous)}
    else:
        given = set(operation.values("arn:aws:iam::"))
    return [(arn, {}) for arn in sorted(given) if ":role/" in arn]


def _pass_role(_action: str, operation: Operation) -> list[Target]:
    if operation.type_name.startswith("AWS::EKS::Access"):
        return []
    service = PASSED_TO.get(operation.type_name, "")
    return [(arn, {"iam:PassedToService": service}) for arn, _keys in _given_roles("", operation)]


def _linked_role(_action: str, operation: Operation) -> list[Target]:
    if operation.type_name not in LINKED_ROLES:
        return []
    service, role = LINKED_ROLES[operation.type_name]
    return [(_role(operation, f"aws-service-role/{service}/{role}"), {"iam:AWSServiceName": service})]


def _get_role(action: str, operation: Operation) -> list[Target]:
    if operation.type_name == "AWS::IAM::Role":
        return _own_role(action, operation)
    # EKS looks whether its linked role is there already.
    return [*_given_roles(action, operation), *((arn, {}) for arn, _keys in _linked_role(action, operation))]


def _iam(action: str, operation: Operation) -> list[Target]:
    wanted, account = operation.properties, f"arn:aws:iam::{operation.account}"
    if operation.type_name == "AWS::IAM::Role":
        return _own_role(action, operation)
    if operation.type_name == "AWS::IAM::OIDCProvider":
        return [(f"{account}:oidc-provider/{str(wanted.get('Url', '')).removeprefix('https://')}", {})]
    if operation.type_name == "AWS::IAM::ManagedPolicy":
        return [(f"{account}:policy/{operation.name}", {})]
    if operation.type_name == "AWS::IAM::Policy":
        return [(_role(operation, role), {}) for role in wanted.get("Roles", [])]
    if "InstanceProfile" in action:
        return [(f"{account}:instance-profile/eks-{operation.name}", {})]
    # MSK completes its linked role; EKS looks what its roles have.
    return _given_roles(action, operation) if action.startswith("iam:List") else _linked_of(operation)


def _own_role(action: str, operation: Operation) -> list[Target]:
    wanted = operation.properties
    arn = _role(operation, f"{wanted.get('Path', '')}{operation.name}")
    boundary = wanted.get("PermissionsBoundary")
    keys = {"iam:PermissionsBoundary": str(boundary)} if boundary else {}
    now, before = (set(each.get("ManagedPolicyArns", [])) for each in (wanted, operation.previous))
    if action in {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}:
        # What is attached anew, or no longer; whoever deletes a role detaches all.
        come, gone = (now - before, before - now) if operation.kind != "delete" else (set(), now)
        policies = come if action == "iam:AttachRolePolicy" else gone
        return [(arn, {**keys, "iam:PolicyARN": policy}) for policy in sorted(policies)]
    return [(arn, keys)]


def _linked_of(operation: Operation) -> list[Target]:
    return [(arn, {}) for arn, _keys in _linked_role("", operation)]


def _eks(action: str, operation: Operation) -> list[Target]:
    wanted = operation.properties
    cluster = wanted.get("ClusterName") or operation.name
    word, kind = _OF_EKS.get(operation.type_name, ("", "cluster"))
    below = f"arn:aws:eks:{operation.place}:{kind}/{cluster}/XXXXXXXX"
    # A new one is asked for of its cluster, and so are updates.
    of_cluster = not word or action in {f"eks:Create{word}", "eks:DescribeUpdate", "eks:ListUpdates"}
    other = operation.type_name != "AWS::EKS::Cluster" and "PodIdentityAssociation" in action
    if action == "eks:CreateAccessEntry" or (other and action.startswith("eks:Create")):
        of_cluster = True
    return [(f"arn:aws:eks:{operation.place}:cluster/{cluster}" if of_cluster else below, {})]


def _kafka(action: str, operation: Operation) -> list[Target]:
    if action in {"kafka:CreateCluster", "kafka:CreateConfiguration"}:
        return [(ANY, {})]
    kind = "configuration" if operation.type_name == "AWS::MSK::Configuration" else "cluster"
    return [(f"arn:aws:kafka:{operation.place}:{kind}/{operation.name}/XXXXXXXX", {})]


def _kms(action: str, operation: Operation) -> list[Target]:
    if operation.type_name in {"AWS::KMS::Key", "AWS::KMS::Alias"}:
        key = operation.physical_id or "XXXXXXXX"
        unnamed = action in {"kms:CreateKey", "kms:ListAliases"}
        return [(ANY if unnamed else f"arn:aws:kms:{operation.place}:key/{key}", {})]
    keys = {
        "kms:CreateGrant": {"kms:GrantIsForAWSResource": "true"},
        "kms:Decrypt": {"kms:ViaService": f"{operation.service}.{operation.region}.amazonaws.com"},
        "kms:GenerateDataKey": {"kms:ViaService": f"{operation.service}.{operation.region}.amazonaws.com"},
    }
    return [(arn, keys.get(action, {})) for arn in operation.values("arn:aws:kms:")]


def _lambda(action: str, operation: Operation) -> list[Target]:
    if action == "lambda:InvokeFunction":
        return [(str(operation.properties["ServiceToken"]), {})]
    if action == "lambda:GetLayerVersion" and operation.type_name == "AWS::Lambda::Function":
        return [(arn, {}) for arn in operation.values("arn:aws:lambda:") if ":layer:" in arn]
    kind = "layer" if "Layer" in action else "function"
    return [(f"arn:aws:lambda:{operation.place}:{kind}:{operation.name}", {})]


def _s3(action: str, operation: Operation) -> list[Target]:
    if action in {"s3:GetObject", "s3:GetObjectVersion"}:
        code: dict[str, Any] = operation.properties.get("Code") or operation.properties.get("Content") or {}
        return [(f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}", {})] if code.get("S3Bucket") else []
    bucket = operation.properties.get("Bucket") or operation.name
    return [(f"arn:aws:s3:::{bucket}", {})]


def _secretsmanager(action: str, operation: Operation) -> list[Target]:
    if action == "secretsmanager:GetRandomPassword":
        return [(ANY, {})]
    given = str(operation.properties.get("SecretId", ""))
    return [(given or f"arn:aws:secretsmanager:{operation.place}:secret:{operation.name}-XXXXXX", {})]


def _named(shape: str) -> Callable[[str, Operation], list[Target]]:
    return lambda _action, operation: [(shape.format(place=operation.place, name=operation.name.lstrip("/")), {})]


_SERVICES: dict[str, Callable[[str, Operation], list[Target]]] = {
    "codebuild": _named("arn:aws:codebuild:{place}:project/{name}"),
    "codepipeline": _named("arn:aws:codepipeline:{place}:{name}"),
    "ecr": _named("arn:aws:ecr:{place}:repository/{name}"),
    "eks": _eks,
    "events": _named("arn:aws:events:{place}:rule/{name}"),
    "iam": _iam,
    "kafka": _kafka,
    "kms": _kms,
    "lambda": _lambda,
    "route53": lambda _action, _operation: [("arn:aws:route53:::hostedzone/XXXXXXXX", {})],
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "ssm": _named("arn:aws:ssm:{place}:parameter/{name}"),
    "states": _named("arn:aws:states:{place}:stateMachine:{name}"),
}
_ACTIONS: dict[str, Callable[[str, Operation], list[Target]]] = {
    "iam:CreateServiceLinkedRole": _linked_role,
    "iam:GetRole": _get_role,
    "iam:PassRole": _pass_role,
    "codestar-connections:PassConnection": lambda _action, operation: [
        (arn, {}) for arn in operation.values("arn:aws:codestar-connections:")
    ],
}
