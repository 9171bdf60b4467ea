"""Whether names that the environment will give are free, and its stacks in a state to deploy over."""

from __future__ import annotations

from collections.abc import Iterator

from ops.doctor.facts import Facts, Maybe, StackState, Unread
from ops.doctor.findings import Finding, advice, blocks, not_checked, ok
from settings import Environment
from settings.parts import Part, stack_name

_STACKS, _NAMES = "stacks", "names"
# The CDK deletes a stack in one of these before it deploys it: a failed first deployment leaves nothing to update.
_FAILED_FIRST = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
# A change set that nobody has executed: nothing was made.
_ABSENT = ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")


def names(env: Environment, facts: Facts) -> Iterator[Finding]:
    """Yield what stands in the way of the environment's names."""
    free, there = [], []
    for name, stack in facts.stacks.items():
        if isinstance(stack, Unread):
            yield not_checked(_STACKS, f"The state of {name} is unknown", stack)
        elif stack is None or stack.state in _ABSENT:
            free.append(name)
        elif found := _stuck(env, name, stack):
            yield found
        else:
            there.append(name)
    if free:
        yield ok(_STACKS, f"Not deployed yet: {', '.join(free)}")
    if there:
        yield ok(_STACKS, f"Deployed already: {', '.join(there)}")
    yield from _taken_names(env, facts)
    yield from _secrets(facts)


def _stuck(env: Environment, name: str, stack: StackState) -> Finding | None:
    what = f"{name} is {stack.state}"
    if stack.state.endswith("_IN_PROGRESS"):
        return blocks(_STACKS, what, why="Somebody deploys or destroys it now", remedy="Wait until that has ended")
    if stack.state in _FAILED_FIRST and stack.protected:
        return blocks(
            _STACKS,
            f"{what}, with termination protection",
            why="Its first deployment failed; the CDK has to delete it first, which the protection refuses",
            remedy=f"`aws cloudformation update-termination-protection --no-enable-termination-protection "
            f"--stack-name {name} --region {env.region}`",
        )
    if stack.state in _FAILED_FIRST:
        return advice(
            _STACKS,
            what,
            why="Its first deployment failed; the next one deletes the stack and makes it anew",
            remedy="Mend what failed before: its events name it",
        )
    if stack.state == "DELETE_FAILED":
        return blocks(
            _STACKS, what, why="Nothing can be deployed over it", remedy="Delete it once more; its events say what held"
        )
    if stack.state == "UPDATE_ROLLBACK_FAILED":
        return blocks(
            _STACKS,
            what,
            why="Nothing can be deployed over it",
            remedy=f"`aws cloudformation continue-update-rollback --stack-name {name} --region {env.region}`",
        )
    return None


def _taken_names(env: Environment, facts: Facts) -> Iterator[Finding]:
    yield from _taken(
        facts,
        stack_name(env, Part.EKS),
        taken=facts.eks_cluster,
        what=f"EKS cluster {env.name}",
        why="A second one of this name cannot be made",
        remedy="Delete it, or choose another `name` in the file",
    )
    if env.queue.kind == "msk":
        yield from _taken(
            facts,
            stack_name(env, Part.STREAMING),
            taken=facts.msk_cluster,
            what=f"MSK cluster {env.name}",
            why="A second one of this name cannot be made",
            remedy="Delete it, or choose another `name` in the file",
        )


def _taken(facts: Facts, stack: str, *, taken: Maybe[bool], what: str, why: str, remedy: str) -> Iterator[Finding]:
    state = facts.stacks[stack]
    if isinstance(taken, Unread):
        yield not_checked(_NAMES, f"Whether there is an {what} already is unknown", taken)
    elif not taken:
        yield ok(_NAMES, f"There is no {what} yet")
    elif isinstance(state, Unread):
        yield not_checked(_NAMES, f"Whether the {what} is of {stack} is unknown", state)
    elif state is not None and state.state not in {*_FAILED_FIRST, *_ABSENT}:
        yield ok(_NAMES, f"The {what} is of {stack}")
    else:
        yield blocks(_NAMES, f"There is an {what} already, and {stack} did not make it", why=why, remedy=remedy)


def _secrets(facts: Facts) -> Iterator[Finding]:
    waiting = facts.waiting_secrets
    if isinstance(waiting, Unread):
        yield not_checked(
            _NAMES, "Whether secrets of an earlier deployment wait for their deletion is unknown", waiting
        )
    elif waiting:
        yield advice(
            _NAMES,
            f"Waiting for their deletion: {', '.join(waiting)}",
            why="They are of an earlier deployment, and their names are not needed: each deployment has its own",
            remedy="Nothing; `aws secretsmanager restore-secret` brings one back",
        )
