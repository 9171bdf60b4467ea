"""What the schemas of CloudFormation cannot say for policies/*.json: names, unused permissions, linked roles."""

from __future__ import annotations

# Every stack, and what CloudFormation names after it, begins with the `name` of its settings file. The shipped files
# begin with this; put your own prefix here if yours do not, then run `python -m tools.iam.policies`.
PREFIX = "milvus-"
TOOLKIT = "cdk-hnb659fds-"

# Service, or a single action -> the resources it is allowed on; "*" where nothing is given, because the service names
# its resources itself (ids) or knows no resource for the action.
SCOPES: dict[str, tuple[str, ...]] = {
    "codebuild": (
        f"arn:aws:codebuild:*:*:project/{PREFIX}*",
        # Projects that CDK Pipelines makes are named after their logical id.
        "arn:aws:codebuild:*:*:project/Pipeline*",
    ),
    "codepipeline": (f"arn:aws:codepipeline:*:*:{PREFIX}*",),
    "eks": (f"arn:aws:eks:*:*:*/{PREFIX}*",),
    "events": (f"arn:aws:events:*:*:rule/{PREFIX}*",),
    "iam": (f"arn:aws:iam::*:role/{PREFIX}*",),
    # EKS looks, as its caller, whether the roles that it links are there already ("Failed to validate if SLR:
    # AWSServiceRoleForAmazonEKSNodegroup already exists due to missing permissions for 'iam:GetRole'").
    "iam:GetRole": (
        f"arn:aws:iam::*:role/{PREFIX}*",
        "arn:aws:iam::*:role/aws-service-role/eks-nodegroup.amazonaws.com/*",
        "arn:aws:iam::*:role/aws-service-role/eks.amazonaws.com/*",
    ),
    # MSK completes its linked role: https://docs.aws.amazon.com/msk/latest/developerguide/security-iam-awsmanpol-AmazonMSKFullAccess.html
    **dict.fromkeys(
        ("iam:AttachRolePolicy", "iam:PutRolePolicy"),
        (
            f"arn:aws:iam::*:role/{PREFIX}*",
            "arn:aws:iam::*:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka*",
        ),
    ),
    "iam:AddRoleToInstanceProfile": ("arn:aws:iam::*:instance-profile/eks-*", f"arn:aws:iam::*:role/{PREFIX}*"),
    "iam:RemoveRoleFromInstanceProfile": ("arn:aws:iam::*:instance-profile/eks-*", f"arn:aws:iam::*:role/{PREFIX}*"),
    **dict.fromkeys(
        (
            "iam:CreateInstanceProfile",
            "iam:DeleteInstanceProfile",
            "iam:GetInstanceProfile",
            "iam:TagInstanceProfile",
        ),
        ("arn:aws:iam::*:instance-profile/eks-*",),
    ),
    **dict.fromkeys(
        (
            "iam:AddClientIDToOpenIDConnectProvider",
            "iam:CreateOpenIDConnectProvider",
            "iam:DeleteOpenIDConnectProvider",
            "iam:GetOpenIDConnectProvider",
            "iam:ListOpenIDConnectProviderTags",
            "iam:RemoveClientIDFromOpenIDConnectProvider",
            "iam:TagOpenIDConnectProvider",
            "iam:UntagOpenIDConnectProvider",
            "iam:UpdateOpenIDConnectProviderThumbprint",
        ),
        ("arn:aws:iam::*:oidc-provider/oidc.eks.*",),
    ),
    # A cluster and a configuration have no ARN before they are made.
    "kafka": (f"arn:aws:kafka:*:*:cluster/{PREFIX}*", f"arn:aws:kafka:*:*:configuration/{PREFIX}*"),
    **dict.fromkeys(("kafka:CreateCluster", "kafka:CreateConfiguration", "kafka:DescribeClusterOperation"), ("*",)),
    "lambda": (f"arn:aws:lambda:*:*:function:{PREFIX}*", "arn:aws:lambda:*:*:layer:*"),
    "route53": ("arn:aws:route53:::hostedzone/*",),
    "s3": (f"arn:aws:s3:::{PREFIX}*",),
    "s3:GetObject": (f"arn:aws:s3:::{TOOLKIT}assets-*/*",),
    "s3:GetObjectVersion": (f"arn:aws:s3:::{TOOLKIT}assets-*/*",),
    # MSK asks for the name of its users' secrets; the other one, parameters and state machines get a name from
    # CloudFormation, which begins with their logical id and not with the stack's name.
    "secretsmanager": (
        f"arn:aws:secretsmanager:*:*:secret:AmazonMSK_{PREFIX}*",
        "arn:aws:secretsmanager:*:*:secret:RootPassword*",
    ),
    "secretsmanager:GetRandomPassword": ("*",),
    "ssm": ("arn:aws:ssm:*:*:parameter/CFN-Cluster*",),
    "ssm:GetParameters": (
        "arn:aws:ssm:*:*:parameter/CFN-Cluster*",
        f"arn:aws:ssm:*:*:parameter/cdk-bootstrap/{TOOLKIT.removeprefix('cdk-')[:-1]}/version",
    ),
    "states": ("arn:aws:states:*:*:stateMachine:Tasks*",),
}

