"""What the engine must know before it may judge a statement: operators, condition keys and forms of a policy.

The emulator's engine takes an operator or a key that it does not know for one that does not match. In a Deny that means
"allowed". Here both end the request with an error that says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
OPERATORS = frozenset(
    {
        "stringequals",
        "stringnotequals",
        "stringequalsignorecase",
        "stringnotequalsignorecase",
        "stringlike",
        "stringnotlike",
        "numericequals",
        "numericnotequals",
        "numericlessthan",
        "numericlessthanequals",
        "numericgreaterthan",
        "numericgreaterthanequals",
        "dateequals",
        "datenotequals",
        "datelessthan",
        "datelessthanequals",
        "dategreaterthan",
        "dategreaterthanequals",
        "bool",
        "ipaddress",
        "notipaddress",
        "arnequals",
        "arnlike",
        "arnnotequals",
        "arnnotlike",
        "null",
    }
)

# Keys whose value a request here carries, or rightly lacks.
KEYS = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:multifactorauthpresent",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:sourceip",
        "aws:tagkeys",
        "aws:tokenissuetime",
        "aws:userid",
        "aws:username",
        "iam:awsservicename",
        "iam:passedtoservice",
        "iam:permissionsboundary",
        "iam:policyarn",
        "kms:grantisforawsresource",
        "kms:viaservice",
        "s3:delimiter",
        "s3:max-keys",
        "s3:prefix",
        "s3:resourceaccount",
        "s3:tlsversion",
        "s3:x-amz-acl",
        "s3:x-amz-server-side-encryption",
        "sts:externalid",
        "sts:rolesessionname",
    }
)
_FAMILIES = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "iam:resourcetag/")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
_OF_TOKENS = (":aud", ":sub", ":amr")


class UnknownToTheEngineError(ValueError):
    """A policy uses what the engine cannot judge; nothing is allowed by it."""


def require_known(conditions: Mapping[str, Any]) -> None:
    """Refuse operators and keys that the engine does not know.

    Raises:
        UnknownToTheEngineError: Naming the operator or the key.
    """
    for operator, keys in conditions.items():
        name = operator.lower().removesuffix("ifexists")
        name = name.removeprefix("forallvalues:").removeprefix("foranyvalue:")
        if name not in OPERATORS:
            raise UnknownToTheEngineError(f"the condition operator {operator}")
        for key in keys:
            if not _known(key.lower()):
                raise UnknownToTheEngineError(f"the condition key {key}")


def _known(key: str) -> bool:
    host = key.partition(":")[0]
    return key in KEYS or key.startswith(_FAMILIES) or ("." in host and key.endswith(_OF_TOKENS))


def require_no_variables(patterns: list[str]) -> None:
    """Refuse policy variables such as ``${aws:username}``, which the engine takes for text.

    Raises:
        UnknownToTheEngineError: Naming the pattern.
    """
    if found := [pattern for pattern in patterns if "${" in pattern]:
        raise UnknownToTheEngineError(f"the policy variable in {found[0]}")


def install(evaluator: Any) -> None:
    """Correct the engine in this process."""
    met: Callable[[dict[str, Any], Any], bool] = evaluator._conditions_met
    matches: Callable[[str, list[str], list[str]], bool] = evaluator._resource_matches
    of_resource: Callable[..., Any] = evaluator.evaluate_resource_policy

    def conditions_met(conditions: dict[str, Any], context: Any) -> bool:
        require_known(conditions)
        require_no_variables(
            [value for keys in conditions.values() for values in keys.values() for value in _texts(values)]
        )
        return met(conditions, context)

    def resource_matches(arn: str, resources: list[str], others: list[str]) -> bool:
        require_no_variables([*resources, *others])
        return matches(arn, resources, others)

    def evaluate_resource_policy(document: Any, *arguments: Any, **options: Any) -> Any:
        # The engine passes over it, and with it over what it denies.
        if "NotPrincipal" in str(document):
            raise UnknownToTheEngineError("NotPrincipal")
        return of_resource(document, *arguments, **options)

    resolve: Callable[[str, Any], Any] = evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: Any) -> Any:
        value = resolve(key, context)
        return role_of(str(value)) if key.lower() == "aws:principalarn" else value

    evaluator._resolve_condition_key = resolve_condition_key
    evaluator._conditions_met = conditions_met
    evaluator._resource_matches = resource_matches
    evaluator.evaluate_resource_policy = evaluate_resource_policy


def role_of(principal: str) -> str:
    """Return what ``aws:PrincipalArn`` is: of a session its role, of everybody else themselves.

    AWS keeps a role's path; no role here has one.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    place, of_session, session = principal.partition(":assumed-role/")
    if not of_session:
        return principal
    return f"{place.replace(':sts:', ':iam:')}:role/{session.partition('/')[0]}"


def _texts(values: Any) -> list[str]:
    return [str(value) for value in (values if isinstance(values, list) else [values])]
