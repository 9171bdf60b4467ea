"""The full rehearsal of one environment: every step in its order, with the report that ends it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory

from rehearsal.cdk import Cdk
from rehearsal.full import tools
from rehearsal.full.charts import (
    CONTROLLER,
    FOLDER_VARIABLE,
    MILVUS,
    MILVUS_VARIABLE,
    Found,
    Wanted,
    find,
    pull,
    stand_in,
)
from rehearsal.full.checks import Checks
from rehearsal.full.data_path import START, DataPath
from rehearsal.full.deployment import Deployment
from rehearsal.full.release_changes import ReleaseChanges
from rehearsal.full.secret_fault import secret_without_prefix
from rehearsal.full.site import Site
from rehearsal.full.steps import FullReport, Kind, Steps
from rehearsal.run import Run
from rehearsal.servers.external_secrets import version
from rehearsal.servers.netns import isolated
from settings import load_environment

_HELM_RESOURCE = "Custom::AWSCDK-EKS-HelmChart"
SYNTH = "synthesize; layers and charts at hand"
BOOTSTRAP = "cdk bootstrap"
DEPLOY = "make deploy"
WORKLOADS = "every deployment available with the replicas of the settings"
SECRETS = f"External Secrets Operator {version()} copies the generated secrets"
UPGRADE = "upgrade: image tag and replicas change, nothing else"
GROW = "etcd's volumes grow by make deploy, and no member restarts"
KILLED = "fault: Helm killed half-way; the stack goes back, the next make deploy passes"
OUTAGE = "fault: API server unreachable during a deployment"
DESTROY = "make destroy, and nothing left but what is retained"
_PREFIX = "fault: MSK secret without the prefix AmazonMSK_"
_SMOKE = "Milvus: ops smoke passes, rows travel through Kafka into S3"


class FullRehearsal:
    """One full rehearsal."""

    def __init__(self, *, env: str, run: Run, steps: Steps) -> None:
        self._name = env
        self._env = load_environment(env)
        self._run = run
        self._steps = steps
        self._assembly = run.folder / "cdk.out"
        self._tools = run.data("tools").resolve()
        self._missing: dict[str, str] = {}

    def run(self) -> FullReport:
        """Run every step; what is started is ended in whatever way this returns."""
        if not isolated():
            self._steps.leave_out(
                "network namespace", "real", "this machine permits none: Milvus listens on all interfaces for this run"
            )
        if self._steps.run(SYNTH, "real", self._prepare):
            self._deployed()
        return self._steps.report(self._name)

    def _prepare(self) -> str:
        """Synthesize, unpack the layers, and find every chart that the templates name."""
        _synthesize(self._name, self._assembly, self._run.log("cdk"))
        tools.unpack_layers(self._assembly, self._tools)
        found: list[Found] = []
        for wanted in charts_of(self._assembly):
            chart = find(wanted, scratch=self._run.data("charts"))
            if isinstance(chart, str):
                self._missing[wanted.name] = chart
                chart = stand_in(wanted, self._run.data("charts"))
            found.append(chart)
        tools.give_charts(self._tools, found)
        return "\n".join(f"chart {chart.wanted.name} {chart.wanted.version}: {chart.source}" for chart in found)

    def _deployed(self) -> None:
        site = Site(
            run=self._run,
            env_name=self._name,
            env=self._env,
            tools=self._tools,
            controller_has_chart=CONTROLLER not in self._missing,
        )
        entered = self._steps.run("control plane and embedded account start", "real", lambda: _enter(site, self._tools))
        if not entered:
            return
        try:
            deployment = Deployment(site=site, env_name=self._name, assembly=self._assembly)
            self._deploy(deployment)
            self._look(deployment)
            self._change(deployment, site)
            self._data(site)
            self._destroy(deployment)
        finally:
            site.__exit__(None, None, None)

    def _deploy(self, deployment: Deployment) -> None:
        steps = self._steps
        steps.run(BOOTSTRAP, "real", deployment.bootstrap)
        for name, reason in self._missing.items():
            if name != MILVUS:
                steps.leave_out(f"objects of the chart {name}", "real", reason)
        if MILVUS in self._missing:
            steps.leave_out(DEPLOY, "real", self._missing[MILVUS])
            steps.run("cdk deploy of every stack but Milvus's", "real", deployment.deploy_without_milvus)
            return
        steps.run(DEPLOY, "real", deployment.deploy, needs=[BOOTSTRAP])
        steps.run("make deploy again changes nothing", "real", deployment.deploy_again, needs=[DEPLOY])
        steps.run("make diff is empty", "real", deployment.diff, needs=[DEPLOY])

    def _look(self, deployment: Deployment) -> None:
        """Look at the cluster: control plane and objects are real, nodes and pods are simulated."""
        checks: Checks = deployment.checks
        shown: tuple[tuple[str, Kind, Callable[[], str]], ...] = (
            (WORKLOADS, "simulated", checks.workloads),
            (SECRETS, "real", checks.secrets),
            ("etcd's claims bound to ebs-sc, one in each zone", "simulated", checks.claims),
            ("pods spread over zones", "real", checks.zones),
            ("no pod without requests", "real", checks.requests),
            ("NetworkPolicies select every pod", "real", checks.network_policies),
            ("service accounts, roles and tokens fit", "real", checks.identities),
            ("disruption budgets allow one and forbid the second", "real", checks.disruption),
        )
        for name, kind, check in shown:
            self._steps.run(name, kind, check, needs=[DEPLOY])

    def _change(self, deployment: Deployment, site: Site) -> None:
        steps = self._steps
        steps.run(UPGRADE, "real", deployment.upgrade, needs=[WORKLOADS])
        changes = ReleaseChanges(deployment, site, self._tools)
        steps.run(GROW, "simulated", changes.grow_etcd, needs=[UPGRADE])
        steps.run(KILLED, "real", changes.kill_upgrade, needs=[UPGRADE])
        steps.run(
            "a broken image fails Milvus's stack alone and rolls back", "real", deployment.break_it, needs=[UPGRADE]
        )
        steps.run(OUTAGE, "real", deployment.outage, needs=[UPGRADE])

    def _data(self, site: Site) -> None:
        steps = self._steps
        if self._env.queue.kind != "msk":
            for name in (START, _SMOKE):
                steps.leave_out(name, "real", f"the queue of {self._name} is {self._env.queue.kind}, not MSK")
            return
        deployed = steps.passed(DEPLOY) and steps.passed(SECRETS)
        streaming = steps.passed(DEPLOY) or steps.passed("cdk deploy of every stack but Milvus's")
        # It mostly waits: the function asks MSK ten times before it gives up.
        refused = beside(lambda: secret_without_prefix(site)) if streaming else None
        DataPath(run=self._run, site=site, assembly=self._assembly, deployed=deployed, streaming=streaming).steps(steps)
        if refused is None:
            steps.leave_out(_PREFIX, "simulated", f"needs: {DEPLOY}")
        else:
            steps.run(_PREFIX, "simulated", refused)

    def _destroy(self, deployment: Deployment) -> None:
        self._steps.run(DESTROY, "real", deployment.destroy, needs=[BOOTSTRAP])


def pull_charts(env: str, *, report: Callable[[str], None]) -> None:
    """Pull the charts that are in no given folder into the cache, before the network is gone; says what failed."""
    if all(os.environ.get(variable) for variable in (MILVUS_VARIABLE, FOLDER_VARIABLE)):
        return
    with TemporaryDirectory(prefix="milvus-rehearsal-") as folder:
        assembly, programs = Path(folder, "cdk.out"), Path(folder, "tools")
        _synthesize(env, assembly, Path(folder, "cdk.log"))
        tools.unpack_layers(assembly, programs)
        for wanted in charts_of(assembly):
            if isinstance(find(wanted, scratch=Path(folder)), Found):
                continue
            reason = pull(wanted, helm=tools.helm_of(programs))
            report(f"chart {wanted.name} {wanted.version}: {reason or 'pulled'}")


def _synthesize(env: str, assembly: Path, log: Path) -> None:
    environment = {**os.environ, "CDK_DISABLE_CLI_TELEMETRY": "true"}
    Cdk(env=env, environment=environment, log=log, on_event=lambda _: None, assembly=assembly).synth()


def charts_of(assembly: Path) -> list[Wanted]:
    """Return the charts that an assembly's templates install."""
    found = []
    for template in sorted(assembly.glob("*.template.json")):
        for resource in json.loads(template.read_text(encoding="utf-8"))["Resources"].values():
            if resource["Type"] == _HELM_RESOURCE:
                given = resource["Properties"]
                wanted = Wanted(name=given["Chart"], version=given["Version"], repository=given["Repository"])
                if wanted not in found:
                    found.append(wanted)
    return found


def beside(action: Callable[[], str]) -> Callable[[], str]:
    """Start ``action`` in a thread that an interrupted rehearsal does not wait for; returns what waits for its end."""
    outcome: Future[str] = Future()

    def work() -> None:
        try:
            outcome.set_result(action())
        except Exception as error:  # noqa: BLE001 - raised again where the outcome is asked for
            outcome.set_exception(error)

    threading.Thread(target=work, name="beside", daemon=True).start()
    return outcome.result


def _enter(site: Site, folder: Path) -> str:
    site.__enter__()
    version = site.cluster.api.request("GET", "version")["gitVersion"]
    return f"kube-apiserver {version} at {site.cluster.endpoint}, tools of the layers in {folder.name}"
