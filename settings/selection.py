"""Reads from the context of the CDK what is to be built: `-c env=NAME`, or `-c pipeline=NAME`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Literal

from settings.base import Problem
from settings.loader import SettingsError, available

DEFAULT_ENVIRONMENT = "dev"

_KINDS: tuple[Literal["env", "pipeline"], ...] = ("env", "pipeline")
# What people write for one of the two. A key that is not read would silently select the default.
_MEANT: dict[str, str] = {**{kind: kind for kind in _KINDS}, "environment": "env"}


def select(context: Mapping[str, object]) -> tuple[Literal["env", "pipeline"], str]:
    """Return the kind and the name of the file to build.

    The default is for those who name nothing at all. An empty name (an unset variable of a shell) or a misspelt key
    would otherwise deploy, or destroy, another environment than the one that was meant.

    Raises:
        SettingsError: A name is empty, a key is misspelt, or both kinds are named.
    """
    found = [*_misspelt(context), *_empty(context)]
    given = [kind for kind in _KINDS if kind in context]
    if len(given) == 2:
        found.append(Problem("-c pipeline", "given together with -c env, which it would ignore; remove one of the two"))
    if found:
        raise SettingsError("context", found)
    kind = given[0] if given else "env"
    return kind, str(context.get(kind, DEFAULT_ENVIRONMENT))


def _misspelt(context: Mapping[str, object]) -> list[Problem]:
    # Those of the CDK itself, such as @aws-cdk/core:checkSecretUsage, resemble neither.
    others = [key for key in context if key not in _KINDS]
    close = {key: difflib.get_close_matches(key.lower(), _MEANT) for key in others}
    return [
        Problem(f"-c {key}", f"selects nothing; did you mean -c {_MEANT[meant[0]]}={context[key]}?")
        for key, meant in close.items()
        if meant
    ]


def _empty(context: Mapping[str, object]) -> list[Problem]:
    return [
        Problem(
            f"-c {kind}",
            f"empty; name one of {', '.join(available())}" if kind == "env" else "empty; name the pipeline's file",
        )
        for kind in _KINDS
        if kind in context and not str(context[kind] or "").strip()
    ]
