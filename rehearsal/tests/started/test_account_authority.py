"""IAM in a really started account: the examples of AWS's documentation, and each correction of the engine.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.failure import failures
from rehearsal.run import PROJECT

_ACCOUNT, _REGION = "111122223333", "us-west-2"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    options = AccountOptions(run_dir=tmp_path_factory.mktemp("account"), account_id=_ACCOUNT, region=_REGION)
    with EmbeddedAccount(options) as started:
        yield started


def _statement(effect: str, action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class _Caller:
    """A user of the account, and clients that act as that user."""

    def __init__(self, account: EmbeddedAccount, *statements: dict[str, Any], boundary: str = "") -> None:
        iam = account.client("iam")
        self._account = account
        self.name = f"user-{next(_NUMBERS)}"
        limit = {"PermissionsBoundary": boundary} if boundary else {}
        self.arn = iam.create_user(UserName=self.name, **limit)["User"]["Arn"]
        if statements:
            iam.put_user_policy(UserName=self.name, PolicyName="own", PolicyDocument=_document(*statements))
        self._key = iam.create_access_key(UserName=self.name)["AccessKey"]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._account.endpoint,
            region_name=_REGION,
            aws_access_key_id=self._key["AccessKeyId"],
            aws_secret_access_key=self._key["SecretAccessKey"],
        )


def _managed(account: EmbeddedAccount, *statements: dict[str, Any]) -> str:
    made = account.client("iam").create_policy(
        PolicyName=f"policy-{next(_NUMBERS)}", PolicyDocument=_document(*statements)
    )
    return str(made["Policy"]["Arn"])


def _bucket(account: EmbeddedAccount, *policy: dict[str, Any]) -> str:
    name = f"milvus-{next(_NUMBERS)}"
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": _REGION})
    s3.put_object(Bucket=name, Key="key", Body=b"text")
    if policy:
        resources = [{**each, "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]} for each in policy]
        s3.put_bucket_policy(Bucket=name, Policy=_document(*resources))
    return name


def _refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
    return str(caught.value.response["Error"]["Message"])


def test_a_request_that_no_policy_allows_is_refused_with_principal_action_and_resource(
    account: EmbeddedAccount,
) -> None:
    bucket, caller = _bucket(account), _Caller(account)

    refused = _refusal(caller.client("s3").get_object, Bucket=bucket, Key="key")

    assert refused == (
        f"User: {caller.arn} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::{bucket}/key "
        "because no identity-based policy allows the s3:GetObject action"
    )


def test_an_explicit_deny_wins_over_an_allow(account: EmbeddedAccount) -> None:
    # GIVEN who may do everything in S3 but delete
    bucket = _bucket(account)
    caller = _Caller(account, _statement("Allow", "s3:*"), _statement("Deny", "s3:DeleteObject"))

    # WHEN an object is read, THEN it may be; WHEN it is deleted, THEN the deny decides
    assert caller.client("s3").get_object(Bucket=bucket, Key="key")["Body"].read() == b"text"
    refused = _refusal(caller.client("s3").delete_object, Bucket=bucket, Key="key")
    assert refused.endswith("with an explicit deny in an identity-based policy")


def test_a_boundary_allows_nothing_and_limits_what_policies_allow(account: EmbeddedAccount) -> None:
    # GIVEN https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html: S3, CloudWatch and EC2
    boundary = _managed(account, _statement("Allow", ["s3:*", "cloudwatch:*", "ec2:*"]))
    bounded = _Caller(account, _statement("Allow", "iam:CreateUser"), boundary=boundary)
    only_boundary = _Caller(account, boundary=boundary)
    both = _Caller(account, _statement("Allow", ["s3:ListAllMyBuckets", "iam:*"]), boundary=boundary)

    # WHEN a policy allows what the boundary does not, THEN the boundary decides
    refused = _refusal(bounded.client("iam").create_user, UserName="nobody")
    assert refused == (
        f"User: {bounded.arn} is not authorized to perform: iam:CreateUser on resource: "
        f"arn:aws:iam::{_ACCOUNT}:user/nobody because no permissions boundary allows the iam:CreateUser action"
    )
    # WHEN only the boundary allows it, THEN nothing does
    assert "no identity-based policy allows" in _refusal(only_boundary.client("s3").list_buckets)
    # WHEN both do, THEN it may be done
    both.client("s3").list_buckets()


def test_the_policy_of_a_bucket_suffices_in_its_own_account(account: EmbeddedAccount) -> None:
    # GIVEN two who have no policy, and a bucket that admits one of them
    admitted, other = _Caller(account), _Caller(account)
    bucket = _bucket(account, {"Effect": "Allow", "Principal": {"AWS": admitted.arn}, "Action": "s3:GetObject"})

    admitted.client("s3").get_object(Bucket=bucket, Key="key")
    assert "no identity-based policy allows" in _refusal(other.client("s3").get_object, Bucket=bucket, Key="key")


def test_the_policy_of_a_bucket_may_deny_what_its_account_allows(account: EmbeddedAccount) -> None:
    caller = _Caller(account, _statement("Allow", "s3:*"))
    bucket = _bucket(account, {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject"})

    caller.client("s3").get_object(Bucket=bucket, Key="key")
    refused = _refusal(caller.client("s3").put_object, Bucket=bucket, Key="key", Body=b"")
    assert refused.endswith("with an explicit deny in a resource-based policy")


def test_requests_over_loopback_count_as_encrypted(account: EmbeddedAccount) -> None:
    # GIVEN the two statements of CDK's enforce_ssl and minimum_tls_version
    caller = _Caller(account, _statement("Allow", "s3:*"))
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*"}
    bucket = _bucket(
        account,
        {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {**deny, "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
    )
    future = _bucket(account, {**deny, "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.4"}}})

    caller.client("s3").get_object(Bucket=bucket, Key="key")
    assert "explicit deny" in _refusal(caller.client("s3").get_object, Bucket=future, Key="key")


def test_the_prefix_of_a_list_is_judged(account: EmbeddedAccount) -> None:
    bucket = _bucket(account)
    caller = _Caller(
        account, _statement("Allow", "s3:ListBucket", Condition={"StringLike": {"s3:prefix": ["files/*", "files"]}})
    )

    caller.client("s3").list_objects_v2(Bucket=bucket, Prefix="files/a")
    for prefix in ({}, {"Prefix": ""}, {"Prefix": "other"}):
        assert "s3:ListBucket" in _refusal(caller.client("s3").list_objects_v2, Bucket=bucket, **prefix)


@pytest.mark.parametrize(
    ("condition", "unknown"),
    [
        ({"StringMatches": {"aws:PrincipalArn": "*"}}, "the condition operator StringMatches"),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "the condition key aws:SourceVpce"),
        ({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, "the condition key aws:SourceVpc"),
        ({"StringLike": {"s3:prefix": "${aws:username}/*"}}, "the policy variable in ${aws:username}/*"),
    ],
)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_what_the_engine_does_not_know_is_an_error_and_never_an_allow(
    account: EmbeddedAccount, effect: str, condition: dict[str, Any], unknown: str
) -> None:
    bucket = _bucket(account)
    allow = [_statement("Allow", "s3:*")] if effect == "Deny" else []
    caller = _Caller(account, *allow, _statement(effect, "s3:ListBucket", Condition=condition))

    refused = _refusal(caller.client("s3").list_objects_v2, Bucket=bucket)

    assert refused == (
        f"Whether {caller.arn} is authorized to perform: s3:ListBucket on resource: arn:aws:s3:::{bucket} cannot be "
        f"judged here: the engine does not know {unknown}, and allows nothing by what it does not know. Teach it in "
        "rehearsal/account/authority"
    )


def test_a_request_whose_action_nobody_knows_is_refused_also_to_who_may_do_everything(
    account: EmbeddedAccount,
) -> None:
    caller = _Caller(account, _statement("Allow", "*"))

    refused = _refusal(caller.client("kinesisanalyticsv2").list_applications)
    assert refused == (
        f"What {caller.arn} asks of kinesisanalyticsv2 cannot be judged here: its action is not known. Teach it in "
        "rehearsal/account/authority"
    )


def test_what_the_emulator_does_not_read_from_the_path_is_judged_too(account: EmbeddedAccount) -> None:
    _Caller(account, _statement("Allow", "lambda:GetAccountSettings")).client("lambda").get_account_settings()
    assert "perform: lambda:GetAccountSettings" in _refusal(_Caller(account).client("lambda").get_account_settings)


def test_a_service_of_the_rehearsals_own_is_judged_too(account: EmbeddedAccount) -> None:
    asked = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
    allowed = _Caller(account, _statement("Allow", "servicequotas:GetServiceQuota"))

    assert allowed.client("service-quotas").get_service_quota(**asked)["Quota"]["QuotaCode"] == "L-1216C47A"
    refused = _refusal(_Caller(account).client("service-quotas").get_service_quota, **asked)
    assert "is not authorized to perform: servicequotas:GetServiceQuota on resource: *" in refused


def test_a_statement_that_names_whom_it_spares_is_an_error(account: EmbeddedAccount) -> None:
    caller = _Caller(account, _statement("Allow", "s3:*"))
    bucket = _bucket(account)
    policy = _document(
        {
            "Effect": "Deny",
            "NotPrincipal": {"AWS": f"arn:aws:iam::{_ACCOUNT}:root"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/*",
        }
    )
    account.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)

    refused = _refusal(caller.client("s3").get_object, Bucket=bucket, Key="key")
    assert "the engine does not know NotPrincipal" in refused


def test_a_secret_needs_its_key_through_secrets_manager(account: EmbeddedAccount) -> None:
    # GIVEN a secret under a customer key
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    made = account.client("secretsmanager").create_secret(Name="milvus", SecretString="x", KmsKeyId=key)
    read = _statement("Allow", "secretsmanager:GetSecretValue", made["ARN"])
    through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{_REGION}.amazonaws.com"}}

    # WHEN one reads it who may not decrypt, THEN the key is named; with it, it is read, through the service only
    refused = _refusal(_Caller(account, read).client("secretsmanager").get_secret_value, SecretId="milvus")
    assert f"is not authorized to perform: kms:Decrypt on resource: {key} because no identity-based" in refused
    both = _Caller(account, read, _statement("Allow", "kms:Decrypt", key, Condition=through))
    assert both.client("secretsmanager").get_secret_value(SecretId="milvus")["SecretString"] == "x"
    cipher = account.client("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert "kms:Decrypt" in _refusal(both.client("kms").decrypt, CiphertextBlob=cipher, KeyId=key)


def test_a_key_that_does_not_admit_its_account_admits_nobody(account: EmbeddedAccount) -> None:
    # https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    policy = {"Sid": "1", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{_ACCOUNT}:user/somebody"}}
    key = account.client("kms").create_key(
        Policy=_document({**policy, "Action": "kms:*", "Resource": "*"}), BypassPolicyLockoutSafetyCheck=True
    )["KeyMetadata"]["Arn"]
    caller = _Caller(account, _statement("Allow", "kms:*"))

    refused = _refusal(caller.client("kms").encrypt, KeyId=key, Plaintext=b"x")
    assert refused.endswith("because no resource-based policy allows the kms:Encrypt action")


_CLUSTER = f"arn:aws:kafka:{_REGION}:{_ACCOUNT}:cluster/milvus/11111111-2222-3333-4444-555555555555-1"


@pytest.mark.parametrize(
    ("action", "arguments", "right", "wrong"),
    [
        pytest.param(
            "kafka:ListScramSecrets",
            {"ClusterArn": _CLUSTER},
            _CLUSTER,
            _CLUSTER.replace("cluster/milvus", "cluster/other"),
            id="an MSK cluster by its ARN in the path",
        ),
        pytest.param(
            "logs:CreateLogGroup",
            {"logGroupName": "/aws/eks/milvus/cluster"},
            f"arn:aws:logs:{_REGION}:{_ACCOUNT}:log-group:/aws/eks/milvus/cluster:*",
            f"arn:aws:logs:{_REGION}:{_ACCOUNT}:log-group:/aws/eks/milvus/cluster",
            id="a log group with what follows its name",
        ),
        pytest.param(
            "ssm:GetParameters",
            {"Names": ["/one", "/two"]},
            f"arn:aws:ssm:{_REGION}:{_ACCOUNT}:parameter/*",
            f"arn:aws:ssm:{_REGION}:{_ACCOUNT}:parameter/one",
            id="every parameter",
        ),
        pytest.param(
            "eks:DescribeNodegroup",
            {"clusterName": "milvus", "nodegroupName": "general"},
            f"arn:aws:eks:{_REGION}:{_ACCOUNT}:nodegroup/milvus/general/*",
            f"arn:aws:eks:{_REGION}:{_ACCOUNT}:cluster/milvus",
            id="a node group and not its cluster",
        ),
        pytest.param(
            "codebuild:BatchGetBuilds",
            {"ids": ["milvus-verification:11111111-2222-3333-4444-555555555555"]},
            f"arn:aws:codebuild:{_REGION}:{_ACCOUNT}:project/milvus-verification",
            f"arn:aws:codebuild:{_REGION}:{_ACCOUNT}:project/other",
            id="a build by its project",
        ),
    ],
)
def test_a_request_is_judged_on_the_resource_that_aws_judges(
    account: EmbeddedAccount, action: str, arguments: dict[str, Any], right: str, wrong: str
) -> None:
    service, _, operation = action.partition(":")
    call = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    # WHEN a policy allows it on the wrong resource, THEN it is refused
    mistaken = _Caller(account, _statement("Allow", action, wrong))
    assert f"perform: {action}" in _refusal(getattr(mistaken.client(service), call), **arguments)
    # WHEN it is the right one, THEN the service answers, with an error of its own perhaps
    asked = getattr(_Caller(account, _statement("Allow", action, right)).client(service), call)
    answer = ""
    try:
        asked(**arguments)
    except ClientError as error:
        answer = str(error)
    assert "not authorized" not in answer


def _token(issuer: str, subject: str, audience: str | list[str]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"iss": issuer, "sub": subject, "aud": audience, "exp": int(time.time()) + 600}
    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2ln"


def test_a_web_identity_needs_the_provider_the_audience_and_the_subject(account: EmbeddedAccount) -> None:
    # GIVEN a role that trusts one service account of one cluster
    host = f"oidc.eks.{_REGION}.amazonaws.com/id/AAAA"
    iam, sts = account.client("iam"), account.client("sts")
    provider = f"arn:aws:iam::{_ACCOUNT}:oidc-provider/{host}"
    subject = "system:serviceaccount:milvus:milvus"
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{host}:sub": subject, f"{host}:aud": "sts.amazonaws.com"}},
    }
    role = iam.create_role(RoleName="identity", AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]

    def assume(subject: str = subject, audience: str | list[str] = "sts.amazonaws.com") -> str:
        try:
            sts.assume_role_with_web_identity(
                RoleArn=role, RoleSessionName="pod", WebIdentityToken=_token(f"https://{host}", subject, audience)
            )
        except ClientError as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        return "assumed"

    # WHEN the account does not know the issuer, THEN no token counts
    assert assume() == f"InvalidIdentityToken: No OpenIDConnect provider found in your account for https://{host}"
    # WHEN it does, THEN that service account's token counts, and no other
    iam.create_open_id_connect_provider(
        Url=f"https://{host}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    assert assume() == "assumed"
    assert assume(audience=["kubernetes", "sts.amazonaws.com"]) == "assumed"
    assert assume(audience=["kubernetes"]) == "InvalidIdentityToken: Incorrect token audience"
    assert assume(audience="kubernetes") == "InvalidIdentityToken: Incorrect token audience"
    denied = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
    assert assume(subject="system:serviceaccount:default:default") == denied


def _role(account: EmbeddedAccount, service: str, *statements: dict[str, Any]) -> str:
    iam, name = account.client("iam"), f"role-{next(_NUMBERS)}"
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(*statements))
    return str(arn)


def _deployed(account: EmbeddedAccount, resources: dict[str, Any], role: str) -> str:
    """Deploy resources as a role of CloudFormation; return the first failure's reason, or an empty text."""
    name = f"milvus-{next(_NUMBERS)}"
    cloudformation = account.client("cloudformation")
    body = json.dumps({"Resources": resources})
    cloudformation.create_stack(StackName=name, TemplateBody=body, RoleARN=role, Capabilities=["CAPABILITY_NAMED_IAM"])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return "" if status == "CREATE_COMPLETE" else failures(cloudformation, [name])[0].reason
        time.sleep(0.05)
    raise TimeoutError(name)


