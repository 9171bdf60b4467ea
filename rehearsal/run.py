"""The folder of one rehearsal run: logs that stay, data that goes."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PROJECT = Path(__file__).resolve().parents[1]
# Folders of earlier runs would pile up for ever: this many stay, the newest ones.
KEPT_RUNS = 5
_NAME = re.compile(r"\d{8}-\d{6}(\.\d+)?")


class Run:
    """``.rehearsal/<name>/``: ``<part>.log`` files are kept, ``data/`` (keys, volumes) is removed at the end.

    ``.rehearsal/latest`` points to the newest run; of the earlier ones the last few stay, and those that still run.
    """

    def __init__(self, *, root: Path = PROJECT / ".rehearsal", name: str | None = None) -> None:
        self.folder = root / (name or time.strftime("%Y%m%d-%H%M%S"))
        number = 2
        while name is None and self.folder.exists():
            self.folder = self.folder.with_name(f"{self.folder.name.split('.')[0]}.{number}")
            number += 1

    def log(self, part: str) -> Path:
        """Where ``part`` writes its log."""
        return self.folder / f"{part}.log"

    def data(self, part: str) -> Path:
        """Return a folder for ``part``'s files, created at first use, readable by this user only."""
        folder = self.folder / "data" / part
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def secret_file(self, part: str, name: str, content: str | bytes) -> Path:
        """Write a key or a client configuration into ``part``'s data folder with mode 0600."""
        path = self.data(part) / name
        path.touch(mode=0o600)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def remove_data(self) -> None:
        """Remove volumes and keys; the logs stay."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def remove_assemblies(self) -> None:
        """Remove what the CDK synthesized, some 60 MB each time: for a run that succeeded nobody needs it."""
        for folder in [*self.folder.glob("cdk.out"), *self.folder.glob("*/cdk.out")]:
            shutil.rmtree(folder, ignore_errors=True)

    def _remove_old_runs(self) -> None:
        runs = sorted(path for path in self.folder.parent.iterdir() if _NAME.fullmatch(path.name))
        for path in runs[:-KEPT_RUNS]:
            with suppress(OSError):  # it still runs, with --keep perhaps
                lock = os.open(path, os.O_RDONLY)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(lock)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._lock = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        self._remove_old_runs()
        latest = self.folder.with_name("latest")
        latest.unlink(missing_ok=True)
        latest.symlink_to(self.folder.name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove_data()
        os.close(self._lock)
