"""Web identities: a token counts for the providers that the account has, and for the audiences they are registered for.

The emulator judges a role's trust policy by the token's issuer, subject and audience, but takes any issuer for known.
The signature is not checked: the tokens of a rehearsal are signed by its own API server, or by nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def install(sts: Any, iam: Any) -> None:
    """Correct the emulator in this process."""
    denied = sts._web_identity_trust_denied
    named: Callable[..., tuple[str, dict[str, Any]]] = sts._web_identity_principal

    def principal_of(token: str, given: str, role_arn: str) -> tuple[str, dict[str, Any]]:
        # A token may have several audiences, and one of Kubernetes has a list in any case; the condition key has the
        # one that the provider is registered for.
        provider, keys = named(token, given, role_arn)
        registered = (iam._oidc_providers.get(provider) or {}).get("ClientIDList", [])
        for key, value in keys.items():
            if key.endswith(":aud") and isinstance(value, list):
                keys[key] = next((each for each in value if each in registered), "")
        return provider, keys

    def checked(role_arn: str, params: dict[str, Any], use_json: bool) -> Any:
        token, given = (sts._p(params, name) for name in ("WebIdentityToken", "ProviderId"))
        provider, keys = principal_of(token, given, role_arn)
        if (problem := provider_problem(provider, keys, iam._oidc_providers.get(provider))) is not None:
            code, text = problem
            return sts.error_response_json(code, text, 400) if use_json else sts._error(400, code, text, ns="sts")
        return denied(role_arn, params, use_json)

    sts._web_identity_principal = principal_of
    sts._web_identity_trust_denied = checked


def provider_problem(provider: str, keys: dict[str, Any], record: dict[str, Any] | None) -> tuple[str, str] | None:
    """Return the error for a token whose issuer or audience the account does not know; None when it does.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    """
    if not provider.startswith("arn:"):
        return None
    host = provider.partition(":oidc-provider/")[2]
    if record is None:
        return "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for https://{host}"
    if keys.get(f"{host}:aud".lower()) not in record.get("ClientIDList", []):
        return "InvalidIdentityToken", "Incorrect token audience"
    return None
