"""Accepts findings on the functions that CDK puts behind its custom resources: nobody but CDK can change them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as cr

from milvus_constructs.checks.acknowledgements import acknowledge, managed_policy, resolved_wildcard, spelling
from milvus_constructs.tree import child

_LOGS = "service-role/AWSLambdaBasicExecutionRole"
_VPC = "service-role/AWSLambdaVPCAccessExecutionRole"
_REGISTRY = "AmazonEC2ContainerRegistryReadOnly"
_CDK_GIVES_IT = "CDK's provider framework attaches this policy to its own function; it has no other permissions"
_ANY_VERSION = "CDK's provider framework invokes exactly this function; the wildcard means its versions"
_FRAMEWORK = ("framework-onEvent", "framework-isComplete", "framework-onTimeout")
_WAITER = "waiter-state-machine"
_WAITER_FINDINGS = {
    "AwsSolutions-SF1": "the functions that it calls log every step; its own log would need rights on all logs",
    "AwsSolutions-SF2": "it only calls one function again and again; a trace would show nothing else",
}


def acknowledge_provider(provider: cr.Provider, *handlers: lambda_.IFunction) -> None:
    """Accept the findings on the provider framework around the given functions.

    Everything below the provider is the framework's own, so they are named on the provider, once.
    """
    findings = {
        managed_policy(_LOGS): _CDK_GIVES_IT,
        managed_policy(_VPC): _CDK_GIVES_IT,
        **dict.fromkeys(_any_version(provider, handlers), _ANY_VERSION),
    }
    if provider.node.try_find_child(_WAITER) is not None:
        framework = [child(provider, name, lambda_.Function) for name in _FRAMEWORK]
        findings |= {**_WAITER_FINDINGS, **dict.fromkeys(_any_version(provider, framework), _ANY_VERSION)}
    acknowledge(provider, findings)


def acknowledge_kubectl_provider(cluster: eks.Cluster) -> None:
    """Accept the findings on the functions with which CDK runs kubectl and helm in a cluster."""
    handler = child(cluster, "KubectlProvider/Handler", lambda_.Function)
    acknowledge_provider(child(cluster, "KubectlProvider/Provider", cr.Provider), handler)
    role = child(handler, "ServiceRole", iam.Role)
    why = "CDK attaches this policy to its kubectl function: logs, its network interface, charts from registries"
    acknowledge(
        role, dict.fromkeys([*map(managed_policy, (_LOGS, _VPC, _REGISTRY)), *_conditional_policies(role)], why)
    )
    acknowledge(handler, {"AwsSolutions-L1": "CDK chooses the runtime of its kubectl function with its code"})


def _conditional_policies(role: iam.Role) -> list[str]:
    """Return findings on policies that CDK attaches in some partitions only; cdk-nag quotes the whole function."""
    policies = Stack.of(role).resolve(child(role, "Resource", iam.CfnRole).managed_policy_arns)
    quoted = [json.dumps(policy, separators=(",", ":")) for policy in policies if "Fn::If" in policy]
    return [f"AwsSolutions-IAM4[Policy::{policy}]" for policy in quoted]


def _any_version(provider: cr.Provider, functions: Sequence[lambda_.IFunction]) -> list[str]:
    """Return the finding on the right to invoke each function in any version."""
    arns = Stack.of(provider).resolve([function.function_arn for function in functions])
    return [resolved_wildcard(f"{spelling(arn)}:*") for arn in arns]
