"""A boto3 client that answers from a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


class Recorded:
    """Answers each call of a client with the next of the recorded answers of that method."""

    def __init__(self, **answers: list[Any]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            answer = self._answers[name].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return dict(answer)

        return call


def client_error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Describe")
