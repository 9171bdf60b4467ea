"""A plan as a settings file, with comments that say why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from ops.cost.assembly import checkout
from ops.cost.report import Source, bills_of
from ops.errors import ExitCode, OpsError
from ops.size.components import ZONES, Pods, etcd_volume_gib
from ops.size.nodes import QUERY, Group
from ops.size.plan import BROKERS, Plan
from settings import SettingsError, parse_environment
from settings.cluster import MOST_NODES
from settings.loader import ENVIRONMENTS

_TAINT = "milvus-query"
_PREFIXES = (20, 19, 18)


def write(plan: Plan, path: Path) -> None:
    """Write the settings file of a plan.

    Raises:
        OpsError: There is a file already, the folder cannot be written to, or the name is none for an environment.
    """
    refuse_existing(path)
    text = text_of(plan, path.stem)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OpsError(
            f"--write: cannot write {path}: {error.strerror}", remedy="Name another path", code=ExitCode.USAGE
        ) from error


def whole_bill(plan: Plan, path: Path) -> float | None:
    """Return what `milvus-ops cost` says of a file that the app knows, USD a month; None of one that it does not.

    Raises:
        OpsError: The app cannot synthesize it.
    """
    if checkout() is None or path.resolve().parent != ENVIRONMENTS.resolve():
        return None
    bills = bills_of(Source.load(term=plan.work.term), environment=path.stem)
    return sum(bill.total for bill in bills)


def refuse_existing(path: Path) -> None:
    """Raise the error for a file that is there already: it may be an environment that is deployed."""
    if path.exists():
        raise OpsError(
            f"--write: {path} is there already", remedy="Name another file, or remove it first", code=ExitCode.USAGE
        )


def text_of(plan: Plan, name: str) -> str:
    """Return the file's text, which the loader of settings accepts.

    Raises:
        OpsError: The loader refuses it, such as for its name.
    """
    problems: list[str] = []
    for prefix in _PREFIXES:
        text = "\n".join(_lines(plan, name, prefix)) + "\n"
        try:
            parse_environment(yaml.safe_load(text), source=f"{name}.yaml")
        except SettingsError as error:
            problems = [str(problem) for problem in error.problems]
            # Larger subnets are the one thing that a plan of many nodes may lack.
            if all(problem.startswith("network.") for problem in problems):
                continue
            break
        return text
    raise OpsError(f"--write: {'; '.join(problems)}", remedy="Name another file", code=ExitCode.USAGE)


def _lines(plan: Plan, name: str, prefix: int) -> Iterator[str]:
    work = plan.work
    load = work.load
    survives = {"none": "nothing", "node": "the loss of a node", "zone": "the loss of a zone"}[work.survive]
    yield "# yaml-language-server: $schema=schema.json"
    yield (
        f"# Made by `milvus-ops size` for {work.vectors:,} vectors of {work.dim} dimensions in {work.index.name}"
        f"{f', growing by {work.growth} %' if work.growth else ''}: it survives {survives}."
    )
    yield f"# Load memory of each of {work.copies} copies: {load.memory_gib:.1f} GiB."
    yield "# What each setting means: docs/settings.md"
    yield f"name: milvus-{name}"
    yield f"region: {work.region}"
    yield ""
    yield "network:"
    if work.survive == "zone":
        yield "  # With one gateway alone, the loss of its zone would end the credentials of the pods in all others."
    yield f"  nat: {'per-zone' if work.survive == 'zone' else 'single'}"
    yield f"  private_subnet_prefix: {prefix}"
    yield ""
    yield "cluster:"
    yield "  node_groups:"
    for group in plan.groups:
        yield from _group(group, spot=work.spot and group.name == QUERY)
    yield ""
    yield from _queue(plan)
    yield ""
    yield "milvus:"
    yield f'  line: "{work.line}"'
    yield f"  active_standby: {str(work.survive != 'none').lower()}"
    yield "  components:"
    etcd = None
    for group in plan.groups:
        for pods in group.pods:
            if pods.name == "etcd":
                etcd = (group, pods)
            else:
                yield f"    # {pods.why}."
                yield f"    {pods.name}: {{{_resources(pods)}, node_group: {group.name}}}"
    if etcd:
        group, pods = etcd
        yield f"  etcd: {{{_resources(pods)}, volume_gib: {etcd_volume_gib(work)}, node_group: {group.name}}}"


def _resources(pods: Pods) -> str:
    disk = f", disk_gib: {pods.disk_gib}" if pods.disk_gib else ""
    return f"replicas: {pods.replicas}, cpu: {pods.cpu:g}, memory_gib: {pods.memory_gib:g}{disk}"


def _group(group: Group, *, spot: bool) -> Iterator[str]:
    what = ", ".join(f"{pods.replicas} x {pods.name}" for pods in group.pods)
    cpu, memory = group.room
    yield f"    # For {what}; a node has {cpu:.2f} CPU and {memory:.1f} GiB for pods."
    yield f"    {group.name}:"
    yield f"      instance_types: [{group.priced.kind.name}]"
    yield f"      min_size: {group.nodes}"
    yield f"      desired_size: {group.nodes}"
    yield f"      max_size: {min(MOST_NODES, group.nodes + ZONES)}"
    yield f"      disk_gib: {group.disk_gib}"
    if group.local_storage:
        yield "      # The index is on the instances' own disks."
        yield "      local_storage: raid0"
    if spot:
        yield "      spot: true"
    if group.tainted:
        yield f"      taints: [{{key: role, value: {_TAINT}}}]"


def _queue(plan: Plan) -> Iterator[str]:
    work = plan.work
    yield "queue:"
    yield f"  kind: {work.queue}"
    if work.queue == "woodpecker":
        if work.line == "2.6":
            yield "  preview: true  # as Woodpecker is in Milvus 2.6"
        return
    volume = work.broker_volume_gib
    yield f"  broker_type: {work.broker_type}"
    yield f"  brokers: {BROKERS}"
    yield f"  # {work.rows_per_second:g} rows of {work.row_bytes} bytes a second, for the 168 hours that they are kept."
    yield f"  storage: {{volume_gib: {volume}, max_gib: {max(100, 5 * volume)}}}"
