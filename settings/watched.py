"""Settings that remember which of them were read, so that a rule is not judged by a value nobody gave."""

from __future__ import annotations

import types
from typing import Any

from pydantic import BaseModel

Path = tuple[int | str, ...]
"""Where a setting stands, such as ``("queue", "brokers")``."""


class Watched:
    """Stands for a settings model and notes what is read from it, below its properties and methods too.

    Example:
        >>> reads = set()
        >>> Watched(env, reads).queue.brokers
        3
        >>> reads
        {('queue', 'brokers')}
    """

    def __init__(self, model: BaseModel, reads: set[Path], path: Path = ()) -> None:
        self._model = model
        self._reads = reads
        self._path = path

    @property  # type: ignore[misc]  # a property, so that `isinstance` takes it for what it stands for
    def __class__(self) -> Any:  # noqa: ANN401 - a class
        """Return the class of the model."""
        return type(self._model)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        """Return a field, noted; or the result of a property or method, which read through this object as well."""
        model = type(self._model)
        if name in model.model_fields:
            return self._field(getattr(self._model, name), (*self._path, name))
        found = getattr(model, name)
        if isinstance(found, property) and found.fget:
            return found.fget(self)
        return types.MethodType(found, self) if isinstance(found, types.FunctionType) else found

    def _field(self, value: Any, path: Path) -> Any:  # noqa: ANN401 - a field of any type
        if isinstance(value, BaseModel):
            return Watched(value, self._reads, path)
        self._reads.add(path)
        if isinstance(value, dict):
            return {key: self._entry(each, (*path, key)) for key, each in value.items()}
        if isinstance(value, tuple):
            return tuple(self._entry(each, (*path, index)) for index, each in enumerate(value))
        return value

    def _entry(self, value: Any, path: Path) -> Any:  # noqa: ANN401 - an entry of any type
        return Watched(value, self._reads, path) if isinstance(value, BaseModel) else value


def depends_on(reads: set[Path], left_out: Path) -> bool:
    """Return whether somebody who read these settings has read one that was left out, or the list it was in."""
    return left_out[:-1] in reads or any(read[: len(left_out)] == left_out for read in reads)
