"""EKS's deletion protection, which the emulator does not know."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal.account.eks_api import EksApi
from rehearsal.account.refusals import ResourceError


def _account() -> Any:
    """Return the emulator's module with one cluster, under our API."""
    eks: Any = SimpleNamespace(
        _clusters={"milvus": {"name": "milvus", "resourcesVpcConfig": {"clusterSecurityGroupId": "sg-1"}}},
        _nodegroups={},
        _create_cluster=lambda *_: (200, {}, b"{}"),
        _delete_cluster=lambda name: (eks._clusters.pop(name), (200, {}, b"{}"))[1],
        _handle_request_sync=lambda method, path, *_: (200, {}, f"{method} {path}".encode()),
        _error=lambda status, code, message: (status, {}, json.dumps({"__type": code, "message": message}).encode()),
    )
    ec2 = SimpleNamespace(_security_groups={})
    apis: Any = SimpleNamespace(close=lambda _: None)
    EksApi(eks, ec2, options=None, apis=apis, events=None).install()  # type: ignore[arg-type]  # doubles of modules
    return eks


def _protect(eks: Any, on: bool) -> Any:
    body = json.dumps({"deletionProtection": on, "clientRequestToken": "once"}).encode()
    return eks._handle_request_sync("POST", "/clusters/milvus/update-config", {}, body, {})


def test_a_protected_cluster_is_deleted_by_nobody_until_the_protection_is_off() -> None:
    # GIVEN a cluster whose protection was switched on
    eks = _account()
    assert _protect(eks, True)[0] == 200
    # WHEN a user deletes it, or CloudFormation does, in a rollback too THEN both are refused
    status, _, answer = eks._handle_request_sync("DELETE", "/clusters/milvus", {}, b"", {})
    assert (status, json.loads(answer)["__type"]) == (400, "InvalidRequestException")
    with pytest.raises(ResourceError, match=r"Cannot delete cluster milvus because deletion protection is enabled"):
        eks._delete_cluster("milvus")
    # AND with the protection off it goes
    _protect(eks, False)
    eks._delete_cluster("milvus")
    assert eks._clusters == {}


def test_nodes_take_the_newest_image_at_once() -> None:
    eks = _account()
    eks._nodegroups["milvus/nodes"] = {}
    path = "/clusters/milvus/node-groups/{}/update-version"
    status, _, answer = eks._handle_request_sync("POST", path.format("nodes"), {}, b"{}", {})
    assert (status, json.loads(answer)["update"]["status"]) == (200, "Successful")
    # AND a group that is not there is the emulator's to refuse
    assert eks._handle_request_sync("POST", path.format("others"), {}, b"{}", {})[2].startswith(b"POST /clusters")


def test_settings_that_are_not_emulated_are_refused_and_not_forgotten() -> None:
    answer = _account()._handle_request_sync("POST", "/clusters/milvus/update-config", {}, b'{"logging": {}}', {})
    assert (answer[0], json.loads(answer[2])["message"]) == (400, "not emulated: logging")


@pytest.mark.parametrize(("method", "path"), [("GET", "/clusters/milvus"), ("DELETE", "/clusters/milvus")])
def test_everything_else_is_the_emulators(method: str, path: str) -> None:
    assert _account()._handle_request_sync(method, path, {}, b"", {})[2] == f"{method} {path}".encode()
