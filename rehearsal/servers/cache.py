"""Installed servers, kept between runs: built into a temporary folder, renamed when complete."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from rehearsal.run import PROJECT

CACHE_VARIABLE = "MILVUS_REHEARSAL_CACHE"


def cache_folder() -> Path:
    """``MILVUS_REHEARSAL_CACHE``, or ``.cache/parts`` in the project."""
    return Path(os.environ.get(CACHE_VARIABLE) or PROJECT / ".cache" / "parts").resolve()


def digest(*values: str | Path) -> str:
    """Return a short key of texts and of the contents of files: a changed pin is another installation."""
    summary = hashlib.sha256()
    for value in values:
        content = value.read_bytes() if isinstance(value, Path) else value.encode()
        summary.update(len(content).to_bytes(8, "big") + content)
    return summary.hexdigest()[:12]


def cached(name: str, key: str) -> Path | None:
    """Return the finished installation of ``name`` with ``key``, if there is one."""
    folder = cache_folder() / f"{name}-{key}"
    return folder if folder.is_dir() else None


def install(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the installation of ``name`` with ``key``; ``build`` fills a temporary folder when it is missing.

    An interrupted build leaves a temporary folder, never an installation. Two rehearsals that start at once wait for
    one another.
    """
    root = cache_folder()
    root.mkdir(parents=True, exist_ok=True)
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (finished := cached(name, key)) is not None:
            return finished
        for leftover in root.glob(f"{name}-*.part"):
            shutil.rmtree(leftover)
        temporary = Path(tempfile.mkdtemp(prefix=f"{name}-{key}-", suffix=".part", dir=root))
        build(temporary)
        return temporary.rename(root / f"{name}-{key}")
