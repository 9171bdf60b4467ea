"""S3 on loopback: SeaweedFS, which checks signatures and permissions."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from rehearsal.ports import LOOPBACK, free_port
from rehearsal.run import Run
from rehearsal.servers.http import responds
from rehearsal.servers.process import Process
from rehearsal.servers.startable import Startable
from rehearsal.servers.wheels import weed

_ALL_ACTIONS = ("Admin", "Read", "Write", "List", "Tagging")
_READ_ACTIONS = ("Read", "List")


@dataclass(frozen=True, kw_only=True)
class S3User:
    """An access key. ``writes`` false gives a key that may read and list only."""

    access_key: str
    secret_key: str
    writes: bool = True


class S3(Startable):
    """One S3 server with one bucket and the given users; any other key is refused.

    Attributes:
        address: ``127.0.0.1:PORT``; endpoint: the same with ``http://``.
    """

    def __init__(self, *, run: Run, bucket: str, users: tuple[S3User, ...], name: str = "s3") -> None:
        self.bucket = bucket
        self.users = users
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self.endpoint = f"http://{self.address}"
        config = run.secret_file(
            name, "identities.json", json.dumps({"identities": [_identity(user) for user in users]})
        )
        self.process = Process(
            name=name,
            command=[
                weed(),
                # Otherwise its logs, and a socket, stay in the machine's temporary folder.
                "-logtostderr=true",
                "mini",
                "-s3.localSocket=s3.sock",
                f"-dir={run.data(f'{name}-volumes')}",
                f"-ip={LOOPBACK}",
                f"-ip.bind={LOOPBACK}",
                f"-bucket={bucket}",
                f"-s3.port={self.port}",
                f"-s3.config={config}",
                # A missing bucket must be an error here, as on AWS.
                "-s3.autoCreateBucket=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-master.telemetry=false",
                "-admin.ui=false",
                "-webdav=false",
                *_ports("master", "volume", "filer", "admin"),
                f"-s3.port.grpc={free_port()}",
            ],
            log=run.log(name),
            directory=run.data(name),
        )

    def client(self, user: S3User | None = None) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a boto3 client with the key of ``user``, by default the first."""
        chosen = user or self.users[0]
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=chosen.access_key,
            aws_secret_access_key=chosen.secret_key,
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def objects(self, prefix: str = "") -> dict[str, int]:
        """Size in bytes of each object below ``prefix``."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def _start(self, stack: ExitStack) -> None:
        stack.enter_context(self.process)
        self.process.wait_until(lambda: responds(f"{self.endpoint}/healthz"), seconds=60, what="answering")
        self.process.wait_until(self._bucket_exists, seconds=60, what=f"serving bucket {self.bucket}")

    def _bucket_exists(self) -> bool:
        client = self.client()
        try:
            client.head_bucket(Bucket=self.bucket)
        except client.exceptions.ClientError:
            return False
        return True


def _identity(user: S3User) -> dict[str, object]:
    actions = _ALL_ACTIONS if user.writes else _READ_ACTIONS
    return {
        "name": user.access_key,
        "credentials": [{"accessKey": user.access_key, "secretKey": user.secret_key}],
        "actions": list(actions),
    }


def _ports(*servers: str) -> list[str]:
    flags = []
    for server in servers:
        flags += [f"-{server}.port={free_port()}", f"-{server}.port.grpc={free_port()}"]
    return flags
