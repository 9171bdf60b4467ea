"""What `ops doctor` asks of AWS: policies/doctor.json is made of it."""

from __future__ import annotations

# https://docs.aws.amazon.com/service-authorization/latest/reference/: most lists know no narrower resource.
PERMISSIONS = {
    "cloudformation:DescribeStacks": "*",
    "ec2:DescribeAddresses": "*",
    "ec2:DescribeAvailabilityZones": "*",
    "ec2:DescribeInstanceTypeOfferings": "*",
    "ec2:DescribeInstances": "*",
    "ec2:DescribeRouteTables": "*",
    "ec2:DescribeSubnets": "*",
    "ec2:DescribeVpcAttribute": "*",
    "ec2:DescribeVpcs": "*",
    "eks:DescribeAddonVersions": "*",
    "eks:DescribeCluster": "arn:aws:eks:*:*:cluster/*",
    "eks:DescribeClusterVersions": "*",
    "elasticloadbalancing:DescribeLoadBalancers": "*",
    "kafka:ListClustersV2": "*",
    "kafka:ListKafkaVersions": "*",
    "kms:DescribeKey": "arn:aws:kms:*:*:key/*",
    "lambda:GetAccountSettings": "*",
    **dict.fromkeys(
        (
            "s3:GetBucketLocation",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetEncryptionConfiguration",
        ),
        "arn:aws:s3:::*",
    ),
    "secretsmanager:ListSecrets": "*",
    "servicequotas:GetAWSDefaultServiceQuota": "*",
    "servicequotas:GetServiceQuota": "*",
    "ssm:GetParameter": "arn:aws:ssm:*:*:parameter/cdk-bootstrap/*",
}
"""Every action that is asked for, and of what."""
