"""Starts the embedded account as a process of its own and ends it reliably."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from rehearsal import processes
from rehearsal.account.limits import LAMBDA_EXECUTIONS, quotas_of
from rehearsal.account.options import AccountOptions
from rehearsal.ports import free_port
from rehearsal.run import PROJECT

_READY_SECONDS = 60


class AccountError(RuntimeError):
    """The embedded account did not start, or ended while it was needed."""


class EmbeddedAccount(AbstractContextManager["EmbeddedAccount"]):
    """An AWS account on 127.0.0.1 for the length of a ``with`` block."""

    def __init__(self, options: AccountOptions) -> None:
        self.options = options
        self.port = free_port()
        # "localhost" and not the address: virtual-host style S3 names (bucket.localhost) resolve to loopback.
        self.endpoint = f"http://localhost:{self.port}"
        self.log = options.run_dir / "account.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the server and wait until it answers.

        Raises:
            AccountError: It ended or did not answer within a minute; the message carries the end of its log.
        """
        self.options.run_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = processes.spawn(self._command(), env=self._server_environment(), cwd=PROJECT, stdout=log)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the server and every function that it still runs."""
        self.close()

    def close(self) -> None:
        """End the server; may be called twice."""
        if self._process is not None:
            processes.stop(self._process)
            self._process = None

    def lost(self) -> AccountError:
        """Return what to raise when a request found nobody: how the server ended, and the end of its log."""
        code = self._process.poll() if self._process is not None else None
        state = "does not answer any more" if code is None else f"ended with exit code {code} while it was needed"
        return AccountError(f"the embedded AWS account {state}; the end of {self.log}:\n{self._tail()}")

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment for a program that shall find this account and no other: endpoint, keys, region, CDK_HOME."""
        kept = {key: value for key, value in (os.environ if base is None else base).items() if not _leaks(key)}
        keys = {"AWS_ACCESS_KEY_ID": self.options.account_id, "AWS_SECRET_ACCESS_KEY": "rehearsal"}
        return (
            kept
            | keys
            | {
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_REGION": self.options.region,
                "AWS_DEFAULT_REGION": self.options.region,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_MAX_ATTEMPTS": "2",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                # The CLI caches account ids by access key: one home per emulator, or the real account's would be used.
                "CDK_HOME": str((self.options.run_dir / "data" / "cdk-home").resolve()),
                "CDK_DISABLE_CLI_TELEMETRY": "true",
                "NO_PROXY": "localhost,127.0.0.1",
                "no_proxy": "localhost,127.0.0.1",
            }
        )

    def user(self, name: str, *policies: str) -> dict[str, str]:
        """Create a user who may do what these files of policies/ say; the environment of whoever acts as that user."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        for policy in policies:
            document = (PROJECT / "policies" / policy).read_text(encoding="utf-8")
            iam.put_user_policy(UserName=name, PolicyName=policy.removesuffix(".json"), PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        return self.environment() | keys

    def execution_policies(self, boundary: str | None = None) -> list[str]:
        """Create CloudFormation's policies, as docs/delivery.md prints it; their ARNs.

        Args:
            boundary: name of the boundary that every role must have; without one there is none, and no policy asks.
        """
        iam, folder = self.client("iam"), PROJECT / "policies"
        names = ["network", "data", "cluster", *(["bounded"] if boundary else [])]
        files = {f"milvus-execution-{name}": folder / f"execution-{name}.json" for name in names}
        if boundary:
            files[boundary] = folder / "boundary.json"
        made = {
            name: iam.create_policy(PolicyName=name, PolicyDocument=file.read_text(encoding="utf-8"))["Policy"]["Arn"]
            for name, file in files.items()
        }
        return [arn for name, arn in made.items() if name != boundary]

    def client(self, service: str) -> Any:
        """Return a boto3 client of this account."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.options.region,
            aws_access_key_id=self.options.account_id,
            aws_secret_access_key="rehearsal",  # noqa: S106 - the emulator wants any key
            config=Config(retries={"max_attempts": 1}, proxies={}),
        )

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "rehearsal.account.serve"]
        if self.options.kubernetes is not None:
            # The handler code of CDK's kubectl asset has /opt/kubectl, /opt/helm and /opt/awscli written into it: they
            # are bound in a mount namespace of the server's own, so that this machine's /opt stays as it is.
            unshare = ["unshare", "--mount", "--propagation", "private"]
            if os.geteuid() != 0:
                unshare[1:1] = ["--user", "--map-root-user"]
            # Programs that this machine has in /opt, Python perhaps, stay reachable.
            keep = 't="$1/${e#/opt/}"; [ -d "$e" ] && mkdir -p "$t" && mount --rbind "$e" "$t"'
            script = f'for e in /opt/*; do {keep}; done; mount --rbind "$1" /opt && shift && exec "$@"'
            command = [*unshare, "sh", "-c", script, "sh", str(self.options.kubernetes.tools), *command]
        return command

    def _server_environment(self) -> dict[str, str]:
        temporary = (self.options.run_dir / "data" / "account").resolve()
        temporary.mkdir(parents=True, exist_ok=True)
        kept = {key: value for key, value in os.environ.items() if not _leaks(key)}
        return (
            kept
            | self.options.to_environment()
            | {
                "GATEWAY_PORT": str(self.port),
                "BIND_HOST": "127.0.0.1",
                "MINISTACK_HOST": "localhost",
                "MINISTACK_ACCOUNT_ID": self.options.account_id,
                "MINISTACK_REGION": self.options.region,
                "LAMBDA_ACCOUNT_CONCURRENCY": str(quotas_of(self.options.quotas)[LAMBDA_EXECUTIONS]),
                # Every request is judged: see rehearsal/account/authority.
                "AUTH": "true",
                "LOG_LEVEL": "INFO",
                "TMPDIR": str(temporary),
                # In place of Lambda's /tmp, which two accounts on one machine would share.
                "TEST_OUTDIR": str(temporary),
                "TASKS_DIRECTORY": str(temporary),
                # Both listeners are of no use here, and on fixed ports: two accounts could not run side by side.
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "S3_DATA_DIR": str(temporary / "s3"),
                "STATE_DIR": str(temporary / "state"),
                # No Docker: clusters are recorded or served by `kubernetes`, functions run as local processes.
                "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
                # The functions are CDK's own; their AWS SDK comes from node_modules as it comes from Lambda's runtime.
                "NODE_PATH": str(PROJECT / "node_modules"),
                "PYTHONPATH": str(PROJECT),
                "PYTHONUNBUFFERED": "1",
                "NO_PROXY": "localhost,127.0.0.1",
                "no_proxy": "localhost,127.0.0.1",
            }
        )

    def _wait(self) -> None:
        process = self._process
        deadline = time.monotonic() + _READY_SECONDS
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            try:
                with opener.open(f"http://127.0.0.1:{self.port}/_ministack/health", timeout=2):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        raise AccountError(f"the embedded AWS account did not start; the end of {self.log}:\n{self._tail()}")

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])


def _leaks(key: str) -> bool:
    """Whether a variable of the caller could lead to a real account or a proxy, or is an option of the CDK's."""
    return key.startswith(("AWS_", "CDK_")) or key.upper() in {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NODE_OPTIONS"}
