"""etcd: the store of the Kubernetes API server, and of Milvus's metadata."""

from __future__ import annotations

from contextlib import ExitStack

from rehearsal.ports import LOOPBACK, free_port
from rehearsal.run import Run
from rehearsal.servers.http import responds
from rehearsal.servers.process import Process
from rehearsal.servers.programs import binary
from rehearsal.servers.startable import Startable


class Etcd(Startable):
    """One etcd member.

    With ``durable`` it syncs every write to disk; without, it is faster and may lose data when the machine (not the
    process) dies.

    Attributes:
        endpoint: ``http://127.0.0.1:PORT``.
        address: the same without the scheme, as Milvus wants it.
        process: the supervised server.
    """

    def __init__(self, *, run: Run, name: str = "etcd", durable: bool = True) -> None:
        self.address = f"{LOOPBACK}:{free_port()}"
        self.endpoint = f"http://{self.address}"
        peer = f"http://{LOOPBACK}:{free_port()}"
        self.process = Process(
            name=name,
            command=[
                binary("etcd"),
                f"--name={name}",
                f"--data-dir={run.data(name)}",
                f"--listen-client-urls={self.endpoint}",
                f"--advertise-client-urls={self.endpoint}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster={name}={peer}",
                "--log-level=warn",
                *([] if durable else ["--unsafe-no-fsync"]),
            ],
            log=run.log(name),
        )

    def _start(self, stack: ExitStack) -> None:
        stack.enter_context(self.process)
        self.process.wait_until(lambda: responds(f"{self.endpoint}/health", containing='"health":"true"'), seconds=30)
