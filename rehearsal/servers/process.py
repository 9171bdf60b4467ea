"""A supervised server process: started, waited for by its own health check, and always ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_LOG_LINES_IN_ERRORS = 15
# The kernel's parent-death signal is sent when the *thread* that started the process ends, so one thread that lives as
# long as the interpreter starts them all.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="process-starter")


class ServerError(RuntimeError):
    """A server did not start, ended by itself or did not become ready; the message holds its last log lines."""


class Process:
    """One server process with a log file.

    The process gets a session of its own (Ctrl-C reaches only the rehearsal, which then ends its servers in order) and
    is killed by the kernel when the rehearsal itself is killed (``setpriv --pdeathsig``).

    Values of ``secrets`` are replaced in the log while it is written: Milvus 2.3 logs the Kafka password.
    """

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        stop_seconds: float = 10.0,
        secrets: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self._environment = dict(environment or {})
        self._directory = directory
        self._stop_seconds = stop_seconds
        self._secrets = tuple(sorted((secret for secret in secrets if secret), key=len, reverse=True))
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_writer: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def pid(self) -> int:
        """The process id; ``ServerError`` before the first start."""
        if self._popen is None:
            raise ServerError(f"{self.name} was not started")
        return self._popen.pid

    def start(self) -> Self:
        """Start, or start again after ``stop`` or ``kill``; the log is continued."""
        if self.running:
            raise ServerError(f"{self.name} is already running (process {self.pid})")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._popen = _STARTER.submit(self._spawn).result()
        if self._secrets:
            self._log_writer = threading.Thread(target=self._write_log, args=(self._popen.stdout,), daemon=True)
            self._log_writer.start()
        return self

    def wait_until(self, ready: Callable[[], bool], *, seconds: float, what: str = "ready") -> None:
        """Call ``ready`` until it is true. Raises ``ServerError`` when the process ends or after ``seconds``."""
        deadline = time.monotonic() + seconds
        while True:
            if not self.running:
                raise ServerError(self._message(f"ended with exit code {self._exit_code()} before it was {what}"))
            if ready():
                return
            if time.monotonic() > deadline:
                raise ServerError(self._message(f"was not {what} after {seconds:.0f} s"))
            time.sleep(0.1)

    def stop(self) -> None:
        """End the process: SIGTERM, and SIGKILL after ``stop_seconds`` (Milvus can hang in its shutdown)."""
        self._end(signal.SIGTERM, self._stop_seconds)

    def kill(self) -> None:
        """Kill the process without warning (SIGKILL), as a lost machine would."""
        self._end(signal.SIGKILL, self._stop_seconds)

    def pause(self) -> None:
        """Stop the process answering while its connections stay open (SIGSTOP)."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Undo ``pause`` (SIGCONT)."""
        os.killpg(self.pid, signal.SIGCONT)

    def last_lines(self, count: int = _LOG_LINES_IN_ERRORS) -> str:
        """Return the last ``count`` lines of the log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:]) or "(the log is empty)"

    def _spawn(self) -> subprocess.Popen[bytes]:
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        with self.log.open("ab") as log:
            self.log.chmod(0o600)
            try:
                return subprocess.Popen(
                    prefix + self._command,
                    cwd=self._directory,
                    env={**os.environ, **self._environment},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE if self._secrets else log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ServerError(f"{self.name} cannot be started: {error}") from error

    def _write_log(self, output: IO[bytes] | None) -> None:
        if output is None:
            return
        with output, self.log.open("ab", buffering=0) as log:
            for line in output:
                written = line
                for secret in self._secrets:
                    written = written.replace(secret.encode(), b"***")
                log.write(written)

    def _end(self, first_signal: signal.Signals, seconds: float) -> None:
        if self._popen is None:
            return
        for number in (first_signal, signal.SIGKILL):
            if not self.running:
                break
            os.killpg(self._popen.pid, number)
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        if self._log_writer is not None:
            self._log_writer.join(seconds)
            self._log_writer = None

    def _exit_code(self) -> int | None:
        return None if self._popen is None else self._popen.poll()

    def _message(self, what: str) -> str:
        return f"{self.name} {what}. Last lines of {self.log}:\n{self.last_lines()}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
