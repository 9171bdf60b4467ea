"""Which resource a request is about, where the emulator takes another one than AWS.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

Extract = Callable[..., str]

SEVERAL = "\n"
"""Between the resources of one request, each of which is judged; it stands in no ARN."""

_KAFKA = re.compile(
    r"/(?:v1|api/v2)/(?:clusters|configurations|replicators)/(arn:aws[a-z-]*:kafka:[^?]+?:\w+/[^/]+/[\w-]+)"
)
# Service, path without its version -> an action that the emulator does not read from its path.
_ACTIONS = {("lambda", "account-settings"): "lambda:GetAccountSettings"}
_EKS_PARTS = {
    # Path below a cluster -> kind of resource. A new one is asked for of its cluster.
    "node-groups": "nodegroup",
    "addons": "addon",
    "access-entries": "access-entry",
    "pod-identity-associations": "podidentityassociation",
}


def install(actions: Any) -> None:
    """Correct the emulator's table in this process."""
    emulators: Extract = actions.extract_resource_arn
    # The rehearsal's own services, which the emulator does not know.
    actions.SERVICE_TO_IAM_NAMESPACE.update({"servicequotas": "servicequotas"})

    emulators_action: Callable[..., str | None] = actions.extract_iam_action

    def action(service: str, method: str, path: str, *request: Any) -> str | None:
        return emulators_action(service, method, path, *request) or _ACTIONS.get(
            (service, path.rstrip("/").split("/", 2)[-1])
        )

    def extract(service: str, *request: Any) -> str:
        method, path, headers, body, query, region, account = request
        own = _OWN.get(service)
        found = own(method, path, headers, _json(body), query, f"{region}:{account}") if own else None
        return found or emulators(service, *request)

    actions.extract_iam_action = action
    actions.extract_resource_arn = extract


def kafka(_method: str, path: str, _headers: object, _body: object, _query: object, place: str) -> str:
    """MSK: the ARN in the path; a new cluster or configuration, and lists, have none.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonmanagedstreamingforapachekafka.html
    """
    del place
    found = _KAFKA.search(unquote(path))
    return found.group(1) if found else "*"


def eks(method: str, path: str, _headers: object, body: Mapping[str, Any], _query: object, place: str) -> str | None:
    """EKS: what stands below a cluster is a resource of its own, once it is there.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html
    """
    parts = [unquote(part) for part in path.split("/") if part]
    if parts[:1] != ["clusters"]:
        return "*" if not body.get("name") or not parts else None
    if len(parts) < 4 or parts[2] not in _EKS_PARTS or (method == "POST" and len(parts) == 3):
        return f"arn:aws:eks:{place}:cluster/{parts[1] if len(parts) > 1 else body.get('name', '*')}"
    return f"arn:aws:eks:{place}:{_EKS_PARTS[parts[2]]}/{parts[1]}/{parts[3].rpartition(':')[2]}/*"


_LOG_TAGS = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})


def logs(
    _method: str, _path: str, headers: Mapping[str, str], body: Mapping[str, Any], _query: object, place: str
) -> str | None:
    """CloudWatch Logs: a group's ARN ends with a colon and its stream, which only the calls that tag leave out.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    name = body.get("logGroupName") or str(body.get("logGroupIdentifier", "")).rpartition(":log-group:")[2].rstrip(":*")
    if action in _LOG_TAGS or not name:
        return None
    return f"arn:aws:logs:{place}:log-group:{name}:log-stream:{body.get('logStreamName', '')}"


def ssm(
    _method: str, _path: str, headers: Mapping[str, str], body: Mapping[str, Any], _query: object, place: str
) -> str | None:
    """Systems Manager: every parameter that is asked for."""
    names = body.get("Names") if headers.get("x-amz-target", "").endswith(".GetParameters") else None
    return SEVERAL.join(f"arn:aws:ssm:{place}:parameter/{str(name).lstrip('/')}" for name in names) if names else None


def codebuild(
    _method: str, _path: str, _headers: object, body: Mapping[str, Any], _query: object, place: str
) -> str | None:
    """CodeBuild: builds are judged by their project."""
    ids = body.get("ids") or ([body["id"]] if body.get("id") else body.get("names"))
    return (
        SEVERAL.join(f"arn:aws:codebuild:{place}:project/{str(each).partition(':')[0]}" for each in ids or []) or None
    )


_OWN: dict[str, Callable[..., str | None]] = {
    "codebuild": codebuild,
    "eks": eks,
    "kafka": kafka,
    "logs": logs,
    "ssm": ssm,
}


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
