"""Turns what a library raised into one line of reason and one of remedy."""

from __future__ import annotations

import re
import socket
import ssl

from ops.errors import one_line
from ops.milvus.deadline import DeadlineError
from ops.milvus.target import Target
from ops.program import NAME as PROGRAM

_PORT_FORWARD = "`kubectl -n milvus port-forward service/milvus-service 19530`"
_FROM_OUTSIDE = (
    "An internal load balancer answers inside its VPC only, and only the allowed CIDRs: run this there, or use "
    f"{_PORT_FORWARD} and --uri http://127.0.0.1:19530"
)
# A data node that is denied its bucket panics with a thousand lines after the cause.
_LOGS = "kubectl -n milvus logs --tail=2000 -l component="

# Which part of Milvus a step is the first to need, and where that part says what ails it. Components as in the chart's
# labels; from 2.6 the streaming node writes the queue and the data node builds indexes.
_NEEDS: dict[str, str] = {
    "connect": f"check the proxy: {_LOGS}proxy",
    "exists": f"Milvus is up but its coordinator does not answer: check etcd and {_LOGS}mixcoord (2.3: rootcoord)",
    "create": "Milvus is up but cannot create topics or metadata: check broker credentials, the brokers' certificate, "
    f"their auto.create.topics.enable, etcd and {_LOGS}mixcoord (2.3: rootcoord)",
    "insert": "Milvus is up but cannot write: check broker credentials and the brokers' message.max.bytes in "
    f"{_LOGS}proxy (from 2.6: streamingnode)",
    "flush": "Milvus cannot write to its bucket, or cannot read its queue: check the role of the service account "
    f"milvus-s3-access-sa and {_LOGS}datanode",
    "index": f"Milvus cannot build the index: check {_LOGS}datanode (up to 2.5: indexnode)",
    "load": f"the query nodes cannot load: check their memory, the bucket's permissions and {_LOGS}querynode",
    "search": f"the query nodes do not answer: check {_LOGS}querynode",
    "query": f"the query nodes do not answer: check {_LOGS}querynode",
    "hybrid": f"the query nodes do not answer: check {_LOGS}querynode",
    "delete": "Milvus cannot write the deletion, or the query nodes do not read it: check broker credentials and "
    f"{_LOGS}querynode",
    "password": f"Milvus cannot store the password: check etcd and {_LOGS}mixcoord (2.3: rootcoord), then run it again",
    "drop": f"check etcd and {_LOGS}mixcoord (2.3: rootcoord)",
}


class WrongAnswerError(Exception):
    """Milvus answered, and the answer is wrong."""

    remedy = f"Milvus answers, but wrongly: do not trust it; check {_LOGS}querynode"


class IndexUnusableError(WrongAnswerError):
    """Milvus took the index definition, and the index is not the one asked for or not finished."""

    remedy = _NEEDS["index"]


_REFUSED = re.compile(r"auth check failure|unauthenticated|invalid credential")


def is_refused(error: BaseException, *, target: Target) -> bool:
    """Return whether Milvus answered, and refused the user or the password."""
    lowered = _text(error, target).lower()
    return _REFUSED.search(lowered) is not None and not _is_about_tls(lowered)


def explain(step: str, error: BaseException, *, target: Target, seconds: float) -> tuple[str, str]:
    """Return why a step failed and what to do; ``seconds`` is what it had. Neither contains the token."""
    if isinstance(error, WrongAnswerError):
        reason, remedy = str(error), error.remedy
    elif target.is_lite and step == "connect":
        reason, remedy = _text(error, target), "Check that milvus-lite is installed and that the folder can be written"
    else:
        reason, remedy = _explain_call(step, error, target, seconds)
    return one_line(reason), remedy


def _explain_call(step: str, error: BaseException, target: Target, seconds: float) -> tuple[str, str]:
    text = _text(error, target)
    lowered = text.lower()
    if _is_about_tls(lowered):
        return _explain_connection(text, target)
    refusal = _explain_refusal(text, target)
    if refusal is not None:
        return refusal
    if isinstance(error, DeadlineError) or re.search(r"deadline exceeded|timeout", lowered):
        text = f"no answer within {seconds:g} s"
    if step == "connect":
        return _explain_connection(text, target)
    return text, _NEEDS.get(step, "")


