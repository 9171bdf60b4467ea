"""Faults that a user will meet, each with its expected outcome; none needs Kubernetes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rehearsal.certificates import Authority
from rehearsal.servers.collection import Collection, connected
from rehearsal.servers.milvus import Milvus
from rehearsal.servers.process import ServerError
from rehearsal.servers.s3_gate import Judge, S3Gate
from rehearsal.servers.smoke import SmokeResult, smoke
from rehearsal.servers.stand import Stand

_STEP_SECONDS = 15
# A prefix outside the root path, which a server lists before anything else.
_START_CHECK = "justforconnectioncheck"
# A data node that cannot write to S3 gives up, and a stack of more than 1,000 lines follows the cause.
_TAIL = 2000
# The Kafka client waits 30 s for a topic to appear before it says that there is none.
_LOG_SECONDS = 60
# What a remedy calls a part, and the processes that are it, by release line.
_PROCESSES = {"coordinator": ("coordinators", "mixcoord"), "data node": ("datanode",)}
_LARGE_ROWS = 500
_LARGE_DIMENSION = 2048  # 500 rows of 8 KiB: 4 MB in one message


class FaultError(ServerError):
    """A fault did not have its expected outcome."""


@dataclass(frozen=True, kw_only=True)
class FaultResult:
    """A fault that had its expected outcome.

    Attributes:
        fault: what was wrong.
        outcome: what happened, with the message that the user saw.
    """

    fault: str
    outcome: str
    seconds: float


def wrong_kafka_password(stand: Stand) -> FaultResult:
    """Milvus stays up and ``/healthz`` says OK; smoke fails at its first write and names the credentials."""
    faulty = stand.milvus(
        name="fault-password",
        prefix="fault-password",
        environment={"KAFKA_SASLPASSWORD": "not-the-password"},
        waits=False,
    )
    return _unwritable(stand, faulty, fault="wrong Kafka password", cause="SASL authentication error")


def untrusted_broker_certificate(stand: Stand) -> FaultResult:
    """As with a wrong password: only an insert shows it."""
    other = stand.run.secret_file("fault-authority", "other.pem", Authority("another-ca").certificate)
    faulty = stand.milvus(name="fault-authority", prefix="fault-authority", authority=other, waits=False)
    return _unwritable(stand, faulty, fault="broker certificate not trusted", cause="certificate verify failed")


def topic_creation_off(stand: Stand) -> FaultResult:
    """``stand`` has brokers with ``auto.create.topics.enable=false``: Milvus can make no channel."""
    faulty = stand.milvus(name="fault-topics", prefix="fault-topics", waits=False)
    return _unwritable(stand, faulty, fault="topic auto-creation off", cause="Unknown topic or partition")


def s3_access_denied(stand: Stand) -> FaultResult:
    """Prove that inserts and reads work while a flush never ends, and that smoke names the bucket's permissions."""
    started = time.monotonic()
    with stand.milvus(name="fault-s3", prefix="fault-s3", s3_user=stand.reader) as faulty:
        seen = smoke(faulty.uri, token=stand.token, seconds=_STEP_SECONDS, rows=200)
        _expect(not seen.ok and seen.step == "flush", f"smoke must fail at flush, it {_said(seen)}")
        _expect("bucket" in seen.remedy, f"the remedy must name the bucket, it is: {seen.remedy}")
        _expect("insert" in seen.steps, "an insert must pass: it goes to Kafka, not to S3")
        _expect_log(faulty, "Access Denied", part="data node")
    return _result("S3 access denied", str(seen), started)


def start_check_denied(stand: Stand, judge: Judge) -> FaultResult:
    """Prove that a server before 2.5.26 and 2.6.10 ends at its start where its start check may not be listed.

    Args:
        stand: what the server runs on.
        judge: allows what the role of Milvus may do, but to list the prefix of the start check.
    """
    started = time.monotonic()
    with (
        S3Gate(s3=stand.s3, judge=judge) as gate,
        stand.milvus(name="fault-start", prefix="fault-start", gate=gate, waits=False) as faulty,
    ):
        deadline = time.monotonic() + _LOG_SECONDS
        while all(process.running for process in faulty.processes.values()):
            _expect(time.monotonic() < deadline, "no component ended although its start check is refused")
            time.sleep(0.5)
        ended = [name for name, process in faulty.processes.items() if not process.running]
        said = "\n".join(faulty.processes[name].last_lines(_TAIL) for name in ended)
        _expect("precheck" in said, f"{' and '.join(ended)} ended, but not by its start check:\n{said[-2000:]}")
        line = next(line for line in said.splitlines() if "precheck" in line)
        line = line[line.index("precheck") :]
    return _result(f"{_START_CHECK} may not be listed", f"{' and '.join(ended)} ended: {line.strip()[:400]}", started)


