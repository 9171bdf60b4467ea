"""The gate: would a change set replace or delete something that holds data?"""

from __future__ import annotations

from ops.gate.approvals import Approval, apply_approvals, parse_approval
from ops.gate.changeset import Change, ChangeSet, parse_change_sets
from ops.gate.verdict import Loss, judge

__all__ = ["Approval", "Change", "ChangeSet", "Loss", "apply_approvals", "judge", "parse_approval", "parse_change_sets"]
