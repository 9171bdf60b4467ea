"""What a bill assumes of use, all in one file that a user may replace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops.errors import OpsError, one_line, usage_error

DEFAULTS = Path(__file__).with_name("assumptions.yaml")

_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Assumptions(BaseModel):
    """Quantities a month; what each means stands in ``assumptions.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    between_zones_gb: _Amount
    nat_gb: _Amount
    endpoint_gb: _Amount
    load_balancer_units: _Amount
    control_plane_log_gb: dict[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], _Amount]
    flow_log_gb: dict[Literal["ALL", "ACCEPT", "REJECT"], _Amount]
    broker_log_gb: _Amount
    function_log_gb: _Amount
    build_log_gb: _Amount
    s3_gb: _Amount
    s3_puts: _Amount
    s3_gets: _Amount
    woodpecker_flush_ms: Annotated[float, Field(gt=0)]
    woodpecker_channels: _Amount
    msk_metrics: dict[Literal["broker", "topic", "partition"], _Amount]
    kms_requests: _Amount
    secret_requests: _Amount
    key_rotations: _Amount
    pipeline_runs: _Amount
    build_minutes: _Amount
    action_minutes: _Amount
    artifact_gb: _Amount

    @classmethod
    def load(cls, path: Path | None = None) -> Assumptions:
        """Return the shipped assumptions, with those of a file of the user's in their place.

        Raises:
            OpsError: The file cannot be read, or one of its figures is none.
        """
        shipped: dict[str, object] = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
        if path is None:
            return cls.model_validate(shipped)
        try:
            own = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise _unusable(path, one_line(str(error))) from error
        if not isinstance(own, dict):
            raise _unusable(path, "no map")
        for key, value in own.items():
            known = shipped.get(key)
            shipped[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
        try:
            return cls.model_validate(shipped)
        except ValidationError as error:
            wrong = error.errors()[0]
            place = ".".join(str(each) for each in wrong["loc"] if each != "[key]")
            raise _unusable(path, f"{place}: {wrong['msg']}, got {wrong['input']!r}") from error


def _unusable(path: Path, reason: str) -> OpsError:
    return usage_error(
        setting="--assumptions",
        value=f"'{path}' ({reason})",
        allowed=f"a YAML file with figures of {DEFAULTS.name}",
        remedy="Correct it",
    )
