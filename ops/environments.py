"""Which environment a command is about: the settings in its file."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from ops.errors import OpsError, one_line, usage_error
from settings import Environment, SettingsError, load_environment, load_environment_file
from settings.selection import DEFAULT_ENVIRONMENT


def environment(name: str | None = None, *, file: Path | None = None, region: str | None = None) -> Environment:
    """Return the settings of an environment.

    Args:
        name: Its file in environments/, without the ending; the default environment if neither is given.
        file: Its file, wherever that is.
        region: Where it is deployed, if not in the file's region: a pipeline may deploy one file to several.

    Raises:
        OpsError: There is no such environment, its file breaks a rule, the region is none, or both are given.
    """
    if name is not None and file is not None:
        raise usage_error(setting="--env", value=f"{name} and --env-file", allowed="one of them", remedy="Drop one")
    if region is not None and not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise usage_error(
            setting="--region", value=f"'{region}'", allowed="an AWS region such as eu-central-1", remedy="Correct it"
        )
    if file is not None:
        return _from_file(file, region)
    return _by_name(name or DEFAULT_ENVIRONMENT, region)


def _from_file(file: Path, region: str | None) -> Environment:
    try:
        # A Kubernetes version past its support may not be deployed any more; what runs must still be looked after.
        return load_environment_file(file, region=region, today=date.min)
    except SettingsError as error:
        raise _unusable("--env-file", str(file), "a valid settings file", error) from error


def _by_name(name: str, region: str | None) -> Environment:
    try:
        return load_environment(name, region=region, today=date.min)
    except SettingsError as error:
        raise _unusable("--env", name, "a valid file in environments/, or --env-file PATH", error) from error


def _unusable(setting: str, value: str, allowed: str, error: SettingsError) -> OpsError:
    return usage_error(setting=setting, value=f"'{value}'", allowed=allowed, remedy=one_line(str(error), limit=2000))
