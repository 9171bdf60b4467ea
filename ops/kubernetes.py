"""Reads workloads from an EKS cluster's API with an IAM token: no kubectl, no aws command."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from ops import aws
from ops.errors import OpsError, one_line
from ops.workloads import Workload, workload

_TOKEN_PREFIX = "k8s-aws-v1."  # noqa: S105 - the form of a token, not one
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PATHS = {"Deployment": "deployments", "StatefulSet": "statefulsets"}


class KubernetesUnreachableError(OpsError):
    """The cluster's API did not answer or refused: the rest of a status is still worth showing."""


@dataclass(frozen=True)
class ClusterAccess:
    """What a request to the API of a cluster needs."""

    endpoint: str
    ca_pem: str
    token: str = field(repr=False)
    public: bool = True
    timeout: float = 10.0


def cluster_token(cluster: str, *, region: str, session: boto3.session.Session | None = None) -> str:
    """Return a token for the API of a cluster, valid for 15 minutes: what `aws eks get-token` prints.

    It is a presigned request to STS for the caller's identity that names the cluster
    (https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster).
    """
    session = session or boto3.session.Session(region_name=region)
    with aws.reading("the caller's identity"):
        sts = aws.client("sts", region=region, session=session)
        signer = RequestSigner(ServiceId("STS"), region, "sts", "v4", session.get_credentials(), session.events)
        request = {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url.rstrip('/')}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        }
        url = signer.generate_presigned_url(request, region_name=region, expires_in=60, operation_name="")
    return _TOKEN_PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def read_workloads(access: ClusterAccess, *, namespace: str) -> tuple[Workload, ...]:
    """Return the Deployments and StatefulSets of a namespace.

    Raises:
        KubernetesUnreachableError: The API cannot be reached or refuses.
    """
    found: list[Workload] = []
    for kind in ("Deployment", "StatefulSet"):
        for item in _list(access, f"/apis/apps/v1/namespaces/{quote(namespace)}/{_PATHS[kind]}"):
            found.append(workload(item, "Deployment" if kind == "Deployment" else "StatefulSet", namespace=namespace))
    return tuple(found)


def _list(access: ClusterAccess, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    token = ""
    while True:
        page = _get(access, f"{path}?limit=250" + (f"&continue={quote(token)}" if token else ""))
        items += page.get("items") or []
        token = (page.get("metadata") or {}).get("continue") or ""
        if not token:
            return items


def _get(access: ClusterAccess, path: str) -> dict[str, Any]:
    connection = _connection(access)
    try:
        connection.request(
            "GET", path, headers={"Authorization": f"Bearer {access.token}", "Accept": "application/json"}
        )
        response = connection.getresponse()
        body = response.read()
    except ssl.SSLCertVerificationError as error:
        raise KubernetesUnreachableError(
            f"the Kubernetes API at {access.endpoint} shows a certificate of another authority: {error.verify_message}",
            remedy="Something between here and the cluster intercepts TLS; go around it",
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(access, error) from error
    finally:
        connection.close()
    return _answer(access, response.status, body)


def _connection(access: ClusterAccess) -> http.client.HTTPConnection:
    parts = urlsplit(access.endpoint)
    host = parts.hostname or ""
    if parts.scheme == "https":
        try:
            context = ssl.create_default_context(cadata=access.ca_pem or None)
        except ssl.SSLError as error:
            raise KubernetesUnreachableError(
                f"the EKS API names no usable certificate authority for {access.endpoint}: {error.reason or error}",
                remedy="Check the cluster's state: `aws eks describe-cluster`",
            ) from error
        return http.client.HTTPSConnection(host, parts.port or 443, timeout=access.timeout, context=context)
    if host not in _LOOPBACK:
        raise KubernetesUnreachableError(
            f"the Kubernetes API at {access.endpoint} is not HTTPS", remedy="A token must not travel in the clear"
        )
    return http.client.HTTPConnection(host, parts.port or 80, timeout=access.timeout)


def _unreachable(access: ClusterAccess, error: Exception) -> KubernetesUnreachableError:
    if isinstance(error, socket.gaierror):
        reason = "its name cannot be resolved"
    elif isinstance(error, TimeoutError):
        reason = "no answer"
    else:
        reason = one_line(str(getattr(error, "strerror", None) or error or type(error).__name__)).lower()
    remedy = (
        "Add this machine's address to the cluster's public access CIDRs (settings: cluster), or run this from "
        "inside the VPC"
        if access.public
        else "The endpoint is private: run this from inside the VPC (a VPN, a bastion or an SSM port forwarding)"
    )
    return KubernetesUnreachableError(
        f"the Kubernetes API at {access.endpoint or '(no endpoint)'} cannot be reached: {reason}", remedy=remedy
    )


def _answer(access: ClusterAccess, status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    message = one_line(str(answer.get("message") or "")) if isinstance(answer, dict) else ""
    if status == http.HTTPStatus.UNAUTHORIZED:
        raise KubernetesUnreachableError(
            f"the Kubernetes API at {access.endpoint} does not know this identity",
            remedy="Add its role to the cluster's admin roles in the settings (an EKS access entry), or assume one",
        )
    if status == http.HTTPStatus.FORBIDDEN:
        raise KubernetesUnreachableError(
            f"the Kubernetes API refuses: {message or 'forbidden'}",
            remedy="This identity needs an access policy that may view deployments, such as AmazonEKSViewPolicy",
        )
    if status != http.HTTPStatus.OK or not isinstance(answer, dict):
        raise KubernetesUnreachableError(
            f"the Kubernetes API at {access.endpoint} answered {status} {message}".rstrip(),
            remedy="Is that the cluster's endpoint? See `aws eks describe-cluster`",
        )
    return answer
