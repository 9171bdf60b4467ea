"""One finding of `ops doctor`: what, why, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from ops.doctor.facts import Unread


class Verdict(StrEnum):
    """What a finding means for a deployment."""

    OK = "ok"
    ADVICE = "advice"
    NOT_CHECKED = "not checked"
    BLOCKS = "blocks"


class Finding(BaseModel):
    """What a check found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    verdict: Verdict
    what: str
    why: str = ""
    remedy: str = ""


class Report(BaseModel):
    """All that `python -m ops doctor` shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str
    region: str
    account: str
    findings: tuple[Finding, ...]

    @property
    def blocks(self) -> bool:
        """Whether a deployment would fail."""
        return self._number(Verdict.BLOCKS) > 0

    @property
    def summary(self) -> str:
        """Return how many findings of each kind there are, in one line."""
        blocking, open_ = self._number(Verdict.BLOCKS), self._number(Verdict.NOT_CHECKED)
        first = (
            f"{blocking} of {len(self.findings)} findings block a deployment"
            if blocking
            else "Nothing blocks a deployment"
        )
        rest = [f"{open_} not checked"] * bool(open_) + [f"{self._number(Verdict.ADVICE)} to know"]
        return f"{first}; {', '.join(rest)}"

    def _number(self, verdict: Verdict) -> int:
        return len([finding for finding in self.findings if finding.verdict is verdict])


def ok(check: str, what: str) -> Finding:
    """Return that all is well."""
    return Finding(check=check, verdict=Verdict.OK, what=what)


def advice(check: str, what: str, *, why: str, remedy: str) -> Finding:
    """Return something that stops no deployment, and that one should know before it."""
    return Finding(check=check, verdict=Verdict.ADVICE, what=what, why=why, remedy=remedy)


def blocks(check: str, what: str, *, why: str, remedy: str) -> Finding:
    """Return something because of which a deployment would fail."""
    return Finding(check=check, verdict=Verdict.BLOCKS, what=what, why=why, remedy=remedy)


def not_checked(check: str, what: str, unread: Unread) -> Finding:
    """Return that AWS did not answer what the check asked: that is never "ok"."""
    remedy = f"The call needs {unread.permission}; policies/doctor.json allows all that doctor reads"
    return Finding(check=check, verdict=Verdict.NOT_CHECKED, what=what, why=unread.reason, remedy=remedy)
