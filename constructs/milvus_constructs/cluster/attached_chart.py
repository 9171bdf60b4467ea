"""Deploys the objects of a cdk8s chart to an EKS cluster, in the chart's own order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import yaml
from aws_cdk import RemovalPolicy
from aws_cdk import aws_eks_v2 as eks
from cdk8s import ApiObject, Chart
from constructs import Construct

from settings.contract import HELM_CHART_API, HELM_CHART_KIND

# Deleting a namespace deletes the volumes of its pods.
_HOLDS_DATA = "Namespace"
# Each object holds two of CDK's functions while it is applied, and a new account may run ten at once; what is refused
# is tried again for some two seconds only. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_AT_ONCE = 3


@dataclass(frozen=True)
class Attached:
    """An object of a chart, and the resource that deploys it."""

    manifest: dict[str, Any]
    """The object, with CDK tokens inside strings."""
    resource: Construct


class AttachedChart(Construct):
    """The objects of a cdk8s chart, as custom resources in the stack of ``scope``.

    A ``HelmChart`` object of ``helm.cattle.io/v1`` becomes a Helm release that is not waited for: waiting is bound to
    the 15 minutes of a Lambda function (aws-cdk#22257), and `ReleaseReadiness` does it instead. Every other object
    becomes a manifest. Dependencies of the chart become dependencies of the resources, so that they hold for deletion
    too. Each object also waits for the third before it: no more than three are sent to the cluster at once. CDK tokens
    inside strings stay intact.

    Example:
        >>> AttachedChart(stack, "Milvus", chart=chart, cluster=cluster, retain_data=True)
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, chart: Chart, cluster: eks.ICluster, retain_data: bool
    ) -> None:
        super().__init__(scope, construct_id)
        self._cluster = cluster
        self._retain_data = retain_data
        self._attached: dict[str, Attached] = {}
        for path, api_object, dependencies in _in_order(chart):
            attached = self._attach(api_object.to_json())
            waits_for = [self._attached[dependency].resource for dependency in dependencies]
            earlier = list(self._attached.values())
            if len(earlier) >= _AT_ONCE:
                waits_for.append(earlier[-_AT_ONCE].resource)
            attached.resource.node.add_dependency(*waits_for)
            self._attached[path] = attached

    def find(self, kind: str, name: str) -> Attached:
        """Return an object of the chart with the resource that it became.

        Raises:
            KeyError: The chart has no such object.
        """
        for attached in self._attached.values():
            if (attached.manifest["kind"], attached.manifest["metadata"]["name"]) == (kind, name):
                return attached
        raise KeyError(f"chart {self.node.id} has no {kind} {name}")

    def _attach(self, manifest: dict[str, Any]) -> Attached:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        construct_id = f"{kind}-{name}"
        if kind == HELM_CHART_KIND and manifest["apiVersion"] == HELM_CHART_API:
            return Attached(manifest, self._release(construct_id, name, manifest["spec"]))
        retained = self._retain_data and kind == _HOLDS_DATA
        resource = eks.KubernetesManifest(
            self,
            construct_id,
            cluster=self._cluster,
            manifest=[manifest],
            # Applied, not created: what an earlier stack retained, or a failed deployment left, is taken over.
            overwrite=True,
            # One object for each resource, so there is nothing to prune; and no label that the chart does not have.
            prune=False,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if retained else None,
        )
        return Attached(manifest, resource)

    def _release(self, construct_id: str, name: str, spec: Mapping[str, Any]) -> eks.HelmChart:
        return eks.HelmChart(
            self,
            construct_id,
            cluster=self._cluster,
            release=name,
            chart=spec["chart"],
            repository=_repository(spec),
            version=spec["version"],
            namespace=spec["targetNamespace"],
            create_namespace=False,
            values=values_of(spec),
            wait=False,
        )


def _repository(spec: Mapping[str, Any]) -> str | None:
    """Return the repository as CDK's handler wants it: from an OCI registry it pulls this very name, and no chart."""
    repository: str | None = spec.get("repo")
    if repository and repository.startswith("oci://"):
        return f"{repository.rstrip('/')}/{spec['chart']}"
    return repository


def values_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a ``HelmChart`` object: ``spec.values``, over those of ``spec.valuesContent`` (YAML)."""
    content: dict[str, Any] = yaml.safe_load(spec.get("valuesContent") or "{}")
    return {**content, **spec.get("values", {})}


def _in_order(chart: Chart) -> Iterator[tuple[str, ApiObject, list[str]]]:
    """Yield path, object and the paths that it depends on, dependencies first.

    Raises:
        ValueError: The objects depend on one another in a circle.
    """
    # Not `chart.api_objects`: that leaves out what stands inside constructs of the chart.
    # Nodes and paths are asked for once, and what is around or inside what is read from the paths: each question
    # crosses over to Node.
    root = chart.node
    nodes = {construct: construct.node for construct in root.find_all()}
    paths = {construct: node.path for construct, node in nodes.items()}
    objects = {path: construct for construct, path in paths.items() if isinstance(construct, ApiObject)}
    waits: dict[str, set[str]] = {path: set() for path in objects}
    for construct, path in paths.items():
        if construct is not chart:
            targets = [paths[target] for target in nodes[construct].dependencies if target in paths]
            for each in _inside(path, objects):
                waits[each].update(found for target in targets for found in _inside(target, objects))
    edges = {path: sorted(found - {path}) for path, found in waits.items()}
    try:
        order = list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        raise ValueError(
            f"chart {root.id}: objects depend on one another in a circle: {' -> '.join(error.args[1])}; remove "
            "one of the dependencies"
        ) from error
    for path in order:
        yield path, objects[path], edges[path]


def _inside(path: str, objects: Iterable[str]) -> list[str]:
    """Return which objects a construct is or holds, by their paths."""
    return [each for each in objects if each == path or each.startswith(f"{path}/")]
