"""Pods that a disruption budget never lets go: EKS gives their node group up, half-way, when it replaces the nodes."""

from __future__ import annotations

from pathlib import Path

from rehearsal.account.base import Request
from rehearsal.account.eks_rules import HALF_ROLLED
from rehearsal.account.refusals import ResourceError
from settings.contract import NODE_GROUP_LABEL

FILE = "stuck-pods"
"""File in the folder of the run: each line is a node group of the settings whose pods cannot be moved."""


class Evictions:
    """Fails the replacement of nodes whose pods are stuck, as EKS does after 15 minutes.

    https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def check_nodegroup(self, request: Request) -> None:
        """Refuse another version or launch template where pods are stuck.

        Raises:
            ResourceError: The nodes cannot be emptied.
        """
        before, wanted = request.previous, request.properties
        if not before or all(before.get(key) == wanted.get(key) for key in ("Version", "LaunchTemplate")):
            return
        # ``Ref`` is cluster and name joined by a slash in AWS, and the name alone in the emulator.
        name, group = request.physical_id.rpartition("/")[2], wanted["Labels"][NODE_GROUP_LABEL]
        stuck = self._file.read_text(encoding="utf-8").split() if self._file.exists() else []
        if group not in stuck:
            HALF_ROLLED.pop(name, None)
            return
        HALF_ROLLED.setdefault(name, str(wanted.get("Version", "")))
        raise ResourceError(
            "[Issue(Code=PodEvictionFailure, Message=Reached max retries while trying to evict pods from nodes in "
            f"node group {group}, ResourceIds=[ip-10-0-1-1.ec2.internal])] (Service: null, Status Code: 0, "
            "Request ID: null)"
        )
