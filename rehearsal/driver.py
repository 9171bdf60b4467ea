"""The rehearsal of an environment: the real CDK command line, an embedded account, a Milvus that answers queries."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError
from pydantic import BaseModel, ConfigDict
from rich.console import Console

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.account.kubernetes_records import NOTE
from rehearsal.cdk import Cdk, CdkError
from rehearsal.day2 import Day2, tail
from rehearsal.display import Display
from rehearsal.failure import RehearsalError, failures
from rehearsal.leftovers import (
    Leftover,
    by_type,
    leftovers,
    no_strays,
    remaining_stacks,
    require_listed,
    strays,
)
from rehearsal.reach import shown as reach
from rehearsal.run import PROJECT, Run
from rehearsal.targets import Target, existing_network, raised_quotas, zones_of_account
from rehearsal.variants import Variant


class Shown(BaseModel):
    """What the day-2 commands say of a deployment."""

    model_config = ConfigDict(frozen=True)

    smoke: dict[str, Any]
    status: dict[str, Any]
    endpoints: dict[str, Any]


class Report(Shown):
    """What a rehearsal did; where a second environment was deployed, the day-2 commands speak of that one."""

    env: str
    then: str | None
    run: Path
    kubernetes: str
    seconds: dict[str, float]
    retained: list[Leftover]


class Rehearsal:
    """One rehearsal of one environment, or of one and what is deployed over it.

    Args:
        env: name of the environment.
        then: name of the environment that is deployed over it, if any.
        console: where to it reports.
        keep: whether the account stays until Ctrl-C.

    Raises:
        SettingsError: A file cannot be used, or the second is another deployment than the first.
    """

    def __init__(self, *, env: str, console: Console, then: str | None = None, keep: bool = False) -> None:
        self._first = Target.load(env)
        self._then = self._first.followed_by(then) if then else None
        self._console = console
        self._display = Display(console)
        self._keep = keep
        self._deployer: Mapping[str, str] = {}

    def run(self) -> Report:
        """Run all steps.

        Raises:
            RehearsalError: A step failed; nothing that it started is left running.
            AccountError: The account did not start, or ended before its time.
        """
        with Run() as folder, EmbeddedAccount(self._options(folder)) as account:
            self._log = folder.log("cdk")
            over = f", then [bold]{self._then.env}[/bold]" if self._then else ""
            self._console.print(
                f"Rehearsal of [bold]{self._first.env}[/bold]{over} in {self._first.settings.region}; "
                f"logs in {folder.folder}"
            )
            self._deployer = account.user("deployer", "deploy.json")
            with self._explained(account):
                self._deploy(self._first, account)
            shown = self._shown(self._first, account)
            if self._then:
                with self._explained(account):
                    self._deploy_over(self._first, self._then, account)
                shown = self._shown(self._then, account)
            retained: list[Leftover] = []
            if self._keep:
                self._wait(account)
            else:
                with self._explained(account):
                    retained = self._destroy(account)
                folder.remove_assemblies()
            return Report(
                env=self._first.env,
                then=self._then.env if self._then else None,
                run=folder.folder,
                kubernetes=NOTE,
                seconds=self._display.seconds,
                retained=retained,
                **shown.model_dump(),
            )

    @property
    def _last(self) -> Target:
        return self._then or self._first

    def _options(self, folder: Run) -> AccountOptions:
        settings = self._first.settings
        account_id = {"account_id": settings.account} if settings.account else {}
        return AccountOptions(
            run_dir=folder.folder,
            region=settings.region,
            network=existing_network(settings),
            quotas=raised_quotas(settings, self._last.settings),
            zones=zones_of_account(settings),
            **account_id,
        )

    def _cdk(
        self,
        target: Target,
        account: EmbeddedAccount,
        *,
        variant: Variant | None = None,
        acting: Mapping[str, str] | None = None,
    ) -> Cdk:
        """Return the commands of an environment, by whom ``acting`` names: by default one who may deploy."""
        # What is deployed over another environment gets an assembly of its own, so that both can be looked at.
        folder = account.options.run_dir / ("then" if target is self._then else "")
        return Cdk(
            env=target.env,
            environment={**(acting or self._deployer), **(variant.environment if variant else {})},
            log=self._log,
            on_event=self._display.event,
            assembly=variant.assembly if variant else folder / "cdk.out",
        )

    def _day2(self, account: EmbeddedAccount, *, acting: Mapping[str, str] | None = None) -> Day2:
        return Day2(environment=acting or account.environment(), console=self._console, folder=account.options.run_dir)

    def _deploy(self, target: Target, account: EmbeddedAccount) -> None:
        cdk = self._cdk(target, account)
        with self._display.step("make synth"):
            cdk.synth()
        with self._display.step("who reaches what: every connection is as it has to be"):
            reach.show(target.settings, cdk.assembly, self._console)
        with self._display.step("cdk bootstrap"):
            place = account.options.account_id, account.options.region
            self._cdk(target, account, acting=account.environment()).bootstrap(*place)
        with self._display.step("cdk bootstrap with policies/, by one who may do what bootstrap.json says"):
            bootstrapper = account.user("bootstrapper", "bootstrap.json")
            policies = account.execution_policies(target.settings.permissions_boundary)
            self._cdk(target, account, acting=bootstrapper).bootstrap(*place, policies)
        with self._display.step("ops doctor finds nothing in the way"):
            day2 = self._day2(account, acting=account.user("doctor", "doctor.json"))
            self._display.note(f"{day2.doctor(target.env)} (ops-doctor.log)")
            raised = ", ".join(f"{code} to {most}" for code, most in account.options.quotas.items())
            self._display.note(
                f"quotas of a new account{f'; raised, as AWS has to be asked to: {raised}' if raised else ''}"
            )
        # A person has a terminal, a build has none: each gets through.
        with self._display.step(f"make deploy ({len(target.stacks)} stacks), at a terminal"):
            cdk.deploy(terminal=True)
            self._display.note(f"Kubernetes objects and Helm releases: {NOTE}")
            self._display.note("a read-only API answers for them, as if every pod were ready")
        with self._display.step("make deploy again, without a terminal, changes nothing"):
            require_no_changes(cdk.deploy(), target.stacks)
        with self._display.step("make diff is empty"):
            cdk.diff()

    def _deploy_over(self, before: Target, target: Target, account: EmbeddedAccount) -> None:
        cdk, env = self._cdk(target, account), f"ENV={target.env}"
        with self._display.step(f"make diff {env}, over {before.env}"):
            self._display.note(f"stacks with differences: {cdk.differences()} (cdk.log)")
        with self._display.step(f"who reaches what, {env}: every connection is as it has to be"):
            reach.show(target.settings, cdk.assembly, self._console)
        with self._display.step(f"make deploy {env}, over {before.env}, at a terminal"):
            cdk.deploy(terminal=True)
        with self._display.step(f"make deploy {env} again, without a terminal, changes nothing"):
            require_no_changes(cdk.deploy(), target.stacks)
        with self._display.step(f"make diff {env} is empty"):
            cdk.diff()

    def _shown(self, target: Target, account: EmbeddedAccount) -> Shown:
        """Return what a user of a real deployment would see, after it was shown as tables."""
        day2, of = self._day2(account), ["--env", target.env]
        with self._display.step(f"hello_milvus against Milvus Lite{f', {target.env}' if target is self._then else ''}"):
            smoke = day2.run("smoke", "--json")
        for command in ("status", "endpoints"):
            self._console.print(day2.run(command, *of), markup=False, soft_wrap=True)
        status, endpoints = (day2.run(command, *of, "--json") for command in ("status", "endpoints"))
        return Shown(smoke=json.loads(smoke), status=json.loads(status), endpoints=json.loads(endpoints))

    def _destroy(self, account: EmbeddedAccount) -> list[Leftover]:
        cloudformation = account.client("cloudformation")
        ids = [entry["StackId"] for entry in cloudformation.describe_stacks()["Stacks"]]
        settings = self._last.settings
        if settings.termination_protection:
            self._unprotect(account)
        day2 = self._day2(account, acting=account.user("destroyer", "destroy.json"))
        self._console.print(day2.run("destroy", "--env", self._last.env), markup=False, soft_wrap=True)
        with self._display.step("ops destroy, by one who may do what destroy.json says"):
            day2.run("destroy", "--env", self._last.env, "--confirm", settings.name)
            if left := remaining_stacks(cloudformation, list(dict.fromkeys([*self._last.stacks, *self._first.stacks]))):
                raise RehearsalError(f"after ops destroy these stacks are still there: {', '.join(left)}")
            retained = leftovers(cloudformation, ids)
            if left := strays(account.client, retained, existing=no_strays(settings)):
                raise RehearsalError(f"ops destroy left behind, and no template retains it: {', '.join(left)}")
        with self._display.step("ops destroy lists what is left, and nothing else"):
            listed = json.loads(day2.run("destroy", "--env", self._last.env, "--json"))
            require_listed(listed, retained, settings)
        for kind, names in by_type(retained).items():
            self._display.note(f"retained on purpose: {len(names)} x {kind}: {', '.join(names)}")
        return retained

    def _unprotect(self, account: EmbeddedAccount) -> None:
        """Switch the protection off and deploy, as docs/destroy.md says."""
        folder = account.options.run_dir / "unprotected"
        variant = Variant(self._last.env, {"termination_protection": False}, folder)
        cdk = self._cdk(self._last, account, variant=variant)
        with self._display.step("make deploy with termination_protection: false"):
            cdk.deploy()

    def _wait(self, account: EmbeddedAccount) -> None:
        variables = account.environment({}).items()
        ops = [sys.executable, "-m", "ops"]
        lines = [
            "\nThe account stays until Ctrl-C. In another terminal, which then sees this account only:",
            shlex.join(["cd", str(PROJECT)]),
            *(f"export {key}={value}" for key, value in variables if key.startswith("AWS_") or key == "NO_PROXY"),
            shlex.join([*ops, "status", "--env", self._last.env]),
            shlex.join([*ops, "endpoints", "--env", self._last.env]),
        ]
        self._console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
        try:
            while True:
                subprocess.run(["sleep", "3600"], check=False)
        except KeyboardInterrupt:
            self._console.print("ending the account")

    @contextmanager
    def _explained(self, account: EmbeddedAccount) -> Iterator[None]:
        """Turn an error of the CDK into stack, resource and reason, and a lost account into the end of its log."""
        try:
            try:
                yield
            except CdkError as error:
                found = failures(account.client("cloudformation"), [*self._last.stacks, "CDKToolkit"])
                detail = "" if found else f":\n{tail(error.output)}"
                raise RehearsalError(f"{error} (all of it in {self._log}){detail}", found) from error
        except BotoCoreError as error:
            raise account.lost() from error


def require_no_changes(lines: list[str], stacks: list[str]) -> None:
    """Refuses a repeated deployment that changed something.

    Raises:
        RehearsalError: Naming the stacks that were not left alone.
    """
    unchanged = {line.split()[1] for line in lines if line.strip().endswith("(no changes)") and len(line.split()) > 2}
    if changed := [name for name in stacks if name not in unchanged]:
        raise RehearsalError(f"a second deployment without any change still changed: {', '.join(changed)}")