def one_broker_down(stand: Stand) -> FaultResult:
    """With three brokers and ``min.insync.replicas=2`` writing goes on; the broker catches up when it is back."""
    started = time.monotonic()
    with stand.milvus(name="fault-broker", prefix="fault-broker") as milvus:
        stand.kafka.stop_broker(2)
        try:
            behind = _wait_for_behind(stand)
            seen = smoke(milvus.uri, token=stand.token, seconds=60, rows=200)
            _expect(seen.ok, f"smoke must pass with one of three brokers down, it {_said(seen)}")
        finally:
            stand.kafka.start_broker(2)
    outcome = f"smoke passed with {len(behind)} partitions under-replicated; all in sync again"
    return _result("one broker down", outcome, started)


def message_too_large(stand: Stand) -> FaultResult:
    """``stand`` has brokers that refuse what Milvus may send: a large insert fails, a small one passes."""
    started = time.monotonic()
    with (
        stand.milvus(name="fault-size", prefix="fault-size") as milvus,
        connected(milvus.uri, token=stand.token) as client,
    ):
        collection = Collection(client, "large", dimension=_LARGE_DIMENSION)
        collection.create()
        collection.insert(range(10))
        reason = _refusal(lambda: collection.insert(range(10, 10 + _LARGE_ROWS), seconds=_STEP_SECONDS))
        _expect("too large" in reason.lower(), f"the insert must name the size of the message, it said: {reason}")
        _expect(collection.count() == 10, "nothing of a refused insert may be stored")
    advice = "raise the brokers' message.max.bytes to at least kafka.producer.message.max.bytes (10485760)"
    return _result("message larger than the broker's limit", f"insert refused: {reason}; {advice}", started)


def large_message_passes(
    stand: Stand, *, name: str = "large", configuration: Mapping[str, object] | None = None
) -> FaultResult:
    """Prove the control of ``message_too_large``: with the brokers of our settings the same insert is stored."""
    started = time.monotonic()
    with (
        stand.milvus(name=name, prefix=name, configuration=configuration) as milvus,
        connected(milvus.uri, token=stand.token) as client,
    ):
        collection = Collection(client, "large", dimension=_LARGE_DIMENSION)
        collection.create()
        collection.insert(range(_LARGE_ROWS))
        _expect(collection.count() == _LARGE_ROWS, "every row of a 4 MB insert must be stored")
    return _result("a 4 MB message within the limit", f"{_LARGE_ROWS} rows stored", started)


def with_property(properties: Mapping[str, str], **changes: str) -> dict[str, str]:
    """Broker properties for one broker alone, with ``changes`` (underscores for dots)."""
    alone = {"default.replication.factor": "1", "min.insync.replicas": "1"}
    return {**properties, **alone, **{key.replace("_", "."): value for key, value in changes.items()}}


def _unwritable(stand: Stand, faulty: Milvus, *, fault: str, cause: str) -> FaultResult:
    """Nothing can be written to the queue, and no port or health check shows it."""
    started = time.monotonic()
    with faulty:
        proxy = faulty.processes["proxy"]
        proxy.wait_until(lambda: all(faulty.healthz(name) for name in faulty.processes), seconds=60, what="healthy")
        seen = smoke(faulty.uri, token=stand.token, seconds=_STEP_SECONDS, rows=200)
        _expect(not seen.ok, f"smoke must fail with {fault}, it passed")
        _expect(bool(seen.remedy), f"smoke must say what to do, it {_said(seen)}")
        healthy = all(faulty.healthz(name) for name in faulty.processes)
        _expect(healthy, "/healthz must still say OK: where it does not, the documentation is wrong")
        _expect_log(faulty, cause, part="coordinator")
    return _result(fault, f"/healthz OK, smoke failed at {seen}", started)


def _wait_for_behind(stand: Stand, *, seconds: float = 60) -> list[str]:
    """Return the partitions that miss the stopped broker: controllers notice after broker.session.timeout.ms (9 s)."""
    deadline = time.monotonic() + seconds
    while not (behind := stand.kafka.under_replicated()):
        _expect(time.monotonic() < deadline, "a broker is down, so partitions must be under-replicated")
        time.sleep(1)
    return behind


def _refusal(call: Callable[[], None]) -> str:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - pymilvus and gRPC raise what they like
        return str(getattr(error, "message", error))
    raise FaultError("an insert larger than the brokers' message.max.bytes was acknowledged")


def _expect_log(milvus: Milvus, cause: str, *, part: str) -> None:
    """Prove that the log of ``part``, to which the remedy sends the user (`kubectl logs`), names the cause."""
    chosen = [name for name in milvus.processes if name in _PROCESSES[part]]
    deadline = time.monotonic() + _LOG_SECONDS
    while not any(cause in milvus.processes[name].last_lines(_TAIL) for name in chosen):
        named = f"the last {_TAIL} lines of {' and '.join(chosen)} do not name the cause ({cause!r})"
        _expect(time.monotonic() < deadline, named)
        time.sleep(1)


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise FaultError(message)


def _said(seen: SmokeResult) -> str:
    return f"said: {seen}"


def _result(fault: str, outcome: str, started: float) -> FaultResult:
    return FaultResult(fault=fault, outcome=outcome, seconds=time.monotonic() - started)
