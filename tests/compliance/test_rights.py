"""What each role of an environment may do, beside the calls that need it; a role that is not here fails."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from settings import Environment, load_environment
from settings.parts import parts
from settings.queue import Msk
from tests.assemblies import EVERY_FIXTURE, assembly
from tests.references import Assembly, Found, assembly_of

VPC_ACCESS = "service-role/AWSLambdaVPCAccessExecutionRole"
BASIC_LOGS = "service-role/AWSLambdaBasicExecutionRole"
DATA = "${storage/Storage/Data.Arn}"

CDK_MAKES_IT = re.compile(
    # Roles of CDK's own functions, each with one policy that CDK writes.
    r"/Provider/(framework-|waiter-state-machine)|/KubectlProvider/|CustomResourceProvider/|/FlowLog/IAMRole"
    # The policy that the load balancer controller's project publishes, which CDK copies.
    r"|/alb-sa/Role"
)


@dataclass(frozen=True)
class Rights:
    """Who assumes a role, and what it may then do."""

    trusted: str
    managed: tuple[str, ...] = ()
    statements: tuple[tuple[Any, ...], ...] = field(default=())
    """Actions, resources and, where there is one, the condition of each statement that allows."""


def writes(log_group: str) -> tuple[Any, ...]:
    return ["logs:CreateLogStream", "logs:PutLogEvents"], f"${{{log_group}.Arn}}"


def expected(env: Environment) -> dict[str, Rights]:
    """Return the rights of every role that is ours."""
    release_stack = f"arn:aws:cloudformation:{env.region}:{_account(env)}:stack/{env.name}-milvus/*"
    root = env.storage.root_path
    found = {
        "eks/Cluster/Role": Rights("eks.amazonaws.com", ("AmazonEKSClusterPolicy",)),
        "eks/NetworkAddons/CniRole/Role": Rights("aws-node", ("AmazonEKS_CNI_Policy",)),
        "eks/WorkloadAddons/EbsCsiRole/Role": Rights("ebs-csi-controller-sa", ("AmazonEBSCSIDriverPolicyV2",)),
        "eks/Tasks/OnEvent/ServiceRole": Rights("lambda.amazonaws.com", (BASIC_LOGS,)),
        "eks/Tasks/Role": Rights(
            "lambda.amazonaws.com",
            (VPC_ACCESS,),
            (
                # `aws eks update-kubeconfig`
                ("eks:DescribeCluster", "${eks/Cluster/Resource.Arn}"),
                # `aws cloudformation describe-stacks`: is the stack that waits being rolled back?
                ("cloudformation:DescribeStacks", release_stack),
            ),
        ),
        "eks/Cluster/ControlPlaneLogGroup/FunctionRole": Rights(
            "lambda.amazonaws.com",
            (),
            (
                writes("eks/Cluster/FunctionLogs"),
                (
                    ["logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy"],
                    f"arn:aws:logs:{env.region}:{_account(env)}:log-group:/aws/eks/{env.name}/cluster:*",
                ),
            ),
        ),
        "milvus/Identity/Role": Rights(
            "milvus-s3-access-sa",
            (),
            (
                # Milvus's check at its start, and what a restore copies its files to, lie outside of the root path.
                (
                    "s3:ListBucket",
                    DATA,
                    {
                        "StringLikeIfExists": {
                            "s3:prefix": [root, f"{root}/*", "justforconnectioncheck", "restore-temp-*"]
                        }
                    },
                ),
                (
                    ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                    f"{DATA}/{root}/*",
                ),
                (["s3:DeleteObject", "s3:GetObject"], f"{DATA}/restore-temp-*"),
                # Reading and writing of encrypted objects, in requests that S3 makes.
                (["kms:Decrypt", "kms:GenerateDataKey"], "${storage/Storage/DataKey.Arn}", _through("s3", env)),
            ),
        ),
    }
    for part in parts(env):
        found[f"{part}/Guard/FunctionRole"] = Rights(
            "lambda.amazonaws.com",
            (),
            # Whether its own stack is being rolled back.
            (writes(f"{part}/Guard/FunctionLogs"), ("cloudformation:DescribeStacks", "${AWS::StackId}")),
        )
    for name in env.cluster.node_groups:
        found[f"eks/Nodes-{name}/Role"] = Rights(
            "ec2.amazonaws.com", ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
        )
    secrets = []
    if isinstance(env.queue, Msk):
        secrets.append("${streaming/User}")
        found["streaming/Association/FunctionRole"] = Rights(
            "lambda.amazonaws.com",
            (),
            (
                writes("streaming/FunctionLogs"),
                (
                    [
                        "kafka:BatchAssociateScramSecret",
                        "kafka:BatchDisassociateScramSecret",
                        "kafka:ListScramSecrets",
                    ],
                    "${streaming/Kafka.Arn}",
                ),
                # MSK makes itself a grant on the secret's key in the name of whoever associates the secret.
                (["kms:DescribeKey", "kms:RetireGrant"], "${streaming/Key.Arn}"),
                ("kms:CreateGrant", "${streaming/Key.Arn}", {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
            ),
        )
        found["streaming/Brokers/FunctionRole"] = Rights(
            "lambda.amazonaws.com",
            (),
            (
                writes("streaming/FunctionLogs"),
                ("kafka:GetBootstrapBrokers", "${streaming/Kafka.Arn}"),
            ),
        )
    if env.termination_protection:
        found["eks/Protection/FunctionRole"] = Rights(
            "lambda.amazonaws.com",
            (),
            (
                writes("eks/Cluster/FunctionLogs"),
                (["eks:DescribeCluster", "eks:UpdateClusterConfig"], "${eks/Cluster/Resource.Arn}"),
            ),
        )
    if env.milvus.authorization:
        secrets.append("${milvus/RootPassword/Secret}")
    if env.milvus.attu.oidc:
        secrets.append(env.milvus.attu.oidc.client_secret_arn)
    if secrets:
        reading = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        statements: list[tuple[Any, ...]] = [(reading, sorted(secrets) if len(secrets) > 1 else secrets[0])]
        keys = ["${milvus/RootPassword/Key.Arn}"] if env.milvus.authorization else []
        keys += ["${streaming/Key.Arn}"] if isinstance(env.queue, Msk) else []
        if keys:
            decrypted = keys if len(keys) > 1 else keys[0]
            statements.append(("kms:Decrypt", decrypted, _through("secretsmanager", env)))
        found["milvus/SecretsReader/Role"] = Rights("milvus-secrets-sa", (), tuple(statements))
    return found


def _account(env: Environment) -> str:
    return env.account or "${AWS::AccountId}"


def _through(service: str, env: Environment) -> dict[str, Any]:
    return {"StringEquals": {"kms:ViaService": f"{service}.{env.region}.${{AWS::URLSuffix}}"}}


def rights(graph: Assembly, role: Found) -> Rights:
    """Return what a role of an assembly may do, by its managed, inline and attached policies."""
    documents = [policy["PolicyDocument"] for policy in role.properties.get("Policies", [])]
    documents += [
        found.properties["PolicyDocument"]
        for found in graph.of_type("AWS::IAM::Policy")
        if f"${{{role.name}}}" in found.properties["Roles"]
    ]
    statements = [statement for document in documents for statement in document["Statement"]]
    assert {statement["Effect"] for statement in statements} <= {"Allow"}
    managed = [arn.rpartition(":policy/")[2] for arn in role.properties.get("ManagedPolicyArns", [])]
    return Rights(
        _trusted(graph, role),
        tuple(managed),
        tuple(
            tuple(_sorted(statement[key]) for key in ("Action", "Resource", "Condition") if key in statement)
            for statement in statements
        ),
    )


def _sorted(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _trusted(graph: Assembly, role: Found) -> str:
    [statement] = role.properties["AssumeRolePolicyDocument"]["Statement"]
    principal: dict[str, str] = statement["Principal"]
    if "Service" in principal:
        return principal["Service"]
    # A service account, by the conditions of a federated principal.
    conditions = graph[statement["Condition"]["StringEquals"].strip("${}").removesuffix(".Value")].at("Value")
    [subject] = [value for key, value in conditions.items() if key.endswith(":sub")]
    return str(subject).rpartition(":")[2]


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_every_role_may_do_exactly_what_its_calls_need(name: str) -> None:
    graph = assembly_of(assembly(name))
    roles = [role for role in graph.of_type("AWS::IAM::Role") if not CDK_MAKES_IT.search("/" + role.name)]
    wanted = expected(load_environment(name))
    assert {role.name for role in roles} == wanted.keys()
    found = {role.name: rights(graph, role) for role in roles}
    assert [f"{each}: {found[each]}, not {wanted[each]}" for each in wanted if found[each] != wanted[each]] == []


def test_rights_of_the_association_are_the_calls_of_its_code() -> None:
    # GIVEN the code that Lambda will run, and the rights of its role
    graph = assembly_of(assembly("prod"))
    text = (graph.code("streaming/Association/Function") / "handler.py").read_text(encoding="utf-8")
    calls = {*re.findall(r"\bclient\.(\w+)\(ClusterArn", text), *re.findall(r'get_paginator\("(\w+)"\)', text)}
    allowed = {
        action
        for statement in rights(graph, graph["streaming/Association/FunctionRole"]).statements
        for action in statement[0]
        if action.startswith("kafka:")
    }
    # THEN each call of MSK has its right, and no right is without a call
    assert allowed == {"kafka:" + "".join(word.title() for word in call.split("_")) for call in calls}
