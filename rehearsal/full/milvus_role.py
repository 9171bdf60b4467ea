"""What Milvus's role may do in its bucket: the policy of the synthesized template, before the S3 server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rehearsal.account.authority.policies import RolePolicies
from rehearsal.servers.s3_gate import Judge, S3Request

_ACCOUNT = "111111111111"
# See docs/security.md: a prefix outside the root path, which Milvus lists when it starts.
_START_CHECK = "justforconnectioncheck"
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/milvus"


def milvus_policies(template: Path, *, bucket: str, region: str) -> list[dict[str, Any]]:
    """Return the policies of the role of Milvus's pods, for a bucket of that name.

    Args:
        template: synthesized template of the Milvus stack.
        bucket: the bucket that stands in for that of the Storage stack.
        region: region of the environment.
    """
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    found = [
        entry["Properties"]["PolicyDocument"]
        for entry in resources
        if entry["Type"] == "AWS::IAM::Policy" and "s3:PutObject" in json.dumps(entry)
    ]
    if len(found) != 1:
        raise LookupError(f"{template} has {len(found)} policies with s3:PutObject; that of Milvus's role is one")
    arns = {"Key": _key(region), "Arn": f"arn:aws:s3:::{bucket}", "AWS::URLSuffix": "amazonaws.com"}
    return [_filled(document, arns) for document in found]


def without_start_check(policies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return these policies as they would be if only the root path could be listed."""
    text = json.dumps(policies)
    if (quoted := f'"{_START_CHECK}", ') not in text:
        raise LookupError(f"the policy of Milvus's role does not name {_START_CHECK}")
    reduced: list[dict[str, Any]] = json.loads(text.replace(quoted, ""))
    return reduced


def milvus_judge(policies: list[dict[str, Any]], *, region: str) -> Judge:
    """Return a judge of S3 requests by these policies; objects are under a customer key, as in the Storage stack."""
    role = RolePolicies(_ROLE, policies, region=region, key=_key(region))

    def judge(request: S3Request) -> str:
        return role.refuses_s3(request.method, request.path, request.query, request.headers, request.body)

    return judge


def _key(region: str) -> str:
    return f"arn:aws:kms:{region}:{_ACCOUNT}:key/data"


def _filled(value: Any, arns: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    match value:
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(_filled(part, arns) for part in parts)
        case dict() if any(key == "Ref" or key.startswith("Fn::") for key in value):
            return next(arn for name, arn in arns.items() if name in json.dumps(value))
        case dict():
            return {key: _filled(each, arns) for key, each in value.items()}
        case list():
            return [_filled(each, arns) for each in value]
        case _:
            return value
