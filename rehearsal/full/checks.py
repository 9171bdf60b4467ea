"""What a deployed environment must show in the cluster; each check returns what it saw, or raises ``CheckError``."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from charts.names import KAFKA_SECRET, ROOT_SECRET, SECRETS_SERVICE_ACCOUNT, SERVICE_ACCOUNT, STORAGE_CLASS
from charts.workloads import Workload, component_labels, etcd_labels, etcd_name, workloads
from rehearsal.full.site import Site
from rehearsal.servers.api import ApiError, Object
from rehearsal.servers.process import ServerError
from settings.output_keys import KAFKA_SECRET_ARN, ROOT_SECRET_ARN
from settings.parts import Part
from settings.rollout import is_rolled_out, wanted_pods

_ZONE = "topology.kubernetes.io/zone"
_SECONDS = 90


class CheckError(ServerError):
    """Something in the cluster is not as designed; the message names it."""


def expect(condition: object, message: str) -> None:
    """Raise ``CheckError`` with the message unless the condition holds."""
    if not condition:
        raise CheckError(message)


def wait_for(done: Callable[[], bool], what: str, *, seconds: float = _SECONDS) -> None:
    """Wait until ``done``; ``CheckError`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not done():
        expect(time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s")
        time.sleep(0.5)


class Checks:
    """The checks of one deployed environment."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._env = site.env
        self._api = site.cluster.api
        self._namespace = site.env.milvus.namespace

    def workloads(self) -> str:
        """Every deployment of the settings is there, and no other, available with the replicas of the settings."""
        wanted = workloads(self._env)
        for workload in wanted:
            wait_for(lambda workload=workload: self._rolled_out(workload), f"{workload.name} available")  # type: ignore[misc]  # a lambda infers no type from a default
        for kind in ("Deployment", "StatefulSet"):
            names = {item["metadata"]["name"] for item in self._objects(kind)}
            expected = {workload.name for workload in wanted if workload.kind == kind}
            expect(names == expected, f"{kind}s are {sorted(names)}, the settings ask for {sorted(expected)}")
        return self._site.kubectl("get", "deployment", "-n", self._namespace).rstrip()

    def claims(self) -> str:
        """Etcd's claims are bound to volumes of our StorageClass, each in another zone as far as there are zones."""
        claims = self._objects("PersistentVolumeClaim")
        members = self._env.milvus.etcd.replicas
        expect(len(claims) == members, f"{len(claims)} claims for {members} members of etcd")
        zones = set()
        for claim in claims:
            name, spec = claim["metadata"]["name"], claim["spec"]
            expect(claim["status"]["phase"] == "Bound", f"claim {name} is {claim['status']['phase']}")
            expect(
                spec["storageClassName"] == STORAGE_CLASS, f"claim {name} has the class {spec.get('storageClassName')}"
            )
            volume = self._api.get("PersistentVolume", spec["volumeName"]) or {}
            (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
            zones.add(term["matchExpressions"][0]["values"][0])
        most = min(members, len(self._env.network.zones))
        expect(len(zones) == most, f"etcd's volumes are in {sorted(zones)}, not in {most} zones")
        return f"{len(claims)} claims bound to {STORAGE_CLASS}, in {', '.join(sorted(zones))}"

    def disruption(self) -> str:
        """Prove that a drain takes one pod of several and is refused the second; a single pod may go."""
        return "\n".join(self._drained(workload) for workload in workloads(self._env))

    def _drained(self, workload: Workload) -> str:
        """Evict pods of one workload while no node takes new ones, as in the middle of a drain; then wait for it."""
        pods = [pod["metadata"]["name"] for pod in self._pods(self._labels(workload))]
        expect(len(pods) == workload.replicas, f"{workload.name} has the pods {pods}")
        self._cordon(on=True)
        try:
            self._api.evict(pods[0], namespace=self._namespace)
            if workload.replicas > 1:
                seen = self._refused(workload, pods[1])
            else:
                seen = f"{workload.name}: its only pod may go (no budget)"
        finally:
            self._cordon(on=False)
        wait_for(lambda: self._rolled_out(workload), f"{workload.name} back after the eviction")
        return seen

    def network_policies(self) -> str:
        """Everything is closed, and every pod is opened by a policy that selects it; no policy selects nothing."""
        policies = {item["metadata"]["name"]: item["spec"] for item in self._objects("NetworkPolicy")}
        wanted = {"default-deny", "milvus", "milvus-clients", "etcd"}
        if self._env.milvus.attu.exposure != "off":
            wanted |= {"attu", "milvus-attu"}
        expect(set(policies) == wanted, f"policies are {sorted(policies)}, designed are {sorted(wanted)}")
        closed = policies.pop("default-deny")
        expect(closed["podSelector"] == {} and not closed.get("ingress"), "default-deny does not close every pod")
        pods = self._objects("Pod")
        opened = set()
        for name, spec in policies.items():
            chosen = {pod["metadata"]["name"] for pod in pods if _selects(spec["podSelector"], pod)}
            expect(chosen, f"policy {name} selects no pod")
            opened |= chosen
        left = sorted({pod["metadata"]["name"] for pod in pods} - opened)
        expect(not left, f"no policy but default-deny selects {', '.join(left)}")
        return f"{', '.join(sorted(policies))} select all {len(pods)} pods; the rest is closed"

    def identities(self) -> str:
        """Each service account names a role of the account that trusts exactly this account's token."""
        iam = self._site.account.client("iam")
        seen = []
        for name in (SERVICE_ACCOUNT, SECRETS_SERVICE_ACCOUNT):
            found = self._api.get("ServiceAccount", name, namespace=self._namespace)
            if found is None and name == SECRETS_SERVICE_ACCOUNT and self._env.queue.kind != "msk":
                continue
            expect(found is not None, f"service account {name} is missing")
            arn = (found or {})["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
            role = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]
            document = role["AssumeRolePolicyDocument"]
            trust = json.loads(document) if isinstance(document, str) else document
            claims = self._token_claims(name)
            issuer = str(claims["iss"]).removeprefix("https://")
            wanted = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": claims["sub"]}
            (statement,) = trust["Statement"]
            given = {key: value for block in statement["Condition"].values() for key, value in block.items()}
            expect(given == wanted, f"role {arn} trusts {given}, the token of {name} says {wanted}")
            seen.append(f"{name}: {arn} trusts {claims['sub']}")
        others = {
            pod["metadata"]["name"]: pod["spec"].get("serviceAccountName")
            for label in self._env.component_names
            for pod in self._pods(component_labels(self._env, label))
            if pod["spec"].get("serviceAccountName") != SERVICE_ACCOUNT
        }
        expect(not others, f"pods of Milvus run as another service account: {others}")
        return "\n".join(seen)

    def requests(self) -> str:
        """No container of the release without requests of CPU and memory.

        Init containers that merge configuration files get none from the chart, and have no setting for it.
        """
        pods = self._objects("Pod")
        bare = set()
        for pod in pods:
            for container in pod["spec"]["containers"]:
                where = f"pod {pod['metadata']['name']} container {container['name']}"
                requests = _requests(container)
                expect({"cpu", "memory"} <= requests, f"{where} requests only {sorted(requests)}")
            inits = pod["spec"].get("initContainers", [])
            bare |= {container["name"] for container in inits if not {"cpu", "memory"} <= _requests(container)}
        but = f"; init containers without: {', '.join(sorted(bare))} (the chart's)" if bare else ""
        return f"{len(pods)} pods, every container with requests of CPU and memory{but}"

    def zones(self) -> str:
        """Workloads with several pods stand in as many zones as they can."""
        zones = {node["metadata"]["name"]: node["metadata"]["labels"][_ZONE] for node in self._api.objects("Node")}
        seen = []
        for workload in workloads(self._env):
            if workload.replicas < 2:
                continue
            placed = [zones[pod["spec"]["nodeName"]] for pod in self._pods(self._labels(workload))]
            most = min(workload.replicas, len(self._env.network.zones))
            expect(len(set(placed)) == most, f"{workload.name} stands in {sorted(placed)}, not in {most} zones")
            seen.append(f"{workload.name}: {', '.join(sorted(placed))}")
        return "\n".join(seen) or "every workload has one pod"

    def secrets(self) -> str:
        """Prove that the operator copied the generated secrets, unchanged, by its service account's role."""
        manager = self._site.account.client("secretsmanager")
        wanted = {}
        if self._env.queue.kind == "msk":
            wanted[KAFKA_SECRET] = self._site.outputs(Part.STREAMING)[KAFKA_SECRET_ARN]
        if self._env.milvus.authorization:
            wanted[ROOT_SECRET] = self._site.outputs(Part.MILVUS)[ROOT_SECRET_ARN]
        for name, arn in wanted.items():
            wait_for(lambda name=name: self._secret(name) is not None, f"Secret {name} written by the operator")  # type: ignore[misc]  # a lambda infers no type from a default
            value = json.loads(manager.get_secret_value(SecretId=arn)["SecretString"])
            copied = self._secret(name) or {}
            expect(all(value[key] == text for key, text in copied.items()), f"Secret {name} differs from {arn}")
            expect(copied, f"Secret {name} is empty")
        return f"{', '.join(wanted)} as in Secrets Manager"

    def secret(self, name: str) -> dict[str, str]:
        """Return the decoded values of a Kubernetes Secret of the namespace; ``CheckError`` when it does not exist."""
        found = self._secret(name)
        expect(found is not None, f"Secret {name} does not exist")
        return found or {}

    def _secret(self, name: str) -> dict[str, str] | None:
        found = self._api.get("Secret", name, namespace=self._namespace)
        if found is None:
            return None
        return {key: base64.b64decode(value).decode() for key, value in found.get("data", {}).items()}

    def _refused(self, workload: Workload, pod: str) -> str:
        try:
            self._api.evict(pod, namespace=self._namespace)
        except ApiError as error:
            expect(error.status == 429, f"evicting a second pod of {workload.name}: {error}")
            return f"{workload.name}: one of {workload.replicas} may go, the second is refused (429)"
        raise CheckError(f"a second pod of {workload.name} could be evicted while the first was away")

    def _rolled_out(self, workload: Workload) -> bool:
        found = self._api.get(workload.kind, workload.name, namespace=self._namespace)
        if found is None:
            return False
        return wanted_pods(found) == workload.replicas and is_rolled_out(found)

    def _labels(self, workload: Workload) -> dict[str, str]:
        if workload.name == etcd_name(self._env):
            return etcd_labels(self._env)
        return component_labels(self._env, workload.component)

    def _pods(self, labels: dict[str, str]) -> list[Object]:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = self._api.objects("Pod", namespace=self._namespace, labels=selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def _objects(self, kind: str) -> list[Object]:
        return self._api.objects(kind, namespace=self._namespace)

    def _cordon(self, *, on: bool) -> None:
        for node in self._api.objects("Node"):
            self._api.patch("Node", node["metadata"]["name"], {"spec": {"unschedulable": on}})

    def _token_claims(self, account: str) -> dict[str, Any]:
        """Return the claims of a token as the service account's pods get one for AWS."""
        path = f"api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token"
        wanted = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": ["sts.amazonaws.com"]},
        }
        payload = self._api.request("POST", path, wanted)["status"]["token"].split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims


def _requests(container: Object) -> set[str]:
    return set(container.get("resources", {}).get("requests", {}))


def _selects(selector: dict[str, Any], pod: Object) -> bool:
    labels = pod["metadata"].get("labels", {})
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    return all(_matches(rule, labels) for rule in selector.get("matchExpressions", []))


def _matches(rule: dict[str, Any], labels: dict[str, str]) -> bool:
    values: Iterable[str] = rule.get("values", [])
    present = rule["key"] in labels
    match rule["operator"]:
        case "In":
            return present and labels[rule["key"]] in values
        case "NotIn":
            return not present or labels[rule["key"]] not in values
        case "Exists":
            return present
        case _:
            return not present
