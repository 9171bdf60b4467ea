"""Puts each request before the emulator's engine: with the keys that AWS fills, and refusals in AWS's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rehearsal.account.authority import conditions
from rehearsal.account.authority.conditions import UnknownToTheEngineError
from rehearsal.account.authority.resources import SEVERAL

Context = Mapping[str, Any]

_HERE = "rehearsal/account/authority"


class Engine:
    """The emulator's engine, corrected in this process."""

    def __init__(self, evaluator: Any) -> None:
        self._evaluator = evaluator
        self._enforce: Callable[..., Any] = evaluator.enforce

    def install(self, app: Any) -> None:
        """Take the place of what the emulator calls for each request."""
        evaluator = self._evaluator
        conditions.install(evaluator)
        explain(evaluator)
        evaluator.enforce = self.enforce
        self._require_action(app)
        # Whatever speaks to the account does so over loopback, where AWS speaks TLS: no request is sent in the clear.
        pin: Callable[[str, bool], None] = app.pin_request_origin
        app.pin_request_origin = lambda address, _secure: pin(address, True)

    def _require_action(self, app: Any) -> None:
        """Refuse a signed request of which the engine does not know the action; by itself it only looks at the key."""
        authenticate: Callable[..., Any] = app._authenticate_only

        def authenticated(service: str, headers: Any, query: Any, request_id: str) -> Any:
            key = app.extract_access_key_id(headers, query)
            failure = authenticate(service, headers, query, request_id)
            if failure or not key or self._evaluator.is_root_access_key(key):
                return failure
            caller = (self._evaluator.resolve_caller_identity(key) or {}).get("userArn", key)
            text = (
                f"What {caller} asks of {service} cannot be judged here: its action is not known. Teach it in {_HERE}"
            )
            return app._credential_failure(
                service, "", request_id, self._evaluator.AuthError("AccessDenied", text), headers
            )

        app._authenticate_only = authenticated

    def enforce(
        self,
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        *,
        resource_arn: str = "*",
        service_context: Context | None = None,
    ) -> Any:
        """Judge one request, and what its service asks of others in the caller's name; None when it is allowed."""
        if SEVERAL in resource_arn:
            each = (
                self.enforce(
                    access_key_id, iam_action, service, region, resource_arn=one, service_context=service_context
                )
                for one in resource_arn.split(SEVERAL)
            )
            return next((refused for refused in each if refused is not None), None)
        keys = filled(iam_action, resource_arn, service_context or {})
        try:
            refused = self._enforce(
                access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=keys
            )
        except UnknownToTheEngineError as unknown:
            return self._unjudged(access_key_id, iam_action, resource_arn, unknown)
        if isinstance(refused, self._evaluator.EvalResult):
            return self._refused(refused, iam_action, resource_arn)
        if refused is not None:
            return refused
        for action, key, more in _through(iam_action, resource_arn, region):
            behind = self.enforce(access_key_id, action, "kms", region, resource_arn=key, service_context=more)
            if behind is not None:
                return behind
        return None

    def may(self, access_key_id: str, action: str, *, region: str, resource: str, keys: Context | None = None) -> str:
        """Return why a principal may not do something, as AWS says it; an empty text when it may."""
        service = action.partition(":")[0]
        refused = self.enforce(access_key_id, action, service, region, resource_arn=resource, service_context=keys)
        return "" if refused is None else str(refused.message)

    def _refused(self, result: Any, action: str, resource: str) -> Any:
        text = f"User: {result.principal_arn} is not authorized to perform: {action} on resource: {resource} "
        return self._evaluator.AuthError("AccessDenied", text + result.reason.replace("ACTION", action))

    def _unjudged(self, access_key_id: str, action: str, resource: str, unknown: UnknownToTheEngineError) -> Any:
        caller = (self._evaluator.resolve_caller_identity(access_key_id) or {}).get("userArn", access_key_id)
        text = (
            f"Whether {caller} is authorized to perform: {action} on resource: {resource} cannot be judged here: the "
            f"engine does not know {unknown}, and allows nothing by what it does not know. Teach it in {_HERE}"
        )
        return self._evaluator.AuthError("AccessDenied", text)


