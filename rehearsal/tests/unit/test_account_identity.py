"""Secrets, roles and issuers as AWS treats them."""

from __future__ import annotations

import json
import string
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.account.base import Request
from rehearsal.account.corrections import secret_name
from rehearsal.account.identity import HANDLERS, check_secret, require_role, role_name, secret_string
from rehearsal.account.refusals import ResourceError


def _generated(**options: Any) -> str:
    return secret_string({"GenerateSecretString": options})


def test_a_given_value_is_kept() -> None:
    assert secret_string({"SecretString": "made-up"}) == "made-up"


def test_a_generated_password_has_each_kind_and_the_default_length() -> None:
    password = _generated()
    assert len(password) == 32
    for letters in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
        assert set(password) & set(letters)


def test_every_exclusion_is_honoured() -> None:
    password = _generated(ExcludePunctuation=True, ExcludeUppercase="true", ExcludeCharacters="abc", PasswordLength=200)
    assert len(password) == 200
    assert set(password) <= set(string.ascii_lowercase + string.digits) - set("abc")


def test_a_template_receives_the_generated_key() -> None:
    template = json.dumps({"username": "milvus"})
    value = json.loads(_generated(SecretStringTemplate=template, GenerateStringKey="password", IncludeSpace=False))
    assert value["username"] == "milvus"
    assert len(value["password"]) == 32


def test_a_template_without_a_key_is_refused() -> None:
    with pytest.raises(ResourceError, match="needs GenerateStringKey"):
        _generated(SecretStringTemplate="{}")


def test_a_password_that_cannot_exist_is_refused() -> None:
    with pytest.raises(ResourceError, match="leave no valid password"):
        _generated(PasswordLength=2)


def test_the_name_in_an_arn_is_found() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:AmazonMSK_milvus-dev-a1b2c3"
    assert secret_name(arn) == "AmazonMSK_milvus-dev"
    assert secret_name("plain-name") == "plain-name"


def test_the_name_of_a_role_is_found_behind_its_path() -> None:
    assert role_name("arn:aws:iam::111122223333:role/service-role/made-up") == "made-up"
    assert role_name("arn:aws:iam::111122223333:user/made-up") is None


def _request(properties: dict[str, Any], **services: Any) -> Request:
    return Request(type_name="T", logical_id="L", stack="s", properties=properties, aws=lambda name: services[name])


def test_a_role_that_does_not_exist_is_refused() -> None:
    def get_role(**_: object) -> None:
        raise ClientError({"Error": {"Code": "NoSuchEntity", "Message": "gone"}}, "GetRole")

    request = _request({}, iam=SimpleNamespace(get_role=get_role))
    with pytest.raises(ResourceError, match="could not be assumed because it does not exist"):
        require_role(request, "arn:aws:iam::111122223333:role/gone", service="Eks", principal="eks.amazonaws.com")


@pytest.mark.parametrize("url", ["http://issuer.example", "https://issuer.example?x=1", "issuer.example"])
def test_an_issuer_must_be_an_https_address(url: str) -> None:
    with pytest.raises(ResourceError, match="Invalid Open ID Connect Provider URL"):
        HANDLERS["AWS::IAM::OIDCProvider"].create(_request({"Url": url}))


def test_a_public_secret_policy_is_refused() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    properties = {"SecretId": "arn:secret", "ResourcePolicy": {"Statement": [statement]}}
    with pytest.raises(ResourceError, match="grants public access"):
        HANDLERS["AWS::SecretsManager::ResourcePolicy"].create(_request(properties))


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Name": "with spaces"}, "Invalid name with spaces"),
        ({"SecretString": "x", "GenerateSecretString": {"PasswordLength": 20}}, "both a secret value"),
    ],
)
def test_a_secret_that_aws_refuses_is_refused(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        check_secret(_request(properties))
