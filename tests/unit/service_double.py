"""An AWS service that answers a handler as told, in order, and remembers how often the handler waited."""

from __future__ import annotations

from typing import Self

import boto3
import pytest
from botocore.stub import Stubber

from milvus_constructs import patience

PAUSE_SECONDS = 15.0
_PAUSES: list[float] = []


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no time pass; a module of tests that imports this has it for each of them."""
    _PAUSES.clear()
    monkeypatch.setenv(patience.PAUSE, str(PAUSE_SECONDS))
    monkeypatch.setattr("time.sleep", _PAUSES.append)
    return _PAUSES


class Service:
    """A boto3 client with its answers."""

    name: str

    def __init__(self) -> None:
        self.client = boto3.client(
            self.name, region_name="us-east-2", aws_access_key_id="test", aws_secret_access_key="test"
        )
        self.stubber = Stubber(self.client)
        self.stubber.activate()
        self.pauses = _PAUSES

    def fails(self, operation: str, code: str, times: int = 1) -> Self:
        for _ in range(times):
            self.stubber.add_client_error(operation, code, "because")
        return self
