"""The rehearsal of an environment: the real CDK command line, an embedded account, a Milvus that answers queries."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError
from pydantic import BaseModel, ConfigDict
from rich.console import Console

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.account.kubernetes_records import NOTE
from rehearsal.account.options import ExistingNetwork, ExistingSubnet
from rehearsal.cdk import Cdk, CdkError
from rehearsal.display import Display
from rehearsal.failure import Failure, failures
from rehearsal.leftovers import Leftover, by_type, leftovers, remaining_stacks, strays
from rehearsal.processes import running
from rehearsal.reach.shown import as_table
from rehearsal.reach.table import Reach
from rehearsal.reach.templates import Templates
from rehearsal.run import PROJECT, Run
from rehearsal.variants import Variant
from settings import Environment, load_environment
from settings.parts import parts, stack_name

_LAST_LINES = 15


class RehearsalError(RuntimeError):
    """A rehearsal that failed; its text is for the reader, and ``failures`` names what failed in the account."""

    def __init__(self, message: str, found: list[Failure] | None = None) -> None:
        super().__init__(message)
        self.failures = found or []


class Report(BaseModel):
    """What a rehearsal did."""

    model_config = ConfigDict(frozen=True)

    env: str
    run: Path
    kubernetes: str
    seconds: dict[str, float]
    smoke: dict[str, Any]
    status: dict[str, Any]
    endpoints: dict[str, Any]
    retained: list[Leftover]


class Rehearsal:
    """One rehearsal of one environment."""

    def __init__(self, *, env: str, console: Console, keep: bool = False) -> None:
        self._name = env
        self._settings: Environment = load_environment(env)
        self._console = console
        self._display = Display(console)
        self._keep = keep

    def run(self) -> Report:
        """Run all steps.

        Raises:
            RehearsalError: A step failed; nothing that it started is left running.
            AccountError: The account did not start, or ended before its time.
        """
        with Run() as folder, EmbeddedAccount(self._options(folder)) as account:
            self._log = folder.log("cdk")
            self._console.print(
                f"Rehearsal of [bold]{self._name}[/bold] in {self._settings.region}; logs in {folder.folder}"
            )
            cdk = self._cdk(account, assembly=folder.folder / "cdk.out")
            with self._explained(account):
                self._deploy(cdk, account)
            smoke = self._smoke(account)
            status, endpoints = self._show(account)
            retained: list[Leftover] = []
            if self._keep:
                self._wait(account)
            else:
                with self._explained(account):
                    retained = self._destroy(cdk, account)
                folder.remove_assemblies()
            return Report(
                env=self._name,
                run=folder.folder,
                kubernetes=NOTE,
                seconds=self._display.seconds,
                smoke=smoke,
                status=status,
                endpoints=endpoints,
                retained=retained,
            )

    def _options(self, folder: Run) -> AccountOptions:
        account_id = {"account_id": self._settings.account} if self._settings.account else {}
        return AccountOptions(
            run_dir=folder.folder, region=self._settings.region, network=existing_network(self._settings), **account_id
        )

    def _cdk(self, account: EmbeddedAccount, *, assembly: Path, more: Mapping[str, str] | None = None) -> Cdk:
        return Cdk(
            env=self._name,
            environment={**account.environment(), **(more or {})},
            log=self._log,
            on_event=self._display.event,
            assembly=assembly,
        )

    def _deploy(self, cdk: Cdk, account: EmbeddedAccount) -> None:
        stacks = self._stacks()
        with self._display.step("make synth"):
            cdk.synth()
        with self._display.step("who reaches what: every connection is as it has to be"):
            self._reach(cdk.assembly)
        with self._display.step("cdk bootstrap"):
            cdk.bootstrap(account.options.account_id, account.options.region)
        with self._display.step("ops doctor finds nothing in the way"):
            self._doctor(account)
        # A person has a terminal, a build has none: each gets through.
        with self._display.step(f"make deploy ({len(stacks)} stacks), at a terminal"):
            cdk.deploy(terminal=True)
            self._display.note(f"Kubernetes objects and Helm releases: {NOTE}")
            self._display.note("a read-only API answers for them, as if every pod were ready")
        with self._display.step("make deploy again, without a terminal, changes nothing"):
            require_no_changes(cdk.deploy(), stacks)
        with self._display.step("make diff is empty"):
            cdk.diff()

    def _reach(self, assembly: Path) -> None:
        """Print who reaches what by the assembly's security groups and network policies.

        Raises:
            RehearsalError: What is needed is closed, or what must be closed is open.
        """
        connections = Reach(self._settings, Templates.of(assembly)).table()
        self._console.print(as_table(connections))
        if wrong := [f"{each} ({each.need})" for each in connections if each.wrong]:
            raise RehearsalError("connections are not as they have to be:\n" + "\n".join(wrong))

    def _doctor(self, account: EmbeddedAccount) -> None:
        """Look before the deployment, as a user does.

        Raises:
            RehearsalError: Something blocks, or could not be checked: here every call is answered.
        """
        command = [sys.executable, "-m", "ops", "doctor", "--env", self._name]
        environment = account.environment() | {"COLUMNS": str(self._console.width)}
        code, output = _capture(command, environment, self._log.with_name("ops-doctor.errors.log"))
        self._log.with_name("ops-doctor.log").write_text(output, encoding="utf-8")
        summary = output.rstrip().rpartition("\n")[2]
        if code or "not checked" in summary:
            raise RehearsalError(f"python -m ops doctor --env {self._name} finds something in the way:\n{output}")
        self._display.note(f"{summary} (ops-doctor.log)")

    def _smoke(self, account: EmbeddedAccount) -> dict[str, Any]:
        with self._display.step("hello_milvus against Milvus Lite"):
            report: dict[str, Any] = json.loads(self._ops(account, "smoke", "--json"))
        return report

    def _show(self, account: EmbeddedAccount) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a user of a real deployment would see, as tables, and the same as data."""
        status = ["status", "--env", self._name]
        endpoints = ["endpoints", "--env", self._name]
        for arguments in (status, endpoints):
            self._console.print(self._ops(account, *arguments), markup=False, soft_wrap=True)
        return json.loads(self._ops(account, *status, "--json")), json.loads(self._ops(account, *endpoints, "--json"))

    def _destroy(self, cdk: Cdk, account: EmbeddedAccount) -> list[Leftover]:
        cloudformation = account.client("cloudformation")
        ids = [entry["StackId"] for entry in cloudformation.describe_stacks()["Stacks"]]
        if self._settings.termination_protection:
            cdk = self._unprotected(account)
        with self._display.step("make destroy"):
            cdk.destroy()
            if left := remaining_stacks(cloudformation, self._stacks()):
                raise RehearsalError(f"after make destroy these stacks are still there: {', '.join(left)}")
            retained = leftovers(cloudformation, ids)
            network = account.options.network
            existing = {network.vpc_id} if network else set()
            if left := strays(account.client, retained, existing=existing):
                raise RehearsalError(f"make destroy left behind, and no template retains it: {', '.join(left)}")
        for kind, names in by_type(retained).items():
            self._display.note(f"retained on purpose: {len(names)} x {kind}: {', '.join(names)}")
        return retained

    def _unprotected(self, account: EmbeddedAccount) -> Cdk:
        """Switch the protection off and deploy, as docs/destroy.md says; return the commands of that environment."""
        folder = account.options.run_dir / "unprotected"
        variant = Variant(self._name, {"termination_protection": False}, folder)
        cdk = self._cdk(account, assembly=variant.assembly, more=variant.environment)
        with self._display.step("make deploy with termination_protection: false"):
            cdk.deploy()
        return cdk

    def _wait(self, account: EmbeddedAccount) -> None:
        variables = account.environment({}).items()
        ops = [sys.executable, "-m", "ops"]
        lines = [
            "\nThe account stays until Ctrl-C. In another terminal, which then sees this account only:",
            shlex.join(["cd", str(PROJECT)]),
            *(f"export {key}={value}" for key, value in variables if key.startswith("AWS_") or key == "NO_PROXY"),
            shlex.join([*ops, "status", "--env", self._name]),
            shlex.join([*ops, "endpoints", "--env", self._name]),
        ]
        self._console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
        try:
            while True:
                subprocess.run(["sleep", "3600"], check=False)
        except KeyboardInterrupt:
            self._console.print("ending the account")

    def _ops(self, account: EmbeddedAccount, *arguments: str) -> str:
        command = [sys.executable, "-m", "ops", *arguments]
        environment = account.environment() | {"COLUMNS": str(self._console.width)}
        if self._console.is_terminal and "--json" not in arguments:
            environment["FORCE_COLOR"] = "1"
        output = _capture(command, environment, self._log.with_name(f"ops-{arguments[0]}.log"))
        if output[0]:
            raise RehearsalError(f"python -m ops {' '.join(arguments)} failed:\n{_tail(output[1].splitlines())}")
        return output[1]

    def _stacks(self) -> list[str]:
        return [stack_name(self._settings, part) for part in parts(self._settings)]

    @contextmanager
    def _explained(self, account: EmbeddedAccount) -> Iterator[None]:
        """Turn an error of the CDK into stack, resource and reason, and a lost account into the end of its log."""
        try:
            try:
                yield
            except CdkError as error:
                found = failures(account.client("cloudformation"), [*self._stacks(), "CDKToolkit"])
                detail = "" if found else f":\n{_tail(error.output)}"
                raise RehearsalError(f"{error} (all of it in {self._log}){detail}", found) from error
        except BotoCoreError as error:
            raise account.lost() from error


