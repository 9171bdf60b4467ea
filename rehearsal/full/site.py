"""The place of a full rehearsal: API server, embedded account and the simulators between them."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.account.options import KubernetesEndpoint
from rehearsal.cdk import Cdk, Listener, StackEvent
from rehearsal.full.account_simulators import InstalledLoadBalancers, InstalledOperator, NodeSimulator
from rehearsal.full.token_webhook import TokenWebhook
from rehearsal.full.tools import kubectl_of
from rehearsal.run import Run
from rehearsal.servers.csi_simulator import CsiSimulator
from rehearsal.servers.kubernetes import ControlPlane
from rehearsal.servers.process import ServerError
from rehearsal.servers.startable import Startable
from rehearsal.targets import existing_network, raised_quotas, zones_of_account
from settings import Environment
from settings.parts import Part, parts, stack_name

_DEFAULT_ACCOUNT = "000000000000"
# The state machine behind the release's readiness asks every 20 seconds; here every second.
_WAIT_SCALE = "0.05"
_KUBECTL_SECONDS = 60


class Site(Startable):
    """Control plane and account, empty; `cdk` deploys into both.

    Args:
        run: folder of logs and data.
        env_name: name of the environment's file.
        env: the environment's settings.
        tools: folder with helm, kubectl and the AWS command line.
        controller_has_chart: whether the load balancer controller's own chart is installed, not a stand-in.

    Attributes:
        cluster: the control plane.
        account: the embedded account.
    """

    def __init__(self, *, run: Run, env_name: str, env: Environment, tools: Path, controller_has_chart: bool) -> None:
        self._name = env_name
        self.run = run
        self.env = env
        self._tools = tools
        self._controller_has_chart = controller_has_chart
        self._account_id = env.account or _DEFAULT_ACCOUNT
        self._webhook = TokenWebhook(run=run, account_id=self._account_id, account_of=self._account_of)
        self.cluster = ControlPlane(
            run=run,
            issuer=f"https://oidc.eks.{env.region}.amazonaws.com/id/{uuid.uuid4().hex.upper()}",
            token_webhook=self._webhook.config,
            calls_webhooks=False,
        )
        account_options = {"account_id": self._account_id}
        self.account = EmbeddedAccount(
            AccountOptions(
                run_dir=run.folder,
                region=env.region,
                network=existing_network(env),
                quotas=raised_quotas(env),
                zones=zones_of_account(env),
                kubernetes=KubernetesEndpoint(
                    url=self.cluster.endpoint,
                    certificate_authority=self.cluster.authority_data,
                    issuer=self.cluster.issuer,
                    tools=tools,
                ),
                **account_options,
            )
        )

    def _account_of(self, access_key: str) -> str:
        # The account's own administrator has the account's id for a key.
        if access_key == self._account_id:
            return access_key
        return str(self.account.client("sts").get_access_key_info(AccessKeyId=access_key)["Account"])

    @property
    def stacks(self) -> list[str]:
        """The environment's stacks in the order of their deployment."""
        return [stack_name(self.env, part) for part in parts(self.env)]

    @property
    def milvus_stack(self) -> str:
        """The stack that a failed release fails."""
        return stack_name(self.env, Part.MILVUS)

    def template(self, part: Part, assembly: Path) -> Path:
        """Return the template of a stack in an assembly."""
        return assembly / f"{stack_name(self.env, part)}.template.json"

    def outputs(self, part: Part) -> dict[str, str]:
        """Return the outputs of a deployed stack."""
        stacks = self.account.client("cloudformation").describe_stacks(StackName=stack_name(self.env, part))["Stacks"]
        return {item["OutputKey"]: item["OutputValue"] for item in stacks[0].get("Outputs", [])}

    def cdk(self, assembly: Path, *, extra: Mapping[str, str] | None = None, listener: Listener | None = None) -> Cdk:
        """Return the CDK command line for this account."""
        return Cdk(
            env=self._name,
            environment={**self.account.environment(), **(extra or {})},
            log=self.run.log("cdk"),
            on_event=listener or _ignore,
            assembly=assembly,
        )

    def kubectl(self, *arguments: str) -> str:
        """Return what the layer's kubectl prints, as an administrator; ``ServerError`` with its message."""
        done = subprocess.run(
            [str(kubectl_of(self._tools)), *arguments],
            env={**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=_KUBECTL_SECONDS,
            check=False,
        )
        if done.returncode:
            raise ServerError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def _start(self, stack: ExitStack) -> None:
        os.environ.setdefault("SFN_WAIT_SCALE", _WAIT_SCALE)
        stack.enter_context(self._webhook)
        stack.enter_context(self.cluster)
        stack.enter_context(self.account)
        api = self.cluster.api
        stack.enter_context(NodeSimulator(run=self.run, api=api, account=self.account))
        stack.enter_context(CsiSimulator(run=self.run, api=api))
        always = not self._controller_has_chart
        stack.enter_context(InstalledLoadBalancers(run=self.run, api=api, region=self.env.region, always=always))
        stack.enter_context(InstalledOperator(run=self.run, cluster=self.cluster, account=self.account))


def _ignore(_event: StackEvent) -> None:
    """Nothing is shown of a stack's events."""
