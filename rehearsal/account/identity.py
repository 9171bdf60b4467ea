"""IAM OIDC providers, and Secrets Manager as CloudFormation sees it: ARNs from ``Ref``, generated values, policies."""

from __future__ import annotations

import json
import re
import secrets
import string
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from rehearsal.account.base import Created, Handler, Properties, Request, tag_list
from rehearsal.account.kafka_rules import require_key
from rehearsal.account.refusals import ResourceError, service_fault

_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def role_name(arn: str) -> str | None:
    """Return the name in the ARN of an IAM role; None for anything else."""
    match = re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/(?:.*/)?([\w+=,.@-]{1,64})", arn)
    return match.group(1) if match else None


def require_role(request: Request, arn: str, *, service: str, principal: str) -> None:
    """Refuses a role that does not exist, or whose trust policy does not name ``principal``."""
    message = (
        f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
    )
    name = role_name(arn)
    if name is None:
        raise service_fault(service, f"Invalid role ARN: {arn}")
    try:
        role = request.aws("iam").get_role(RoleName=name)["Role"]
    except ClientError as error:
        raise service_fault(service, message) from error
    if principal not in json.dumps(role["AssumeRolePolicyDocument"]):
        raise service_fault(service, message)


class OidcProvider(Handler):
    """AWS::IAM::OIDCProvider: ``Ref`` is its ARN."""

    def create(self, request: Request) -> Created:
        """Register an issuer; it exists once per account."""
        wanted = request.properties
        url = urlsplit(wanted.get("Url", ""))
        if url.scheme != "https" or not url.netloc or url.query:
            raise service_fault(
                "Iam", "Invalid Open ID Connect Provider URL: it must begin with https:// and have no query"
            )
        try:
            got = request.aws("iam").create_open_id_connect_provider(
                Url=wanted["Url"],
                ClientIDList=wanted.get("ClientIdList", []),
                # IAM asks the issuer for its certificate when none is given; nothing to ask here.
                ThumbprintList=wanted.get("ThumbprintList") or ["0" * 40],
                Tags=tag_list(wanted),
            )
        except ClientError as error:
            raise service_fault("Iam", error.response["Error"]["Message"]) from error
        arn = got["OpenIDConnectProviderArn"]
        return Created(arn, {"Arn": arn})

    def update(self, request: Request) -> Created:
        """Client ids, thumbprints and tags change in place."""
        return Created(request.physical_id, {"Arn": request.physical_id})

    def delete(self, request: Request) -> None:
        """Remove the issuer."""
        request.aws("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=request.physical_id)


class SecretPolicy(Handler):
    """AWS::SecretsManager::ResourcePolicy: ``Ref`` is the secret's ARN."""

    def create(self, request: Request) -> Created:
        """Attaches the policy to its secret."""
        wanted = request.properties
        policy = wanted["ResourcePolicy"]
        document = policy if isinstance(policy, dict) else json.loads(policy)
        for statement in _as_list(document.get("Statement", [])):
            if statement.get("Effect") == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}):
                raise service_fault(
                    "SecretsManager", "This resource policy contains a policy that grants public access."
                )
        try:
            request.aws("secretsmanager").put_resource_policy(
                SecretId=wanted["SecretId"], ResourcePolicy=json.dumps(document)
            )
        except ClientError as error:
            raise service_fault("SecretsManager", error.response["Error"]["Message"]) from error
        return Created(wanted["SecretId"], {"Id": wanted["SecretId"]})

    def update(self, request: Request) -> Created:
        """Replace the policy."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Detaches the policy; a secret that is gone took it along."""
        try:
            request.aws("secretsmanager").delete_resource_policy(SecretId=request.properties["SecretId"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise service_fault("SecretsManager", error.response["Error"]["Message"]) from error


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def check_secret(request: Request) -> None:
    """Secrets Manager's rules for a secret, a new one or a changed one."""
    wanted = request.properties
    name = wanted.get("Name", "")
    if name and not re.fullmatch(r"[A-Za-z0-9/_+=.@-]{1,512}", name):
        raise service_fault(
            "SecretsManager",
            f"Invalid name {name}. Must be a valid name containing alphanumeric characters, or any of: -/_+=.@!",
        )
    if wanted.get("KmsKeyId"):
        require_key(request, wanted["KmsKeyId"])
    if wanted.get("SecretString") and wanted.get("GenerateSecretString") is not None:
        raise service_fault("SecretsManager", "You can't specify both a secret value and GenerateSecretString.")


def secret_string(properties: Properties) -> str:
    """Return the value that Secrets Manager stores: the given one, or one generated with every option honoured.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
    """
    if properties.get("GenerateSecretString") is None:
        return str(properties.get("SecretString", ""))
    options = properties["GenerateSecretString"]
    password = _password(options)
    template = options.get("SecretStringTemplate")
    if not template:
        return password
    if not options.get("GenerateStringKey"):
        raise ResourceError("SecretStringTemplate needs GenerateStringKey.")
    return json.dumps({**json.loads(template), options["GenerateStringKey"]: password})


def _password(options: Properties) -> str:
    def off(name: str, *, default: bool = False) -> bool:
        return str(options.get(name, default)).lower() == "true"

    excluded = set(options.get("ExcludeCharacters", ""))
    kinds = [
        ("ExcludeLowercase", string.ascii_lowercase),
        ("ExcludeUppercase", string.ascii_uppercase),
        ("ExcludeNumbers", string.digits),
        ("ExcludePunctuation", _PUNCTUATION),
    ]
    pools = ["".join(c for c in letters if c not in excluded) for name, letters in kinds if not off(name)]
    pools = [pool for pool in pools if pool]
    if off("IncludeSpace"):
        pools.append(" ")
    length = int(options.get("PasswordLength", 32))
    each = off("RequireEachIncludedType", default=True)
    if not pools or (each and length < len(pools)):
        raise service_fault("SecretsManager", "The password length or the excluded characters leave no valid password.")
    letters = [secrets.choice(pool) for pool in pools] if each else []
    letters += [secrets.choice("".join(pools)) for _ in range(length - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


HANDLERS: dict[str, Handler] = {
    "AWS::IAM::OIDCProvider": OidcProvider(),
    "AWS::SecretsManager::ResourcePolicy": SecretPolicy(),
}