_TRUST = json.loads(
    _document({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
)


def test_cloudformation_makes_what_its_role_may_make_and_nothing_else(account: EmbeddedAccount) -> None:
    # GIVEN a role that may make roles of one name
    named = f"arn:aws:iam::{_ACCOUNT}:role/milvus-*"
    role = _role(account, "cloudformation.amazonaws.com", _statement("Allow", "iam:*", named))

    def made(name: str) -> str:
        properties = {"RoleName": name, "AssumeRolePolicyDocument": _TRUST}
        return _deployed(account, {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}, role)

    # WHEN it makes another, THEN the stack fails as in AWS; THEN its own pass
    assert made("milvus-nodes") == ""
    session = f"arn:aws:sts::{_ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/AWSCloudFormation"
    assert (
        f"User: {session} is not authorized to perform: iam:CreateRole on resource: "
        f"arn:aws:iam::{_ACCOUNT}:role/other because no identity-based policy allows the iam:CreateRole action"
    ) in made("other")


def test_an_endpoint_with_private_names_needs_a_hosted_zone(account: EmbeddedAccount) -> None:
    # GIVEN all that the schema of an endpoint lists, which says nothing of Route 53
    statement = _statement("Allow", ["ec2:*", "vpce:*"])
    zones = _statement("Allow", "route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/*")
    trusted = "cloudformation.amazonaws.com"
    vpc = account.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    endpoint = {"VpcId": vpc, "ServiceName": f"com.amazonaws.{_REGION}.sts", "VpcEndpointType": "Interface"}

    def made(role: str, **more: object) -> str:
        properties = {**endpoint, **more}
        return _deployed(account, {"Sts": {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}}, role)

    # WHEN it has private names, THEN Route 53 is asked, too
    assert "route53:AssociateVPCWithHostedZone" in made(_role(account, trusted, statement), PrivateDnsEnabled=True)
    assert made(_role(account, trusted, statement)) == ""
    assert made(_role(account, trusted, statement, zones), PrivateDnsEnabled=True) == ""


def test_cloudformation_takes_a_role_that_the_caller_may_pass_and_that_trusts_it(account: EmbeddedAccount) -> None:
    # GIVEN two roles, and who may pass both to CloudFormation, or to another service
    good, other = _role(account, "cloudformation.amazonaws.com"), _role(account, "ec2.amazonaws.com")

    def asked(role: str, service: str) -> str:
        only = {"StringEquals": {"iam:PassedToService": service}}
        caller = _Caller(
            account, _statement("Allow", "cloudformation:*"), _statement("Allow", "iam:PassRole", Condition=only)
        )
        body = json.dumps({"Resources": {"Wait": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
        try:
            caller.client("cloudformation").create_stack(
                StackName=f"milvus-{next(_NUMBERS)}", TemplateBody=body, RoleARN=role
            )
        except ClientError as error:
            return str(error.response["Error"]["Message"])
        return ""

    assert asked(good, "cloudformation.amazonaws.com") == ""
    assert f"perform: iam:PassRole on resource: {good}" in asked(good, "ec2.amazonaws.com")
    assert asked(other, "cloudformation.amazonaws.com") == f"Role {other} is invalid or cannot be assumed"


def test_no_role_that_cloudformation_makes_can_do_more_than_the_boundary(account: EmbeddedAccount) -> None:
    # GIVEN CloudFormation with the policies of docs/delivery.md, and the boundary
    def statements(name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((PROJECT / "policies" / name).read_text(encoding="utf-8"))["Statement"]
        return found

    iam = account.client("iam")
    boundary = iam.create_policy(PolicyName="milvus-boundary", PolicyDocument=_document(*statements("boundary.json")))[
        "Policy"
    ]["Arn"]
    needed = [*statements("execution-cluster.json"), *statements("execution-bounded.json")]
    deployer = _role(account, "cloudformation.amazonaws.com", *needed)
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"

    def made(name: str, **more: str) -> str:
        properties = {
            "RoleName": name,
            "AssumeRolePolicyDocument": _TRUST,
            "ManagedPolicyArns": [administrator],
            **more,
        }
        return _deployed(account, {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}, deployer)

    # WHEN an administrator is made, THEN only under the boundary
    refused = made("milvus-free")
    assert (
        f"on resource: arn:aws:iam::{_ACCOUNT}:role/milvus-free with an explicit deny in an identity-based" in refused
    )
    assert made("milvus-bounded", PermissionsBoundary=boundary) == ""
    # AND it is none: not in IAM, not by another role, not in a foreign bucket
    got = account.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{_ACCOUNT}:role/milvus-bounded", RoleSessionName="function"
    )["Credentials"]
    keys = {
        "aws_access_key_id": got["AccessKeyId"],
        "aws_secret_access_key": got["SecretAccessKey"],
        "aws_session_token": got["SessionToken"],
    }

    def client(service: str) -> Any:
        return boto3.client(service, endpoint_url=account.endpoint, region_name=_REGION, **keys)

    asked = (
        (client("iam").create_user, {"UserName": "somebody"}),
        (client("iam").delete_role_permissions_boundary, {"RoleName": "milvus-bounded"}),
        (client("iam").put_role_policy, {"RoleName": "milvus-bounded", "PolicyName": "p", "PolicyDocument": "{}"}),
        (client("iam").create_policy_version, {"PolicyArn": boundary, "PolicyDocument": "{}"}),
        (client("sts").assume_role, {"RoleArn": deployer.replace("role/", "role/other-"), "RoleSessionName": "other"}),
        (client("secretsmanager").get_secret_value, {"SecretId": "somebody-s"}),
    )
    for call, arguments in asked:
        assert "because no permissions boundary allows the" in _refusal(call, **arguments)
