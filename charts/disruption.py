"""PodDisruptionBudgets: a node drain takes one replica at a time, and never etcd's majority."""

from __future__ import annotations

from collections.abc import Mapping

import cdk8s
from cdk8s_plus_27 import k8s
from constructs import Construct

from charts.workloads import CHART_COMPONENTS, component_labels, etcd_labels, etcd_name, fullname
from settings import Environment


def disruption_budgets(scope: Construct, env: Environment) -> list[cdk8s.ApiObject]:
    """Create a budget for etcd and for every Milvus component with more than one replica.

    One replica gets none: a budget would stop every drain of its node, and it is down for the move either way. The
    chart has no budgets for Milvus, and its older versions create etcd's in an API that Kubernetes has removed.
    """
    budgets = []
    if env.milvus.etcd.replicas > 1:
        budgets.append(_budget(scope, env, etcd_name(env), etcd_labels(env)))
    for name, component in env.components.items():
        if component.replicas > 1:
            workload = f"{fullname(env)}-{CHART_COMPONENTS[name].label}"
            budgets.append(_budget(scope, env, workload, component_labels(env, name)))
    return budgets


def _budget(scope: Construct, env: Environment, workload: str, labels: Mapping[str, str]) -> cdk8s.ApiObject:
    return k8s.KubePodDisruptionBudget(
        scope,
        f"budget-{workload}",
        metadata=k8s.ObjectMeta(name=workload, namespace=env.milvus.namespace),
        spec=k8s.PodDisruptionBudgetSpec(
            max_unavailable=k8s.IntOrString.from_number(1),
            selector=k8s.LabelSelector(match_labels=labels),
            # A pod that is not ready protects nothing, and must not block the drain of a broken node.
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
    )
