"""Accepts findings on the functions that CDK puts behind its custom resources: nobody but CDK can change them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as cr
from constructs import IConstruct

from milvus_constructs.checks.acknowledgements import acknowledge, managed_policy, wildcard

_LOGS = "service-role/AWSLambdaBasicExecutionRole"
_VPC = "service-role/AWSLambdaVPCAccessExecutionRole"
_REGISTRY = "AmazonEC2ContainerRegistryReadOnly"
_CDK_GIVES_IT = "CDK's provider framework attaches this policy to its own function; it has no other permissions"
_ANY_VERSION = "CDK's provider framework invokes exactly this function; the wildcard means its versions"
_FRAMEWORK = ("framework-onEvent", "framework-isComplete", "framework-onTimeout")
_WAITER = "waiter-state-machine"


def acknowledge_provider(provider: cr.Provider, *handlers: lambda_.IFunction) -> None:
    """Accept the findings on the provider framework around the given functions."""
    children = [child for child in provider.node.children if child.node.id in _FRAMEWORK]
    invoked = {_any_version(handler.node.default_child): _ANY_VERSION for handler in handlers}
    for child in children:
        role = child.node.find_child("ServiceRole")
        acknowledge(role, {managed_policy(_LOGS): _CDK_GIVES_IT, managed_policy(_VPC): _CDK_GIVES_IT, **invoked})
    waiter = provider.node.try_find_child(_WAITER)
    if waiter is not None:
        _acknowledge_waiter(waiter, children)


def acknowledge_kubectl_provider(cluster: eks.Cluster) -> None:
    """Accept the findings on the functions with which CDK runs kubectl and helm in a cluster."""
    kubectl = cluster.node.find_child("KubectlProvider")
    handler, provider = kubectl.node.find_child("Handler"), kubectl.node.find_child("Provider")
    if not isinstance(handler, lambda_.Function) or not isinstance(provider, cr.Provider):
        raise TypeError(f"{kubectl.node.path} is built otherwise than expected; aws-cdk-lib changed here")
    acknowledge_provider(provider, handler)
    role = handler.node.find_child("ServiceRole")
    why = "CDK attaches this policy to its kubectl function: logs, its network interface, charts from registries"
    acknowledge(
        role, dict.fromkeys([*map(managed_policy, (_LOGS, _VPC, _REGISTRY)), *_conditional_policies(role)], why)
    )
    acknowledge(handler, {"AwsSolutions-L1": "CDK chooses the runtime of its kubectl function with its code"})


def _conditional_policies(role: IConstruct) -> list[str]:
    """Return findings on policies that CDK attaches in some partitions only; cdk-nag quotes the whole function."""
    resource = role.node.default_child
    if not isinstance(resource, iam.CfnRole):
        raise TypeError(f"{role.node.path} is built otherwise than expected; aws-cdk-lib changed here")
    policies = Stack.of(role).resolve(resource.managed_policy_arns)
    quoted = [json.dumps(policy, separators=(",", ":")) for policy in policies if "Fn::If" in policy]
    return [f"AwsSolutions-IAM4[Policy::{policy}]" for policy in quoted]


def _acknowledge_waiter(waiter: IConstruct, invoked: Sequence[IConstruct]) -> None:
    acknowledge(
        waiter,
        {
            "AwsSolutions-SF1": "the functions that it calls log every step; its own log would need rights on all logs",
            "AwsSolutions-SF2": "it only calls one function again and again; a trace would show nothing else",
            **{_any_version(function.node.default_child): _ANY_VERSION for function in invoked},
        },
    )


def _any_version(function: IConstruct | None) -> str:
    if not isinstance(function, CfnResource):
        raise TypeError("the function is not of this application; pass one that it creates")
    return wildcard(function, f"{function.get_att('Arn').to_string()}:*")