# Action -> the condition on it. A key has no name to limit these by: its ARN is made up, its alias comes after it and
# goes before it, CloudFormation puts none of its own tags on keys (`cloudFormationSystemTags` in the schema of
# AWS::KMS::Key), and a tag takes up to five minutes to count (https://docs.aws.amazon.com/kms/latest/developerguide/abac.html).
# What reads data is therefore limited to the service that uses the key; what administers keys cannot be.
CONDITIONS: dict[str, dict[str, dict[str, str]]] = {
    # https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-grant-is-for-aws-resource
    "kms:CreateGrant": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    "kms:Decrypt": {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}},
    "kms:GenerateDataKey": {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}},
}

BOOTSTRAP_SCOPES: dict[str, tuple[str, ...]] = {
    "cloudformation": ("arn:aws:cloudformation:*:*:stack/CDKToolkit/*",),
    "ecr": (f"arn:aws:ecr:*:*:repository/{TOOLKIT}*",),
    "iam": (f"arn:aws:iam::*:role/{TOOLKIT}*",),
    "s3": (f"arn:aws:s3:::{TOOLKIT}assets-*",),
    "ssm": (f"arn:aws:ssm:*:*:parameter/cdk-bootstrap/{TOOLKIT.removeprefix('cdk-')[:-1]}/*",),
}

# What the CDK command line itself calls to deploy the stack CDKToolkit.
TOOLKIT_ACTIONS = (
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:UpdateTerminationProtection",
)

# Types whose schema lists no permissions: what their documentation says.
ELSEWHERE: dict[str, tuple[str, ...]] = {
    # https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-permissions-reference.html
    "AWS::CodeBuild::Project": (
        "codebuild:BatchGetProjects",
        "codebuild:CreateProject",
        "codebuild:DeleteProject",
        "codebuild:UpdateProject",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "iam:PassRole",
    ),
    # Inside CloudFormation: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
    "AWS::CloudFormation::WaitCondition": (),
    "AWS::CloudFormation::WaitConditionHandle": (),
}

# What a type needs beside the permissions that its schema lists.
ADDED: dict[str, tuple[str, ...]] = {
    # An endpoint with private DNS names; a dependent action of ec2:CreateVpcEndpoint in
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    "AWS::EC2::VPCEndpoint": ("route53:AssociateVPCWithHostedZone",),
    # With a customer key: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    "AWS::SecretsManager::Secret": ("kms:Decrypt", "kms:GenerateDataKey"),
}

# Beginnings of actions that the schemas list for properties which no template here has.
NOT_NEEDED: dict[str, str] = {
    "acm-pca:": "MSK: no client certificates, SASL/SCRAM only",
    "ec2:AcceptAddressTransfer": "EIP: no address of another account",
    "ec2:AssignPrivateNatGatewayAddress": "NAT: public gateways only",
    "ec2:AttachVpnGateway": "VPC: no VPN gateway",
    "ec2:DescribeVpnGateways": "VPC: no VPN gateway",
    "ec2:DetachVpnGateway": "VPC: no VPN gateway",
    "ec2:UnassignPrivateNatGatewayAddress": "NAT: public gateways only",
    "elasticfilesystem:": "Lambda: no file system",
    "firehose:": "MSK: broker logs go to CloudWatch Logs",
    "iam:DeleteGroupPolicy": "IAM: policies of roles only",
    "iam:DeleteUserPolicy": "IAM: policies of roles only",
    "iam:GetGroupPolicy": "IAM: policies of roles only",
    "iam:GetUserPolicy": "IAM: policies of roles only",
    "iam:PutGroupPolicy": "IAM: policies of roles only",
    "iam:PutUserPolicy": "IAM: policies of roles only",
    "kms:Encrypt": "Lambda: variables of functions are encrypted with AWS's own key",
    "lambda:PassCapacityProvider": "Lambda: no capacity providers",
    "s3:CreateBucketMetadataTableConfiguration": "S3: no metadata tables",
    "s3:DeleteBucketMetadataTableConfiguration": "S3: no metadata tables",
    "s3:DeleteObject": "S3: buckets are emptied by a function with a role of its own",
    "s3:PutObjectAcl": "S3: no access control lists",
    "s3:REST.PUT.OBJECT": "an entry of an access log, no action of IAM",
    "s3:UpdateBucketMetadata": "S3: no metadata tables",
    "s3files:": "Lambda: no file system",
    "s3tables:": "S3: no metadata tables",
    "secretsmanager:RemoveRegionsFromReplication": "secrets live in one region",
    "secretsmanager:ReplicateSecretToRegions": "secrets live in one region",
    "vpc-lattice:": "VPC endpoints: no service networks",
    "vpce:": "VPC endpoints: of the same region",
}

# Services that make a role of their own on first use.
LINKED_ROLES = (
    "eks-nodegroup.amazonaws.com",
    "eks.amazonaws.com",
    "kafka.amazonaws.com",
    "kafka.application-autoscaling.amazonaws.com",
)

# One managed policy holds 6,144 characters, so what CloudFormation needs is in several, by service.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
FILES: dict[str, frozenset[str]] = {
    "execution-network.json": frozenset({"ec2", "logs", "route53"}),
    "execution-data.json": frozenset(
        {"application-autoscaling", "cloudwatch", "kafka", "kms", "s3", "secretsmanager", "ssm"}
    ),
    "execution-cluster.json": frozenset(
        {
            "autoscaling",
            "codebuild",
            "codepipeline",
            "codeconnections",
            "codestar-connections",
            "eks",
            "events",
            "iam",
            "lambda",
            "states",
        }
    ),
}