def _explain_refusal(text: str, target: Target) -> tuple[str, str] | None:
    lowered = text.lower()
    if "missing authorization" in lowered:
        return "Milvus demands a login and no token was given", _token_remedy()
    if _REFUSED.search(lowered):
        if target.token:
            return "Milvus refuses the token", _refused_remedy()
        return "Milvus demands a login", _token_remedy()
    if "permission deny" in lowered or "permission_denied" in lowered or "permissiondenied" in lowered:
        return text, "Log in as root, or grant the user what a smoke run needs: create, write, search and drop"
    return None


def _is_about_tls(lowered: str) -> bool:
    # A certificate for another name is UNAUTHENTICATED to gRPC, too.
    return "handshake" in lowered or "verification check" in lowered


def _explain_connection(text: str, target: Target) -> tuple[str, str]:
    where = f"{target.host}:{target.port}"
    if re.search(r"CERTIFICATE_VERIFY_FAILED|unable to get local issuer|self[- ]signed", text):
        return (
            f"the certificate of {where} is not trusted",
            "Give the authority that signed it with --ca FILE; public ones need no --ca",
        )
    if re.search(r"Hostname Verification|not valid for (the )?host|Peer name|hostname mismatch", text, re.IGNORECASE):
        return f"the certificate of {where} is for another name", "Give the name in it with --server-name"
    if "WRONG_VERSION_NUMBER" in text:
        return f"{where} does not speak TLS", "Use http:// without --tls, or switch TLS on in the settings"
    if "Expected SETTINGS frame" in text or "http1" in text or "UNIMPLEMENTED" in text:
        return f"{where} is not Milvus's gRPC port", "Use port 19530"
    return _probe(target, text)


def _probe(target: Target, text: str) -> tuple[str, str]:
    """Find out by hand what is wrong with an address that gRPC only calls unavailable."""
    where = f"{target.host}:{target.port}"
    try:
        with socket.create_connection((target.host, target.port), timeout=3) as connection:
            if not target.uses_tls and _speaks_tls(connection):
                return f"{where} speaks TLS, the address says http://", "Use https:// or --tls"
    except socket.gaierror:
        return f"the name {target.host} cannot be resolved", f"Check --uri: `{PROGRAM} endpoints` shows the address"
    except TimeoutError:
        return (
            f"{where} cannot be reached: no answer",
            _FROM_OUTSIDE,
        )
    except OSError as error:
        return (
            f"{where} cannot be reached: {(error.strerror or str(error)).lower()}",
            f"Nothing listens there: check --uri and the targets of the load balancer, or use {_PORT_FORWARD}",
        )
    return f"{where} accepts connections, but Milvus does not answer there: {text}", (
        f"Milvus may still be starting: `{PROGRAM} status` shows its pods; then {_NEEDS['connect']}"
    )


def _speaks_tls(connection: socket.socket) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with context.wrap_socket(connection):
            return True
    except OSError:
        return False


def _text(error: BaseException, target: Target) -> str:
    """Return the most telling text of an error, without the token: gRPC's own words are in its causes."""
    # pymilvus raises errors from themselves, so the chain of causes can be a ring.
    seen: set[int] = set()
    current: BaseException | None = error
    text = str(getattr(error, "message", "") or error or type(error).__name__)
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        details = getattr(current, "details", None)
        if callable(details) and details():
            return _redact(str(details()), target)
        current = current.__cause__
    return _redact(text, target)


def _token_remedy() -> str:
    return (
        "Put user:password into the environment variable MILVUS_TOKEN, or give --secret-arn "
        f"(`{PROGRAM} endpoints --env NAME` shows RootSecretArn)"
    )


def _refused_remedy() -> str:
    return (
        f"If it is from root's secret: `{PROGRAM} root-password --env NAME` gives Milvus the password in it; by "
        "itself Milvus reads it at its first start, up to 2.4.6 never. If not, correct MILVUS_TOKEN or --secret-arn"
    )


def _redact(text: str, target: Target) -> str:
    if not target.token:
        return text
    password = target.token.partition(":")[2]
    for secret in (target.token, password):
        if secret:
            text = text.replace(secret, "***")
    return text
