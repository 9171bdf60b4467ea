"""The settings of an environment: models, rules across fields, and the tables they rest on."""

from __future__ import annotations

from settings.base import Problem
from settings.environment import Environment
from settings.loader import (
    SettingsError,
    available,
    load_environment,
    load_environment_file,
    load_warnings,
    parse_environment,
)
from settings.selection import select

__all__ = [
    "Environment",
    "Problem",
    "SettingsError",
    "available",
    "load_environment",
    "load_environment_file",
    "load_warnings",
    "parse_environment",
    "select",
]
