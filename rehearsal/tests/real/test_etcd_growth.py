"""Real members of etcd grow from 1 to 5 while somebody writes, and come back from a snapshot."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from rehearsal.ports import LOOPBACK, free_port
from rehearsal.run import Run
from rehearsal.servers.etcd import Etcd
from rehearsal.servers.programs import binary
from settings.record import change_rules

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
STEPS: list[int] = change_rules()["steps"]["milvus.etcd.replicas"]


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with Run(root=tmp_path_factory.mktemp("rehearsal")) as started:
        yield started


class Writer:
    """Writes one key after the other to whichever member answers, and keeps what was acknowledged."""

    def __init__(self, members: Sequence[Etcd]) -> None:
        self._members = members
        self.acknowledged: dict[str, str] = {}
        self.longest_gap = 0.0
        self._over = threading.Event()

    @contextmanager
    def writing(self) -> Iterator[None]:
        thread = threading.Thread(target=self._write, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _write(self) -> None:
        number, last = 0, time.monotonic()
        while not self._over.is_set():
            number += 1
            key, value = f"key-{number}", f"value-{number}"
            # As a client that knows all members: it asks the next when one does not answer.
            for member in list(self._members):
                try:
                    _call(member, "kv/put", {"key": _encoded(key), "value": _encoded(value)})
                except OSError:
                    continue
                now = time.monotonic()
                self.longest_gap, last = max(self.longest_gap, now - last), now
                self.acknowledged[key] = value
                break


def test_members_grow_one_by_one_under_writes(run: Run) -> None:
    with ExitStack() as stack:
        # GIVEN one member, and somebody who writes all the time
        members = [stack.enter_context(Etcd(run=run, name="milvus-etcd-0"))]
        writer = Writer(members)
        with writer.writing():
            # WHEN a member is added in each step that the settings allow, as the image of the chart does it, and then
            # the older ones restart one after the other, as the StatefulSet lets them
            for number in STEPS[1:]:
                _join(stack, run, members)
                for older in reversed(members[:-1]):
                    older.process.stop()
                    older.process.start()
                    older.process.wait_until(lambda older=older: _healthy(older), seconds=30)  # type: ignore[misc]  # a lambda infers no type from a default
                assert len(_listed(members)) == number
            written = len(writer.acknowledged)
            _wait(lambda: len(writer.acknowledged) > written)
        # THEN nobody waited for long, and every member has every key that was acknowledged
        assert len(writer.acknowledged) > 20
        assert writer.longest_gap < 30
        for member in members:
            assert writer.acknowledged.items() <= _keys(member).items()
        # AND two of five may go
        for lost in members[:2]:
            lost.process.kill()
        _call(members[-1], "kv/put", {"key": _encoded("after"), "value": _encoded("the loss")})
        assert _keys(members[2])["after"] == "the loss"


def test_two_members_at_once_are_refused(run: Run) -> None:
    with Etcd(run=run, name="milvus-etcd-0") as first:
        _ctl(first, "member", "add", "milvus-etcd-1", f"--peer-urls={_peer()}")
        # WHEN a second one comes before the first has joined, THEN etcd takes neither it nor any write
        with pytest.raises(subprocess.CalledProcessError):
            _ctl(first, "member", "add", "milvus-etcd-2", f"--peer-urls={_peer()}")
        assert not _healthy(first)


def test_members_that_only_go_take_the_quorum_along(run: Run) -> None:
    with ExitStack() as stack:
        members = [stack.enter_context(Etcd(run=run, name="milvus-etcd-0"))]
        for _ in STEPS[1:3]:
            _join(stack, run, members)
        # WHEN two of three go without being taken from the list, as a smaller StatefulSet lets them
        for gone in members[1:]:
            gone.process.stop()
        # THEN the last one takes nothing any more: why `milvus.etcd.replicas` only grows
        assert not _healthy(members[0])


@pytest.mark.parametrize("count", [1, 3])
def test_a_snapshot_brings_everything_back(run: Run, count: int) -> None:
    snapshot = run.folder / "snapshot.db"
    with Etcd(run=run, name="before") as before:
        for number in range(100):
            _call(before, "kv/put", {"key": _encoded(f"key-{number}"), "value": _encoded(f"value-{number}")})
        kept = _keys(before)
        # GIVEN a snapshot, and something that was written after it
        _ctl(before, "snapshot", "save", str(snapshot))
        _call(before, "kv/put", {"key": _encoded("later"), "value": _encoded("lost")})
    # WHEN it is restored into new members
    peers = {f"milvus-etcd-{number}": _peer() for number in range(count)}
    cluster = ",".join(f"{name}={peer}" for name, peer in peers.items())
    for name, peer in peers.items():
        subprocess.run(
            [
                *(str(binary("etcdutl")), "snapshot", "restore", str(snapshot), "--name", name),
                *("--data-dir", str(run.data("restored") / name), "--initial-cluster", cluster),
                *("--initial-advertise-peer-urls", peer),
            ],
            check=True,
            capture_output=True,
        )
        (run.data("restored") / name).rename(run.folder / "data" / name)
    with ExitStack() as stack:
        members = [Etcd(run=run, name=name, peer=peer, cluster=cluster) for name, peer in peers.items()]
        for member in members:
            stack.enter_context(member.process)
        _wait(lambda: all(_healthy(member) for member in members))
        # THEN every member has what the snapshot had, and takes more
        assert [_keys(member) for member in members] == [kept] * count
        _call(members[-1], "kv/put", {"key": _encoded("new"), "value": _encoded("one")})
        assert _keys(members[0]) == {**kept, "new": "one"}


def _join(stack: ExitStack, run: Run, members: list[Etcd]) -> None:
    """Add a member to the list, then start it with what the list says: as the image does it, again and again."""
    name, peer = f"milvus-etcd-{len(members)}", _peer()
    told = ""

    def added() -> bool:
        nonlocal told
        try:
            told = _ctl(members[0], "member", "add", name, f"--peer-urls={peer}")
        except subprocess.CalledProcessError as error:
            # A member counts five seconds after it has come.
            if "unhealthy cluster" not in error.stderr:
                raise
        return bool(told)

    _wait(added)
    [line] = [each for each in told.splitlines() if each.startswith("ETCD_INITIAL_CLUSTER=")]
    cluster = line.partition("=")[2].strip('"')
    members.append(stack.enter_context(Etcd(run=run, name=name, peer=peer, cluster=cluster, joins=True)))


def _peer() -> str:
    return f"http://{LOOPBACK}:{free_port()}"


def _ctl(member: Etcd, *arguments: str) -> str:
    command = [str(binary("etcdctl")), f"--endpoints={member.endpoint}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _call(member: Etcd, path: str, body: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    request = urllib.request.Request(f"{member.endpoint}/v3/{path}", data=json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=5) as answer:
        found: dict[str, list[dict[str, str]]] = json.load(answer)
    return found


def _keys(member: Etcd) -> dict[str, str]:
    found = _call(member, "kv/range", {"key": _encoded("\0"), "range_end": _encoded("\0")})
    return {_decoded(each["key"]): _decoded(each["value"]) for each in found.get("kvs", [])}


def _listed(members: Sequence[Etcd]) -> list[dict[str, str]]:
    return _call(members[0], "cluster/member/list", {})["members"]


def _healthy(member: Etcd) -> bool:
    try:
        _ctl(member, "endpoint", "health")
    except subprocess.CalledProcessError:
        return False
    return True


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
