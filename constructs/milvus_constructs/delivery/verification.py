"""Proves a deployed environment from inside its VPC, started by a pipeline that may live in another account."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from _paths import ROOT
from milvus_constructs.checks.acknowledgements import acknowledge
from milvus_constructs.checks.wildcards import accept_wildcard
from milvus_constructs.delivery.builds import OPS_SETUP, codebuild_environment, runtime_spec
from milvus_constructs.tree import child
from settings.contract import CLIENT_PORT
from settings.parts import verification_name
from settings.pipeline import Build

# What `python -m ops` needs of the source tree. Everything else is left out, or each commit would be a new asset.
_PROGRAM = ("Makefile", "requirements/ops.txt", "environments", "ops", "settings")
_SECONDS_PER_STEP = 180

_READ_ASSET = ("s3:GetBucket*", "s3:GetObject*", "s3:List*")
_SOURCE = "CodeBuild reads its source from the bootstrap's bucket: a grant of aws-cdk-lib, reading only."
_WILDCARDS = {
    ">-*": "Report groups of this very project; CodeBuild adds a name to the project's.",
    ">:*": "Log streams of this very project.",
    ":secret:*": "Only secrets that the Milvus stack made: CloudFormation tags them with its name.",
    ":key/*": "Only in requests of Secrets Manager, for the secrets that may be read.",
    "/*": "What follows is an id that AWS gives: of a stack, a node group, a cluster, or the objects of the asset.",
}


def starter_role_name(environment: str, region: str) -> str:
    """Return the name of the role that the pipeline assumes: roles are global, so the region is in it."""
    return f"{environment}-verify-{region}"


class Verification(Construct):
    """A CodeBuild project in the private subnets that runs `ops status` and `ops smoke`, and the role that starts it.

    The pipeline cannot have it among its own projects: a project must be in the account and region of its VPC, and no
    value of an environment's stacks can reach the pipeline's stack. So the project belongs to the environment, and the
    pipeline knows two names only. The project can read the environment's state, the root user's secret and the
    deployments in one namespace; it can change nothing in AWS. The role may start it, with other commands than its own
    too (codebuild:StartBuild), and read how it ended.

    Costs: build minutes while it runs. Needs a way from the private subnets to PyPI and to the AWS APIs.

    Args:
        scope: The stack, in the environment's account and region.
        construct_id: Id in the scope.
        name: Name of the environment, and of its EKS and MSK clusters.
        file: Name of its settings file.
        namespace: Namespace of Milvus.
        milvus_cidrs: Where Milvus's load balancer is.
        stacks: Names of the stacks whose state is read.
        secrets_of: Name of the stack whose secrets are read; None where Milvus asks for no password.
        msk: Whether the log is on MSK.
        vpc: Its VPC.
        subnets: Its private subnets.
        cluster: Its EKS cluster.
        build: Image and runtimes.
        pipeline_account: Account of the pipeline.
        pipeline_name: Name of the pipeline, with which the names of its roles begin.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        file: str,
        namespace: str,
        milvus_cidrs: Sequence[str],
        stacks: Sequence[str],
        secrets_of: str | None,
        msk: bool,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        cluster: eks.ICluster,
        build: Build,
        pipeline_account: str,
        pipeline_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        program = s3_assets.Asset(
            self,
            "Program",
            path=str(ROOT),
            exclude=[
                *("*", "!/requirements"),
                *(f"!/{name}" for name in _PROGRAM),
                *(f"!/{name}/**" for name in _PROGRAM),
                "__pycache__",
            ],
            ignore_mode=cdk.IgnoreMode.GIT,
        )
        group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/{name}/verification",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        security_group = self._security_group(vpc, milvus_cidrs)
        self.project = codebuild.Project(
            self,
            "Project",
            project_name=verification_name(name),
            description=f"Proves {name} from inside its VPC",
            source=codebuild.Source.s3(bucket=program.bucket, path=program.s3_object_key),
            build_spec=codebuild.BuildSpec.from_object(self._build_spec(file, build)),
            environment=codebuild_environment(build),
            vpc=vpc,
            subnet_selection=subnets,
            security_groups=[security_group],
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=group)),
            timeout=cdk.Duration.minutes(45),
            queued_timeout=cdk.Duration.minutes(30),
        )
        if secrets_of:
            self._may_read_secrets(secrets_of)
        self._may_read_state(stacks, msk=msk)
        eks.AccessEntry(
            self,
            "Deployments",
            cluster=cluster,
            principal=child(self.project, "Role", iam.Role).role_arn,
            access_policies=[
                eks.AccessPolicy.from_access_policy_name(
                    "AmazonEKSViewPolicy",
                    access_scope_type=eks.AccessScopeType.NAMESPACE,
                    namespaces=[namespace],
                )
            ],
        )
        self._starter(pipeline_account=pipeline_account, pipeline_name=pipeline_name, group=group)
        self._acknowledge()

    def _build_spec(self, file: str, build: Build) -> dict[str, object]:
        # The file's region may not be this one: see `settings.pipeline.Target.region`.
        options = f"--env {shlex.quote(file)} --region {cdk.Stack.of(self).region}"
        spec = runtime_spec(build)
        del spec["cache"]
        spec["phases"]["install"]["commands"] = list(OPS_SETUP)
        spec["phases"]["build"] = {
            "commands": [
                f"python -m ops status {options}",
                f"python -m ops smoke {options} --timeout {_SECONDS_PER_STEP}",
            ]
        }
        return spec

    def _security_group(self, vpc: ec2.IVpc, milvus_cidrs: Sequence[str]) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description="Verification: Milvus and HTTPS only", allow_all_outbound=False
        )
        for cidr in milvus_cidrs:
            group.add_egress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(CLIENT_PORT), "Milvus")
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS, Kubernetes and PyPI")
        return group

    def _may_read_state(self, stacks: Sequence[str], *, msk: bool) -> None:
        stack, name = cdk.Stack.of(self), self._name
        arns = {
            "cloudformation:DescribeStacks": [f"cloudformation:{{}}:stack/{each}/*" for each in stacks],
            "eks:DescribeCluster": [f"eks:{{}}:cluster/{name}"],
            "eks:ListNodegroups": [f"eks:{{}}:cluster/{name}"],
            "eks:DescribeNodegroup": [f"eks:{{}}:nodegroup/{name}/*"],
        }
        if msk:
            arns["kafka:DescribeClusterV2"] = [f"kafka:{{}}:cluster/{name}*/*"]
        for action, resources in arns.items():
            self.project.add_to_role_policy(
                iam.PolicyStatement(
                    actions=[action],
                    resources=[
                        f"arn:{stack.partition}:{resource.format(f'{stack.region}:{stack.account}')}"
                        for resource in resources
                    ],
                )
            )

    def _may_read_secrets(self, of_stack: str) -> None:
        """Allow to read secrets by the tag that CloudFormation gives them, and not by their ARNs.

        A reference to the stack that changes most would keep it from ever dropping the secret
        (docs/adr/0005-strong-references.md).
        """
        stack = cdk.Stack.of(self)
        self.project.add_to_role_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"],
                resources=[f"arn:{stack.partition}:secretsmanager:{stack.region}:{stack.account}:secret:*"],
                conditions={"StringEquals": {"aws:ResourceTag/aws:cloudformation:stack-name": of_stack}},
            )
        )
        # CloudFormation tags no key. Through Secrets Manager nothing else can be decrypted than what may be read there.
        self.project.add_to_role_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=[f"arn:{stack.partition}:kms:{stack.region}:{stack.account}:key/*"],
                conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{stack.region}.{stack.url_suffix}"}},
            )
        )

    def _starter(self, *, pipeline_account: str, pipeline_name: str, group: logs.ILogGroup) -> None:
        stack = cdk.Stack.of(self)
        role = iam.Role(
            self,
            "Starter",
            role_name=starter_role_name(self._name, stack.region),
            description=f"Lets the pipeline {pipeline_name} verify {self._name}",
            max_session_duration=cdk.Duration.hours(1),
            assumed_by=iam.PrincipalWithConditions(
                iam.AccountPrincipal(pipeline_account),
                {
                    "ArnLike": {
                        "aws:PrincipalArn": f"arn:{stack.partition}:iam::{pipeline_account}:role/{pipeline_name}-*"
                    }
                },
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["codebuild:StartBuild", "codebuild:BatchGetBuilds"], resources=[self.project.project_arn]
            )
        )
        role.add_to_policy(iam.PolicyStatement(actions=["logs:GetLogEvents"], resources=[group.log_group_arn]))

    def _acknowledge(self) -> None:
        acknowledge(self.project, {"AwsSolutions-CB4": "The project writes no artifact that a key could encrypt."})
        interface = "arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:network-interface/*"
        for policy in self.project.node.find_all():
            if not isinstance(policy, iam.Policy):
                continue
            # https://docs.aws.amazon.com/codebuild/latest/userguide/vpc-support.html
            in_vpc = "CodeBuild makes and removes network interfaces in the VPC; EC2 knows no narrower resource for it."
            acknowledge(
                policy, {"AwsSolutions-IAM5[Resource::*]": in_vpc, f"AwsSolutions-IAM5[Resource::{interface}]": in_vpc}
            )
            acknowledge(policy, {f"AwsSolutions-IAM5[Action::{action}]": _SOURCE for action in _READ_ASSET})
            for ending, reason in _WILDCARDS.items():
                accept_wildcard(policy, ending=ending, reason=reason)
