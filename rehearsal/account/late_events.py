"""The log group that EKS writes to: made by EKS where there is none, and made again by its last events.

They come when the cluster is gone, and the group with it: terraform-aws-modules/terraform-aws-eks#2446 and #2763. The
emulator's Lambda does the same for a function that runs after its group went (aws-cdk#32689) by itself.
"""

from __future__ import annotations

import contextvars
import threading
from types import ModuleType
from typing import Any

LATE_SECONDS = 5.0
"""After this time the last events come; in AWS it is minutes."""


def control_plane_log_group(cluster: str) -> str:
    """Return the group's name, which EKS chooses."""
    return f"/aws/eks/{cluster}/cluster"


class ControlPlaneEvents:
    """Writes as EKS's service-linked role does.

    Args:
        logs: the emulator's CloudWatch Logs.
        seconds: after which the last events of a deleted cluster come.
    """

    def __init__(self, logs: ModuleType, seconds: float = LATE_SECONDS) -> None:
        self._logs: Any = logs
        self._seconds = seconds

    def write(self, cluster: str) -> None:
        """Write an event now; a group that is there is left as it is."""
        self._logs._create_log_group({"logGroupName": control_plane_log_group(cluster)})

    def write_late(self, cluster: str) -> None:
        """Write the last events of a cluster that has just been deleted."""
        # The stores of the emulator belong to the account and region of the request that is being answered.
        context = contextvars.copy_context()
        timer = threading.Timer(self._seconds, context.run, (self.write, cluster))
        timer.daemon = True
        timer.start()
