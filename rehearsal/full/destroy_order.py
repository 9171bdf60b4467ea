"""Notes in which order load balancers and their controller go when everything is destroyed."""

from __future__ import annotations

import threading
import time
from typing import Self

from rehearsal.full.account_simulators import CONTROLLER
from rehearsal.full.checks import expect
from rehearsal.servers.api import Api, ApiError


class DestroyOrder:
    """Watches Services and Ingresses with load balancers, and their controller, for the length of a ``with`` block."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._gone: dict[str, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="destroy-watch", daemon=True)
        self._wanted = [f"{kind}/{ns}/{name}" for kind, ns, name in self._balanced()]
        self._controller = f"Deployment/kube-system/{CONTROLLER}"
        if self._exists(self._controller):
            self._wanted.append(self._controller)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(60)
        self._note()

    def order(self) -> str:
        """Return what went when. ``CheckError`` when the controller went before what it has to delete."""
        expect(set(self._wanted) == set(self._gone), f"still there: {set(self._wanted) - set(self._gone)}")
        last = self._gone.get(self._controller, float("inf"))
        for name, moment in self._gone.items():
            expect(name == self._controller or moment <= last, f"{name} went after its controller")
        names = sorted(self._gone, key=self._gone.__getitem__)
        if not names:
            return "nothing had asked for a load balancer"
        return f"gone in this order: {', '.join(names)}"

    def _balanced(self) -> list[tuple[str, str, str]]:
        services = [item for item in self._api.objects("Service") if item["spec"].get("type") == "LoadBalancer"]
        found = [("Service", item) for item in services]
        found += [("Ingress", item) for item in self._api.objects("Ingress")]
        return [(kind, item["metadata"]["namespace"], item["metadata"]["name"]) for kind, item in found]

    def _exists(self, path: str) -> bool:
        kind, namespace, name = path.split("/")
        return self._api.get(kind, name, namespace=namespace) is not None

    def _note(self) -> None:
        for path in self._wanted:
            if path not in self._gone and not self._exists(path):
                self._gone[path] = time.monotonic()

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            try:
                self._note()
            except ApiError:
                continue
