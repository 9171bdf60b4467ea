"""The deployment's own steps: deploy, deploy again, upgrade, a broken value, an outage, destroy."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from charts.workloads import etcd_name, workloads
from rehearsal.cdk import Cdk, CdkError, StackEvent
from rehearsal.driver import require_no_changes
from rehearsal.failure import Failure, RehearsalError, failures
from rehearsal.full.changes import BROKEN_IMAGE, broken, upgrade
from rehearsal.full.checks import Checks, expect, wait_for
from rehearsal.full.destroy_order import DestroyOrder
from rehearsal.full.site import Site
from rehearsal.leftovers import by_type, leftovers, no_strays, remaining_stacks, strays
from rehearsal.servers.api import Object
from rehearsal.variants import Variant

_OUTAGE_SECONDS = 240
_ETCD_STATE = "ETCD_INITIAL_CLUSTER_STATE"


class Deployment:
    """Deploys an environment into a site, changes it, breaks it, and destroys it.

    Args:
        site: where to.
        env_name: name of the environment's file.
        assembly: what was synthesized from it.
    """

    def __init__(self, *, site: Site, env_name: str, assembly: Path) -> None:
        self._site = site
        self._name = env_name
        self._assembly = assembly
        self._api = site.cluster.api
        self._namespace = site.env.milvus.namespace
        self._cloudformation = site.account.client("cloudformation")
        # The assembly and the checks of what is deployed now.
        self.current = site.cdk(assembly)
        self.checks = Checks(site)

    def bootstrap(self) -> str:
        """`cdk bootstrap`, as README prints it."""
        options = self._site.account.options
        self._run(lambda: self.current.bootstrap(options.account_id, options.region))
        return f"account {options.account_id}, {options.region}"

    def deploy(self) -> str:
        """All stacks from nothing."""
        self._run(self.current.deploy)
        return ", ".join(self._site.stacks)

    def deploy_without_milvus(self) -> str:
        """All stacks but Milvus's: its chart is not at hand."""
        return self._deploy_all_but_milvus(self._assembly)

    def _deploy_all_but_milvus(self, assembly: Path) -> str:
        names = [name for name in self._site.stacks if name != self._site.milvus_stack]
        # No documented command leaves a stack out: this one is the rehearsal's own, for a machine without the chart.
        options = ["--app", str(assembly), "--exclusively", "--require-approval", "never"]
        self._run(lambda: self.current.run(["cdk", "deploy", *names, *options]))
        return ", ".join(names)

    def deploy_again(self) -> str:
        """Prove that a second deployment changes nothing."""
        lines = self._run(self.current.deploy)
        require_no_changes(lines, self._site.stacks)
        return "no stack changed"

    def diff(self) -> str:
        """`make diff` shows nothing."""
        self._run(self.current.diff)
        return "no difference"

    def change(self, label: str, changes: Mapping[str, object], *, base: bool = False) -> str:
        """Deploy a changed environment, which concerns Milvus's stack alone and is what is deployed from then on."""
        variant, cdk = self.variant(label, changes, base=base)
        lines = self._run(cdk.deploy)
        self._only_milvus_changed(lines)
        self._site.env, self.current = variant.settings, cdk
        self.checks = Checks(self._site)
        return self.checks.workloads()

    def upgrade(self) -> str:
        """Another image tag and one proxy more: these change, and nothing else."""
        changes = upgrade(self._site.env)
        before = self._state()
        table = self.change("upgrade", changes)
        after = self._state()
        expect(after["kept"] == before["kept"], f"changed too: {_difference(before['kept'], after['kept'])}")
        images = {image for image in after["images"].values() if image}
        tag = f":v{self._site.env.milvus_version}"
        expect(all(image.endswith(tag) for image in images), f"images are {sorted(images)}, all should end in {tag}")
        for name, count in after["replicas"].items():
            more = 1 if name.endswith("-proxy") and len(changes) > 1 else 0
            expect(count == before["replicas"].get(name, 0) + more, f"{name} has {count} replicas")
        return f"{changes}; etcd, its volumes, the load balancer and the other stacks as before\n{table}"

    def break_it(self) -> str:
        """Prove that an image that never becomes ready fails the Milvus stack alone, which goes back to what worked."""
        before = self._state()
        times = self._changed_at()
        _, cdk = self.variant("broken", broken(), base=True)
        found = self.expect_failure(cdk)
        reason = next((entry for entry in found if "Readiness" in entry.resource), None)
        expect(reason is not None, f"not the readiness but something else failed: {[str(entry) for entry in found]}")
        text = reason.reason if reason else ""
        expect("ImagePullBackOff" in text, f"the reason does not name the image: {text}")
        expect({entry.stack for entry in found} == {self._site.milvus_stack}, f"other stacks failed too: {found}")
        status = self.status(self._site.milvus_stack)
        expect(status == "UPDATE_ROLLBACK_COMPLETE", f"{self._site.milvus_stack} is {status}")
        for name, moment in self._changed_at().items():
            expect(name == self._site.milvus_stack or moment == times[name], f"stack {name} was touched")
        self.checks.workloads()
        after = self._state()
        expect(after["images"] == before["images"], f"images after the rollback: {after['images']}")
        expect(not any(BROKEN_IMAGE in image for image in after["images"].values()), "the broken image is still there")
        return f"{self._site.milvus_stack} rolled back, others untouched. What the user reads: {text[:400]}"

    def outage(self) -> str:
        """Prove that a deployment without the API server fails by name, and that the next attempt passes."""
        # A network policy, which is applied before anything that waits for the API server.
        change = {"milvus.service_monitor": not self._site.env.milvus.service_monitor}
        variant, _ = self.variant("outage", change, base=True)
        server = self._site.cluster.apiserver
        back = threading.Event()

        def listen(event: StackEvent) -> None:
            if event.stack == self._site.milvus_stack and event.status.endswith("_FAILED"):
                back.set()

        def revive() -> None:
            back.wait(_OUTAGE_SECONDS)
            server.start()

        server.kill()
        thread = threading.Thread(target=revive, daemon=True)
        thread.start()
        try:
            cdk = self._site.cdk(variant.assembly, extra=variant.environment, listener=listen)
            found = self.expect_failure(cdk)
        finally:
            back.set()
            thread.join()
            server.wait_until(self._site.cluster.ready, seconds=60)
        texts = " ".join(entry.reason for entry in found)
        named = any(word in texts for word in ("unreachable", "refused", "did not answer", "connect"))
        expect(named, f"no reason names the API server: {texts[:400]}")
        status = self._recovered()
        self._run(self.current.deploy)
        self.checks.workloads()
        return f"failed with: {texts[:300]} ... Then {status}; once it answered again, the next `make deploy` passed"

    def destroy(self) -> str:
        """Everything goes in order, and what is left is what a template retains."""
        ids = [entry["StackId"] for entry in self._cloudformation.describe_stacks()["Stacks"]]
        if self._site.env.termination_protection:
            self._unprotect()
        watch = DestroyOrder(self._api)
        with watch:
            self._run(self.current.destroy)
        if left := remaining_stacks(self._cloudformation, self._site.stacks):
            raise RehearsalError(f"after make destroy these stacks are still there: {', '.join(left)}")
        retained = leftovers(self._cloudformation, ids)
        if found := strays(self._site.account.client, retained, existing=no_strays(self._site.env)):
            raise RehearsalError(f"left behind, and no template retains it: {', '.join(found)}")
        cluster = self._left_in_cluster()
        lines = [watch.order()]
        lines += [f"retained in the account: {len(names)} x {kind}" for kind, names in by_type(retained).items()]
        return "\n".join([*lines, cluster])

    def _unprotect(self) -> None:
        """Switch the protection off and deploy, as docs/destroy.md says."""
        variant, cdk = self.variant("unprotected", {"termination_protection": False}, base=True)
        if self._stack(self._site.milvus_stack):
            self._run(cdk.deploy)
        else:
            self._deploy_all_but_milvus(variant.assembly)
        self.current = cdk

    def _left_in_cluster(self) -> str:
        keeps = self._site.env.removal_policy == "retain"
        if not keeps:
            wait_for(lambda: self._api.get("Namespace", self._namespace) is None, f"namespace {self._namespace} gone")
            wait_for(lambda: not self._api.objects("PersistentVolume"), "volumes deleted")
        balanced = [item for item in self._api.objects("Service") if item["spec"].get("type") == "LoadBalancer"]
        left = [item["metadata"]["name"] for item in [*balanced, *self._api.objects("Ingress")]]
        expect(not left, f"still ask for a load balancer: {', '.join(left)}")
        pods = [item["metadata"]["name"] for item in self._api.objects("Pod")]
        expect(not pods, f"pods are left: {', '.join(pods)}")
        claims = [item["metadata"]["name"] for item in self._api.objects("PersistentVolumeClaim")]
        definitions = len(self._api.objects("CustomResourceDefinition"))
        kept = f"namespace {self._namespace} with {len(claims)} claims of etcd, " if keeps else ""
        return f"left in the cluster, which goes with it: {kept}{definitions} resource definitions of charts"

    def expect_failure(self, cdk: Cdk) -> list[Failure]:
        """Deploy what has to fail, and return what failed."""
        since = time.time()
        try:
            cdk.deploy()
        except CdkError:
            found = failures(self._cloudformation, self._site.stacks)
            return [entry for entry in found if _after(self._cloudformation, entry, since)]
        raise RehearsalError("the deployment passed, although it had to fail")

    def variant(self, label: str, changes: Mapping[str, object], *, base: bool = False) -> tuple[Variant, Cdk]:
        """Synthesize a changed environment; ``base`` changes come on top of the upgrade that is deployed."""
        all_changes = {**(self._deployed_changes() if base else {}), **changes}
        folder = self._site.run.folder / label
        variant = Variant(self._name, all_changes, folder)
        cdk = self._site.cdk(variant.assembly, extra=variant.environment)
        self._run(cdk.synth)
        return variant, cdk

    def _deployed_changes(self) -> dict[str, object]:
        milvus = self._site.env.milvus
        changes: dict[str, object] = {
            "milvus.version": self._site.env.milvus_version,
            "milvus.etcd.volume_gib": milvus.etcd.volume_gib,
        }
        if "proxy" in milvus.components.model_fields_set:
            changes["milvus.components.proxy.replicas"] = milvus.components.proxy.replicas
        return changes

    def _only_milvus_changed(self, lines: list[str]) -> None:
        others = [name for name in self._site.stacks if name != self._site.milvus_stack]
        require_no_changes(lines, others)

    def _state(self) -> dict[str, Any]:
        """Prove what an upgrade changes (images, replicas) and what it leaves alone."""
        images, replicas, kept = {}, {}, {}
        for item in self._api.objects("Deployment", namespace=self._namespace):
            name = item["metadata"]["name"]
            (container,) = item["spec"]["template"]["spec"]["containers"]
            replicas[name] = item["spec"]["replicas"]
            if name.endswith("-attu"):
                kept[name] = item["metadata"]["generation"]
            else:
                images[name] = container["image"]
        etcd = self._api.get("StatefulSet", etcd_name(self._site.env), namespace=self._namespace) or {}
        kept["etcd"] = _without_state(etcd["spec"])
        for kind in ("PersistentVolumeClaim", "Service", "Ingress", "ServiceAccount", "NetworkPolicy", "Secret"):
            for item in self._api.objects(kind, namespace=self._namespace):
                if item.get("type") != "helm.sh/release.v1":
                    kept[f"{kind} {item['metadata']['name']}"] = _essence(item)
        wanted = {workload.name for workload in workloads(self._site.env) if workload.kind == "Deployment"}
        expect(wanted <= set(replicas), f"deployments are {sorted(replicas)}")
        return {"images": images, "replicas": replicas, "kept": kept}

    def _recovered(self) -> str:
        """Bring a stack whose rollback failed too back, as an operator does with `cdk rollback`."""
        name = self._site.milvus_stack
        status = self.status(name)
        if status == "UPDATE_ROLLBACK_FAILED":
            self._cloudformation.continue_update_rollback(StackName=name)
            wait_for(lambda: self.status(name) == "UPDATE_ROLLBACK_COMPLETE", f"{name} rolled back")
            return "`cdk rollback` was needed"
        expect(status == "UPDATE_ROLLBACK_COMPLETE", f"{name} is {status}")
        return "the stack was rolled back"

    def _stack(self, name: str) -> dict[str, Any] | None:
        found = [entry for entry in self._cloudformation.describe_stacks()["Stacks"] if entry["StackName"] == name]
        return found[0] if found else None

    def status(self, name: str) -> str:
        """Return the state of a stack."""
        return str((self._stack(name) or {}).get("StackStatus"))

    def _changed_at(self) -> dict[str, str]:
        stacks = {name: self._stack(name) or {} for name in self._site.stacks}
        return {name: str(stack.get("LastUpdatedTime") or stack.get("CreationTime")) for name, stack in stacks.items()}

    def _run(self, command: Callable[[], list[str]]) -> list[str]:
        """Run a command of the CDK; its error becomes stack, resource and reason."""
        since = time.time()
        try:
            return command()
        except CdkError as error:
            found = [
                entry
                for entry in failures(self._cloudformation, [*self._site.stacks, "CDKToolkit"])
                if _after(self._cloudformation, entry, since)
            ]
            reasons = "\n".join(map(str, found)) or "\n".join(error.output[-15:])
            raise RehearsalError(f"{error}:\n{reasons}") from error


def _without_state(spec: dict[str, Any]) -> dict[str, Any]:
    """Etcd's StatefulSet but for the one variable that its chart changes at the first upgrade (new -> existing)."""
    copied: dict[str, Any] = copy.deepcopy(spec)
    for container in copied["template"]["spec"]["containers"]:
        container["env"] = [entry for entry in container.get("env", []) if entry["name"] != _ETCD_STATE]
    return copied


def _essence(item: Object) -> object:
    metadata = item["metadata"]
    return [metadata["uid"], item.get("spec"), metadata.get("annotations"), item.get("data")]


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    return ", ".join(name for name in sorted(set(before) | set(after)) if before.get(name) != after.get(name))


def _after(cloudformation: Any, failure: Failure, since: float) -> bool:  # noqa: ANN401 - a boto3 client
    """Whether a failure is one of this attempt: a stack's events keep those of earlier ones."""
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=failure.stack):
        for event in page["StackEvents"]:
            same = event.get("ResourceStatusReason") == failure.reason and event["ResourceStatus"] == failure.status
            if same and event["Timestamp"].timestamp() >= since - 1:
                return True
    return False
