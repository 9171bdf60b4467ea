"""Which types of resources and kinds of Kubernetes objects are billed: each one that we make is in one of three lists.

What is in none has no price, and the bill says so. Sources: AWS's page of prices of each service.
"""

from __future__ import annotations

FREE = {
    "AWS::ApplicationAutoScaling::ScalableTarget",  # scaling costs nothing, the storage that it adds does
    "AWS::ApplicationAutoScaling::ScalingPolicy",  # its alarms are made by AWS and not billed
    "AWS::CloudFormation::WaitConditionHandle",  # CloudFormation's own
    "AWS::EC2::InternetGateway",
    "AWS::EC2::LaunchTemplate",  # free; its nodes and their disks are counted with the node group
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EKS::AccessEntry",
    "AWS::EKS::Addon",  # AWS's own add-ons are free; their pods run on the nodes
    "AWS::Events::Rule",  # starts the pipeline; events of AWS's own services are free
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::OIDCProvider",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::Lambda::Function",  # runs during deployments only: within the million requests a month that are always free
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::MSK::Configuration",
    "AWS::S3::BucketPolicy",
    "AWS::SSM::Parameter",  # standard parameters are free
    "AWS::StepFunctions::StateMachine",  # runs during deployments only: within 4,000 transitions a month, always free
}
"""Types of resources that cost nothing; beside some stands why."""

FREE_PREFIX = "Custom::"
"""Custom resources are calls of functions of ours; the objects and releases that they make are looked at one by one."""

PRICED = (
    "AWS::EC2::EIP",
    "AWS::EC2::NatGateway",
    "AWS::EC2::VPCEndpoint",
    "AWS::EKS::Cluster",
    "AWS::EKS::Nodegroup",
    "AWS::KMS::Key",
    "AWS::MSK::Cluster",
    "AWS::SecretsManager::Secret",
)
"""Types that are billed by the hour or month."""

BY_USE = (
    "AWS::CodeBuild::Project",
    "AWS::CodePipeline::Pipeline",
    "AWS::EC2::FlowLog",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
)

FREE_KINDS = {
    "ClusterRole",  # inside the cluster
    "ClusterRoleBinding",  # inside the cluster
    "ConfigMap",  # inside the cluster
    "CronJob",  # runs on the nodes
    "ExternalSecret",  # its requests are counted with the secrets
    "HorizontalPodAutoscaler",  # inside the cluster; what it adds runs on the nodes
    "Namespace",  # inside the cluster
    "NetworkPolicy",  # inside the cluster
    "PodDisruptionBudget",  # inside the cluster
    "Role",  # inside the cluster
    "RoleBinding",  # inside the cluster
    "SecretStore",  # inside the cluster
    "ServiceAccount",  # inside the cluster
    "StorageClass",  # inside the cluster; the volumes are counted with the release that claims them
}
"""Kinds of objects that cost nothing by themselves."""

PRICED_KINDS = ("Ingress", "Service")
"""Kinds that cost what their load balancer does; a Service without one is free."""

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
RELEASE = "Custom::AWSCDK-EKS-HelmChart"
"""Custom resources that send objects and releases to the cluster."""