def explain(evaluator: Any) -> None:
    """Let each decision say which kind of policy made it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    evaluate: Callable[..., Any] = evaluator.evaluate
    of_resource: Callable[..., Any] = evaluator.evaluate_resource_policy

    def evaluated(context: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(context, policies, *limits)
        if result.decision == "Deny":
            own = evaluate(context, policies).decision == "Deny"
            result.reason = (
                f"with an explicit deny in {'an identity-based policy' if own else 'a permissions boundary'}"
            )
        elif result.decision == "ImplicitDeny":
            allowed = evaluate(context, policies).decision == "Allow"
            kind = "permissions boundary" if allowed else "identity-based policy"
            result.reason = f"because no {kind} allows the ACTION action"
        return result

    def of_resource_evaluated(document: Any, context: Any, *arguments: Any, **options: Any) -> Any:
        result = of_resource(document, context, *arguments, **options)
        reason = result.reason.replace("an identity-based", "a resource-based").replace("identity-", "resource-")
        return replace(result, reason=reason)

    evaluator.evaluate = evaluated
    evaluator.evaluate_resource_policy = of_resource_evaluated


def filled(action: str, resource: str, keys: Context) -> dict[str, Any]:
    """Add the condition keys that AWS fills and the emulator does not."""
    found = dict(keys)
    if action.startswith("s3:"):
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
        found.setdefault("s3:TlsVersion", "1.3")
    if action.startswith("iam:") and ":role/" in resource:
        from ministack.services import iam  # noqa: PLC0415 - it reads the environment when imported

        role = iam._roles.get(resource.rpartition("/")[2]) or {}
        for tag in role.get("Tags") or []:
            found.setdefault(f"iam:ResourceTag/{tag['Key']}", tag["Value"])
        if role.get("PermissionsBoundary"):
            found.setdefault("iam:PermissionsBoundary", role["PermissionsBoundary"])
    return found


# What Secrets Manager and S3 do with a customer key they do as the caller, who needs the permission for it.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#require-sse-kms
THROUGH = {
    "secretsmanager:GetSecretValue": ("kms:Decrypt",),
    "secretsmanager:PutSecretValue": ("kms:GenerateDataKey", "kms:Decrypt"),
    "secretsmanager:UpdateSecret": ("kms:GenerateDataKey", "kms:Decrypt"),
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
}


def _through(action: str, resource: str, region: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return what a request asks of a customer key, in the caller's name."""
    needed = THROUGH.get(action)
    key = _key_of(resource) if needed else ""
    if not needed or not key:
        return []
    from ministack.services import kms  # noqa: PLC0415 - it reads the environment when imported

    record = kms._resolve_key(key)
    if record is None or key.rpartition("/")[2].startswith("aws/"):
        return []
    via = {"kms:ViaService": f"{action.partition(':')[0]}.{region}.amazonaws.com"}
    return [(each, record["Arn"], via) for each in needed]


def _key_of(resource: str) -> str:
    """Return the key that a secret, or by default a bucket's object, is encrypted with."""
    from ministack.services import s3, secretsmanager  # noqa: PLC0415 - they read the environment when imported

    if ":secret:" in resource:
        _, secret = secretsmanager._resolve(resource)
        return str((secret or {}).get("KmsKeyId") or "")
    bucket = resource.removeprefix("arn:aws:s3:::").partition("/")[0]
    return s3_key(s3._bucket_encryption.get(bucket))


def s3_key(configuration: Any) -> str:
    """Return the key of a bucket's default encryption, which the emulator keeps as the XML that it was sent."""
    text = configuration.decode() if isinstance(configuration, bytes) else str(configuration or "")
    return text.partition("<KMSMasterKeyID>")[2].partition("</KMSMasterKeyID>")[0]
