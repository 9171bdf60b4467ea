"""Judges requests by the policies of one role alone, without an account: what a real server's clients may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from rehearsal.account.authority import conditions, engine


class RolePolicies:
    """A role with its identity policies.

    Args:
        role: its ARN.
        documents: its policies, every value filled in.
        region: where it acts.
        key: ARN of the customer key that the bucket's objects are encrypted with, if any.
        boundary: its permissions boundary, if any.
    """

    def __init__(
        self,
        role: str,
        documents: Sequence[Mapping[str, Any]],
        *,
        region: str,
        key: str = "",
        boundary: Mapping[str, Any] | None = None,
    ) -> None:
        self._evaluator = _evaluator()
        account, name = role.split(":")[4], role.rpartition("/")[2]
        self._principal = f"arn:aws:sts::{account}:assumed-role/{name}/milvus"
        self._account, self._region, self._key = account, region, key
        self._policies = [self._evaluator.parse_policy_document(dict(each)) for each in documents]
        self._limits = [[self._evaluator.parse_policy_document(dict(boundary))]] if boundary else []

    def refuses(self, action: str, resource: str, keys: Mapping[str, Any] | None = None) -> str:
        """Return why the role may not do something, as AWS says it; an empty text when it may."""
        context = self._evaluator.EvalContext(
            principal_arn=self._principal,
            principal_type="AssumedRole",
            principal_account=self._account,
            action=action,
            resource_arn=resource,
            region=self._region,
            secure_transport=True,
            service_context={key.lower(): value for key, value in engine.filled(action, resource, keys or {}).items()},
        )
        result = self._evaluator.evaluate(context, self._policies, *self._limits)
        if result.decision != "Allow":
            reason = result.reason.replace("ACTION", action)
            return f"User: {self._principal} is not authorized to perform: {action} on resource: {resource} {reason}"
        via = {"kms:ViaService": f"{action.partition(':')[0]}.{self._region}.amazonaws.com"}
        through = engine.THROUGH.get(action, ()) if self._key else ()
        return next((why for each in through if (why := self.refuses(each, self._key, via))), "")

    def refuses_s3(
        self, method: str, url: str, query: Mapping[str, list[str]], headers: Mapping[str, str], body: bytes
    ) -> str:
        """Return why the role may not send a path-style request to S3; an empty text when it may."""
        from ministack.core import iam_actions  # noqa: PLC0415 - it reads the environment when imported

        path, sent = unquote(urlsplit(url).path), {name.lower(): value for name, value in headers.items()}
        action = iam_actions.extract_iam_action("s3", method, path, sent, body, query)
        if action is None:
            return f"{method} {url} is no request that is known here"
        resource = iam_actions.extract_resource_arn("s3", method, path, sent, body, query, self._region, self._account)
        keys = iam_actions.s3_service_context(action, query, path, sent)
        more = iam_actions.s3_additional_checks(method, path, sent, body, query)
        asked = [(action, resource, keys), *((each, arn, {}) for each, arn in more)]
        return next((why for each in asked if (why := self.refuses(*each))), "")


@cache
def _evaluator() -> Any:
    from ministack.core import iam_evaluator  # noqa: PLC0415 - it reads the environment when imported

    conditions.install(iam_evaluator)
    engine.explain(iam_evaluator)
    return iam_evaluator
