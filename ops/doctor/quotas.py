"""Whether the account may have as much as the environment takes."""

from __future__ import annotations

from collections.abc import Iterator

from ops.doctor import facts as known
from ops.doctor.facts import Allowance, Facts, Quota, Unread
from ops.doctor.findings import Finding, advice, blocks, not_checked, ok
from settings import Environment
from settings.needs import Needs, builds_needed

_LATE = "Nodes that cannot start fail the Eks stack after 15 minutes or more, when MSK is up and billed"


def quotas(env: Environment, needs: Needs, facts: Facts) -> Iterator[Finding]:
    """Yield whether as much is free of each quota as the environment takes of it."""
    for quota, needed, most, why in (
        (known.VCPUS, needs.on_demand_vcpus, needs.on_demand_vcpus_at_most, _LATE),
        (known.SPOT_VCPUS, needs.spot_vcpus, needs.spot_vcpus_at_most, _LATE),
        (known.ELASTIC_IPS, needs.elastic_ips, 0, "Each NAT gateway of the Network stack has one"),
        (known.VPCS, needs.vpcs, 0, "The Network stack makes a VPC"),
        (
            known.NETWORK_LOAD_BALANCERS,
            needs.network_load_balancers,
            0,
            "Milvus's load balancer would never get an address, and the Milvus stack would wait for it in vain",
        ),
        (
            known.APPLICATION_LOAD_BALANCERS,
            needs.application_load_balancers,
            0,
            "Attu's load balancer would never get an address, and the Milvus stack would wait for it in vain",
        ),
    ):
        if needed:
            yield _quota(env, quota, facts.allowances[quota], needed=needed, most=most, why=why)


def _quota(env: Environment, quota: Quota, has: Allowance, *, needed: int, most: int, why: str) -> Finding:
    check = "quotas"
    if isinstance(has.quota, Unread):
        return not_checked(check, f"{quota.name}: {needed} needed, how many are allowed is unknown", has.quota)
    if isinstance(has.used, Unread) and has.quota >= needed:
        what = f"{quota.name}: {needed} needed, {has.quota} allowed, how many are in use is unknown"
        return not_checked(check, what, has.used)
    used = 0 if isinstance(has.used, Unread) else has.used
    what = f"{quota.name}: {needed} needed, {max(has.quota - used, 0)} free ({used} of {has.quota} in use)"
    if used + needed > has.quota:
        return blocks(check, what, why=why, remedy=_ask_for(env, quota, used + needed))
    if used + most > has.quota:
        why = f"With every group at its max_size, {most} are needed; to replace nodes takes more for a while"
        return advice(check, what, why=why, remedy=_ask_for(env, quota, used + most))
    return ok(check, what)


def _ask_for(env: Environment, quota: Quota, wanted: int) -> str:
    return (
        f"Ask AWS for {wanted}, which may take days: `aws service-quotas request-service-quota-increase --service-code "
        f"{quota.service} --quota-code {quota.code} --desired-value {wanted} --region {env.region}`"
    )


def lambda_executions(env: Environment, needs: Needs, facts: Facts) -> Iterator[Finding]:
    """Yield whether the functions of a deployment may run at the same time."""
    allowed, quota = facts.lambda_executions, known.LAMBDA_EXECUTIONS
    what = f"{quota.name}: {needs.lambda_executions} needed"
    if isinstance(allowed, Unread):
        yield not_checked("quotas", f"{what}, how many are allowed is unknown", allowed)
    elif allowed < needs.lambda_executions:
        yield blocks(
            "quotas",
            f"{what}, {allowed} allowed",
            why="Functions that send objects to the cluster are refused (TooManyRequestsException), and their stack "
            "rolls back",
            # AWS's default for an account that is not new.
            remedy=_ask_for(env, quota, 1000) + ", or release reserved concurrency of other functions",
        )
    else:
        yield ok("quotas", f"{what}, {allowed} allowed")


def builds(file: str, env: Environment, facts: Facts) -> Iterator[Finding]:
    """Yield whether pipelines that deploy the environment may run their builds side by side."""
    check, quota = "pipeline", known.BUILDS
    if isinstance(facts.pipelines, Unread):
        yield not_checked(check, f"Whether a pipeline deploys {file} is unknown", facts.pipelines)
        return
    for name, pipeline in facts.pipelines.items():
        needed = builds_needed(file, env, pipeline)
        what = f"{quota.name}: {needed} needed by {name}.yaml"
        if not needed:
            continue
        if isinstance(facts.builds, Unread):
            yield not_checked(check, f"{what}, how many are allowed is unknown", facts.builds)
        elif facts.builds < needed:
            yield advice(
                check,
                f"{what}, {facts.builds} allowed",
                why="Gates run side by side, and the verification waits for a build of its own: the pipeline would "
                "fail or wait in vain. A deployment by hand needs none",
                remedy=_ask_for(env, quota, needed),
            )
        else:
            yield ok(check, f"{what}, {facts.builds} allowed")
