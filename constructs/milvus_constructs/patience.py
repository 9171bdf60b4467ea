"""Asks an AWS service again while what it says can pass; used by the functions behind this project's custom resources.

It is put beside each ``handler.py`` and runs in Lambda, where nothing but boto3 is installed. boto3 is imported where
it is used: a synth needs this file and not boto3, whose import takes a fifth of a second.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection
from typing import Any

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

ATTEMPTS = 10
PAUSE = "PAUSE_SECONDS"
"""Variable of the function that says how long it waits before it asks again."""
# A function's own policy is made right before it is called and may not have reached the service yet; the others are
# what AWS says when it was asked too often, or is at fault.
PASSING = frozenset(
    {
        "AccessDeniedException",
        "ForbiddenException",
        "InternalServerErrorException",
        "ServerException",
        "ServiceUnavailableException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def client(service: str) -> Any:  # noqa: ANN401 - boto3 has no type for it
    """Return a client that repeats what failed on the way."""
    import boto3  # noqa: PLC0415 - see above
    from botocore.config import Config  # noqa: PLC0415 - see above

    return boto3.client(service, config=Config(retries={"mode": "standard", "max_attempts": 5}))


def pause() -> None:
    """Wait as long as the function's variable says, in seconds."""
    time.sleep(float(os.environ[PAUSE]))


def until_done(
    attempt: Callable[[], str | None],
    *,
    passing: Collection[str] = (),
    attempts: int = ATTEMPTS,
) -> str | None:
    """Try until there is nothing to complain about.

    Args:
        attempt: Does something; returns what is still missing, or None.
        passing: Codes of errors that pass, beside those that pass everywhere. Any other error ends it.
        attempts: How often it is tried at most.

    Returns:
        The last complaint; None where all is done.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - see above

    last: str | None = None
    for number in range(1, attempts + 1):
        try:
            last = attempt()
        except ClientError as error:
            last = str(error)
            if error.response["Error"]["Code"] not in PASSING | set(passing):
                return last
        if last is None:
            return None
        LOG.warning("attempt %d of %d: %s", number, attempts, last)
        if number < attempts:
            pause()
    return last
