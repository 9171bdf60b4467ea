"""CloudFormation's own calls: each is judged for whoever deploys the stack, before the resource is touched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rehearsal.account import schemas
from rehearsal.account.authority import needed, targets
from rehearsal.account.authority.deployer import Deployers
from rehearsal.account.authority.engine import Engine
from rehearsal.account.authority.operation import Operation, Properties
from rehearsal.account.refusals import service_fault

Call = Callable[..., Any]


class Stacks:
    """Stands between the emulator's CloudFormation and its handlers."""

    def __init__(self, engine: Engine, deployers: Deployers) -> None:
        self._engine = engine
        self._deployers = deployers

    def install(self, provisioners: Any) -> None:
        """Take the place of the functions that call the handlers, in every module that has taken them by name."""
        for name, wrapped in (
            ("_provision_resource", self._creating),
            ("_update_resource", self._updating),
            ("_delete_resource", self._deleting),
        ):
            original = getattr(provisioners, name)
            replacement = wrapped(original)
            for module in list(sys.modules.values()):
                if getattr(module, "__name__", "").startswith("ministack.") and getattr(module, name, None) is original:
                    setattr(module, name, replacement)

    def judge(self, operation: Operation) -> None:
        """Refuse an operation that its deployer may not have done.

        Raises:
            ResourceError: In CloudFormation's words, with principal, action and resource.
        """
        key = self._deployers.key(operation.stack)
        if key is None:
            return
        for action in needed.actions(operation):
            for resource, keys in targets.targets(action, operation):
                if why := self._engine.may(key, action, region=operation.region, resource=resource, keys=keys):
                    service = action.partition(":")[0].capitalize()
                    raise service_fault(service, why, status=403, code="AccessDenied")

    def _creating(self, create: Call) -> Call:
        def judged(type_name: str, logical_id: str, properties: Properties, stack: str) -> Any:
            self.judge(_operation("create", type_name, logical_id, stack, properties))
            return create(type_name, logical_id, properties, stack)

        return judged

    def _updating(self, update: Call) -> Call:
        def judged(
            type_name: str, physical_id: str, old: Properties, new: Properties, stack: str, *rest: Any, **more: Any
        ) -> Any:
            if old != new:
                logical_id = rest[0] if rest and isinstance(rest[0], str) else more.get("logical_id") or physical_id
                given = {"physical_id": physical_id, "previous": old}
                self.judge(_operation("update", type_name, logical_id, stack, new, **given))
                if any(old.get(name) != new.get(name) for name in schemas.replacing(type_name)):
                    self.judge(_operation("create", type_name, logical_id, stack, new))
            return update(type_name, physical_id, old, new, stack, *rest, **more)

        return judged

    def _deleting(self, delete: Call) -> Call:
        def judged(
            type_name: str, physical_id: str, properties: Properties, stack: str = "", logical_id: str = ""
        ) -> Any:
            given = {"physical_id": physical_id}
            if stack:
                self.judge(_operation("delete", type_name, logical_id or physical_id, stack, properties or {}, **given))
            return delete(type_name, physical_id, properties, stack, logical_id)

        return judged


def _operation(
    kind: str, type_name: str, logical_id: str, stack: str, properties: Properties, **more: Any
) -> Operation:
    from ministack.core import responses  # noqa: PLC0415 - holds the request's account and region

    return Operation(
        kind=kind,
        type_name=type_name,
        logical_id=logical_id,
        stack=stack,
        properties=properties,
        region=responses.get_region(),
        account=responses.get_account_id(),
        **more,
    )
