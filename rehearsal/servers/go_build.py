"""Servers built from Go modules by the ordinary Go client, pinned and checksummed by go.mod and go.sum."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.servers.cache import cached, digest, install
from rehearsal.servers.process import ServerError

GO_FOLDER = Path(__file__).resolve().parents[1] / "go"


@dataclass(frozen=True, kw_only=True)
class GoProgram:
    """Programs of one Go module file of ``rehearsal/go/<name>``.

    Attributes:
        name: folder below ``rehearsal/go``.
        packages: the Go packages to build; each gives a binary called like its last path element.
        link_values: variables set at link time (``-X``), such as the version that the server reports.
        files: folders and files to keep beside the binaries: module path -> paths inside that module.
        exchanged: files of a module to exchange for the build: module path -> {path inside it: file in this folder}.
    """

    name: str
    packages: tuple[str, ...]
    link_values: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    exchanged: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where go.mod and go.sum lie."""
        return GO_FOLDER / self.name

    @property
    def key(self) -> str:
        """Changes with every pin and flag, so that a changed pin builds again."""
        sources = sorted(path for path in self.folder.iterdir() if path.is_file())
        return digest(*sources, repr((self.packages, self.link_values, self.files, self.exchanged)))

    def built(self) -> Path | None:
        """Return the folder of the finished build, or None: Go is needed only then."""
        return cached(self.name, self.key)

    def build(self) -> Path:
        """Return the folder of the binaries; build them when the cache has none (minutes)."""
        return install(self.name, self.key, self._build_into)

    def _build_into(self, target: Path) -> None:
        flags = ["-trimpath", "-mod=readonly", f"-ldflags={self._link_flags()}"]
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            if self.exchanged:
                flags.append(f"-modfile={self._exchange(Path(scratch))}")
            self._go("build", *flags, "-o", f"{target}/", *self.packages)
        for module, paths in self.files.items():
            source = self._module_folder(module)
            for path in paths:
                _copy(source / path, target / path)

    def _link_flags(self) -> str:
        values = (f"-X {name}={value}" for name, value in self.link_values.items())
        return " ".join(("-s", "-w", *values))

    def _exchange(self, scratch: Path) -> Path:
        """Write a go.mod that builds with copies of modules in which files are exchanged.

        Copies, because Go refuses an overlay over its module cache. The originals are downloaded and checked first.
        """
        self._go("mod", "download")
        lines = [(self.folder / "go.mod").read_text()]
        for number, (module, files) in enumerate(self.exchanged.items()):
            copy = scratch / str(number)
            _copy(self._module_folder(module), copy)
            for path, own in files.items():
                shutil.copyfile(self.folder / own, copy / path)
            lines.append(f"replace {module} => {copy}\n")
        shutil.copyfile(self.folder / "go.sum", scratch / "go.sum")
        modfile = scratch / "go.mod"
        modfile.write_text("\n".join(lines))
        return modfile

    def _module_folder(self, module: str) -> Path:
        return Path(self._go("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module).strip())

    def _go(self, command: str, *arguments: str) -> str:
        done = subprocess.run(
            ["go", command, *arguments],
            cwd=self.folder,
            # Pure Go: the binaries need no C compiler and no shared library. GOFLAGS of the machine must not interfere.
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServerError(f"go {command} for {self.name} failed:\n{done.stderr[-2000:]}")
        return done.stdout


def _copy(source: Path, target: Path) -> None:
    # Files of the module cache are read-only: copied without their mode, so that the cache can be removed.
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return
    for path in sorted(source.rglob("*")):
        if path.is_file():
            _copy(path, target / path.relative_to(source))
