from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from milvus_constructs import patience

PASSING = (
    "AccessDeniedException",
    "ForbiddenException",
    "InternalServerErrorException",
    "ServerException",
    "ServiceUnavailableException",
    "ThrottlingException",
    "TooManyRequestsException",
)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    # GIVEN a function that waits a quarter of a second
    found: list[float] = []
    monkeypatch.setenv("PAUSE_SECONDS", "0.25")
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def fails(code: str, times: int) -> Callable[[], str | None]:
    """Return an attempt that ends with an error of AWS so often, and then is done."""
    left = [code] * times

    def attempt() -> None:
        if left:
            raise ClientError({"Error": {"Code": left.pop(), "Message": "made up"}}, "Call")

    return attempt


@pytest.mark.parametrize("code", PASSING)
def test_what_aws_says_for_a_while_is_asked_again(pauses: list[float], code: str) -> None:
    assert patience.until_done(fails(code, 2)) is None
    assert pauses == [0.25, 0.25]


def test_any_other_error_ends_it_at_once_unless_the_caller_knows_it(pauses: list[float]) -> None:
    said = "An error occurred (ConflictException) when calling the Call operation: made up"
    assert patience.until_done(fails("ConflictException", 1)) == said
    assert pauses == []
    assert patience.until_done(fails("ConflictException", 1), passing=["ConflictException"]) is None
    assert pauses == [0.25]


def test_last_complaint_is_returned_after_the_last_attempt_and_none_waits_behind_it(
    pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    # GIVEN something that never gets done
    with caplog.at_level(logging.WARNING):
        assert patience.until_done(lambda: "not there yet", attempts=3) == "not there yet"
    # THEN it was tried three times, with a line for each
    assert pauses == [0.25, 0.25]
    assert caplog.messages == [f"attempt {number} of 3: not there yet" for number in (1, 2, 3)]
    # AND ten times where nobody says how often
    pauses.clear()
    patience.until_done(lambda: "no")
    assert len(pauses) == 9


def test_client_repeats_what_failed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    made = patience.client("eks")
    assert made.meta.service_model.service_name == "eks"
    # The first attempt, and five more.
    assert made.meta.config.retries == {"mode": "standard", "total_max_attempts": 6}