def existing_network(settings: Environment) -> ExistingNetwork | None:
    """Return the VPC that an environment expects to find; its subnets share the VPC's range evenly."""
    existing = settings.network.existing
    if existing is None:
        return None
    identifiers = [*existing.private_subnet_ids, *existing.public_subnet_ids]
    zones = settings.network.zones
    subnets = tuple(
        ExistingSubnet(
            subnet_id=identifier,
            zone=f"{settings.region}{zones[number % len(zones)]}",
            cidr=_share(str(settings.network.cidr), number),
        )
        for number, identifier in enumerate(identifiers)
    )
    return ExistingNetwork(vpc_id=existing.vpc_id, cidr=str(settings.network.cidr), subnets=subnets)


def _share(cidr: str, number: int) -> str:
    return str(list(ip_network(cidr).subnets(prefixlen_diff=4))[number])


def require_no_changes(lines: list[str], stacks: list[str]) -> None:
    """Refuses a repeated deployment that changed something.

    Raises:
        RehearsalError: Naming the stacks that were not left alone.
    """
    unchanged = {line.split()[1] for line in lines if line.strip().endswith("(no changes)") and len(line.split()) > 2}
    if changed := [name for name in stacks if name not in unchanged]:
        raise RehearsalError(f"a second deployment without any change still changed: {', '.join(changed)}")


def _capture(command: list[str], environment: Mapping[str, str], log: Path) -> tuple[int, str]:
    with (
        log.open("wb") as errors,
        running(command, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        output = process.stdout.read().decode(errors="replace") if process.stdout else ""
        code = process.wait()
    return code, output if not code else output + log.read_text(encoding="utf-8", errors="replace")


def _tail(lines: list[str]) -> str:
    return "\n".join([line for line in lines if line.strip()][-_LAST_LINES:])
