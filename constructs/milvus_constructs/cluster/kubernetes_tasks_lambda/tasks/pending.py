"""Takes away the record of an upgrade that nobody makes any more: Helm refuses to work beside it."""

from __future__ import annotations

import time

from .kubectl import kubectl

# Lambda ends every function after 15 minutes: what is older than that was left by one that was killed.
_LONGEST_UPGRADE_SECONDS = 15 * 60
_STATES = "pending-install,pending-upgrade,pending-rollback"
# Only labels are printed: the data of these Secrets are the release itself.
_LABELS = '{range .items[*]}{.metadata.name} {.metadata.labels.status} {.metadata.labels.createdAt}{"\\n"}{end}'


def take_up(namespace: str, release: str) -> list[str]:
    """Remove what was left pending of a release, and return what may still be at work and has to be waited for.

    Helm's next upgrade starts from the revision before, or installs what was never installed, and takes over the
    objects that the ended one has applied.
    """
    selector = f"owner=helm,name={release},status in ({_STATES})"
    answer = kubectl(
        "get", "secrets", "--namespace", namespace, "--selector", selector, "--output", f"jsonpath={_LABELS}"
    )
    waiting = []
    for line in answer.splitlines():
        name, status, created = [*line.split(), "0"][:3]
        if time.time() - float(created) < _LONGEST_UPGRADE_SECONDS:
            waiting.append(f"{name} is {status}: the function that runs Helm may still be at work")
        else:
            kubectl("delete", "secret", name, "--namespace", namespace, "--ignore-not-found")
            print(f"{name} was {status} for longer than a function lives, and is taken away")  # noqa: T201 - Lambda's log
    return waiting
