"""Simulates the AWS Load Balancer Controller's effect on the API: addresses, finalizers, and their removal."""

from __future__ import annotations

import hashlib

from rehearsal.run import Run
from rehearsal.servers.api import Api, Object
from rehearsal.servers.simulator import Simulator

LOAD_BALANCER_CLASS = "service.k8s.aws/nlb"
INGRESS_CLASS = "alb"
SERVICE_FINALIZER = "service.k8s.aws/resources"
INGRESS_FINALIZER = "ingress.k8s.aws/resources"


class LoadBalancerSimulator(Simulator):
    """Gives each Service of class ``service.k8s.aws/nlb`` and each Ingress of class ``alb`` a host name.

    As the controller: it adds its finalizer first, and removes it once the object is being deleted. So when it is gone
    before them, Services and Ingresses hang: the order of a destroy is tested. Not simulated: load balancers.
    """

    name = "lb-simulator"

    def __init__(self, *, run: Run, api: Api, region: str = "us-east-1", dns_suffix: str = "amazonaws.com") -> None:
        super().__init__(run=run, api=api)
        self._region = region
        self._suffix = dns_suffix

    def step(self) -> None:
        """Take Services and Ingresses of the controller's classes one step further."""
        for service in self._api.objects("Service"):
            if service["spec"].get("loadBalancerClass") == LOAD_BALANCER_CLASS:
                self._reconcile("Service", service, SERVICE_FINALIZER, f"elb.{self._region}")
        for ingress in self._api.objects("Ingress"):
            if ingress["spec"].get("ingressClassName") == INGRESS_CLASS:
                self._reconcile("Ingress", ingress, INGRESS_FINALIZER, f"{self._region}.elb")

    def _reconcile(self, kind: str, item: Object, finalizer: str, domain: str) -> None:
        metadata = item["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        finalizers = metadata.get("finalizers", [])
        if "deletionTimestamp" in metadata:
            if finalizer in finalizers:
                left = [entry for entry in finalizers if entry != finalizer]
                self._api.patch(kind, name, {"metadata": {"finalizers": left}}, namespace=namespace)
                self.note(f"{kind} {namespace}/{name}: load balancer deleted")
            return
        if finalizer not in finalizers:
            change = {"metadata": {"finalizers": [*finalizers, finalizer]}}
            self._api.patch(kind, name, change, namespace=namespace)
        if not item.get("status", {}).get("loadBalancer", {}).get("ingress"):
            host = f"{_load_balancer_name(namespace, name)}.{domain}.{self._suffix}"
            status = {"status": {"loadBalancer": {"ingress": [{"hostname": host}]}}}
            self._api.patch(kind, name, status, namespace=namespace, subresource="status")
            self.note(f"{kind} {namespace}/{name}: {host}")


def _load_balancer_name(namespace: str, name: str) -> str:
    """Named as the controller does: k8s-<8 of namespace>-<8 of name>-<10 hexadecimal digits>."""
    digest = hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:10]
    return f"k8s-{namespace[:8]}-{name.replace('-', '')[:8]}-{digest}"
