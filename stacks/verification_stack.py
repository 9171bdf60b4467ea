"""The Verification stack: what proves an environment from inside its VPC, for environments of a pipeline only."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from milvus_constructs.delivery.verification import Verification
from settings import Environment
from settings.parts import Part, parts, stack_name, verification_name
from settings.pipeline import Build
from stacks.base import ProjectStack


class VerificationStack(ProjectStack):
    """Holds nothing that lasts: it can be deleted at any time, and the next run of the pipeline brings it back."""

    def __init__(
        self,
        scope: Construct,
        *,
        env: Environment,
        file: str,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        cluster: eks.ICluster,
        build: Build,
        pipeline_account: str | None,
        pipeline_name: str,
    ) -> None:
        super().__init__(
            scope,
            verification_name(env.name),
            account=env.account,
            region=env.region,
            description=f"Milvus {env.name}: proof of the deployment",
            tags=env.tags,
            removal=env.removal_policy,
            boundary=env.permissions_boundary,
        )
        verification = Verification(
            self,
            "Verification",
            name=env.name,
            file=file,
            namespace=env.milvus.namespace,
            milvus_cidrs=env.network.cidrs,
            stacks=[stack_name(env, part) for part in parts(env)],
            secrets_of=stack_name(env, Part.MILVUS) if env.milvus.authorization else None,
            msk=env.queue.kind == "msk",
            vpc=vpc,
            subnets=subnets,
            cluster=cluster,
            build=build,
            pipeline_account=pipeline_account or self.account,
            pipeline_name=pipeline_name,
        )
        cdk.CfnOutput(
            self,
            "VerificationProject",
            value=verification.project.project_name,
            description="CodeBuild project that proves this environment.",
        )
