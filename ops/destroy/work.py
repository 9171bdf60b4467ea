"""The whole of it: look, delete the stacks, look what is left, remove that."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from ops.destroy.items import Item, Plan
from ops.destroy.leftovers import Finder
from ops.destroy.removal import chosen, remove, require_left
from ops.destroy.run import Say, destroy, require_deletable
from ops.destroy.standing import ClientFactory, make_plan
from settings import Environment


class Outcome(BaseModel):
    """What was done, and what is left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deleted: tuple[str, ...]
    """Stacks."""
    removed: tuple[Item, ...]
    """What was dealt with of what was left; `done` says how."""
    left: tuple[Item, ...]
    notes: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether something that was to be removed is still there."""
        return any(item.done.startswith("not ") for item in self.removed)


def look(env: Environment, *, clients: ClientFactory) -> Plan:
    """Return what is there of an environment, and what is left of earlier deployments.

    Raises:
        OpsError: The credentials are of another account, or the stacks cannot be read.
    """
    plan = make_plan(env, clients=clients)
    finder = Finder(env, clients)
    return plan.model_copy(update={"left": (*plan.left, *finder.find(plan)), "notes": tuple(finder.notes)})


def work(
    env: Environment,
    plan: Plan,
    *,
    clients: ClientFactory,
    file: str,
    say: Say,
    leftovers: bool = False,
    data: Sequence[str] = (),
    pause: Callable[[float], None] | None = None,
) -> Outcome:
    """Delete the stacks of a plan, and remove what is left, if that is wanted.

    Args:
        env: The environment.
        plan: What was found of it.
        clients: Makes the boto3 client of a service.
        file: How an error names the environment's file.
        say: Hears of what happens.
        leftovers: Whether to remove what nobody wants.
        data: Ids of what was kept, and shall be removed too.
        pause: Waits for seconds, if not by sleeping.

    Raises:
        OpsError: Something named is not there, a stack is protected or busy, or cannot be deleted.
    """
    pause = pause or time.sleep
    require_left(plan.stays, data)
    require_deletable(plan, file=file)
    removed: list[Item] = []

    def sweep(also: Sequence[str] = ()) -> tuple[Item, ...]:
        finder = Finder(env, clients)
        now = make_plan(env, clients=clients)
        left = (*now.left, *finder.find(now))
        if leftovers:
            for item in remove(chosen(left, also), clients=clients, pause=pause):
                say(f"{item.kind} {item.id}: {item.done}")
                removed.append(item)
        notes[:] = finder.notes
        gone = {item.id for item in removed if item.done == "removed"}
        done = {item.id: item for item in removed}
        return tuple(done.get(item.id, item) for item in left if item.id not in gone)

    notes: list[str] = []
    destroy(env, plan, clients=clients, say=say, before_network=sweep if leftovers else None, pause=pause)
    left = sweep(data)
    return Outcome(
        deleted=tuple(stack.name for stack in plan.stacks), removed=tuple(removed), left=left, notes=tuple(notes)
    )
