"""Which resource types hold something that a new deployment cannot bring back, and what that is."""

from __future__ import annotations

NESTED_STACK = "AWS::CloudFormation::Stack"

# Not here on purpose. Node groups and security groups: recreated without loss. Subnets: they hold nothing themselves,
# and whatever would have to move with one (brokers, cluster) is listed in the change set as replaced in its own right.
# An MSK SCRAM association: it joins a cluster and a secret, which are both here. What lies in the cluster by a custom
# resource is judged by what it is, not by its type: `ops.gate.kubernetes`.
LOST_WITH: dict[str, str] = {
    "AWS::S3::Bucket": "every object in it: the vectors, indexes and backups of Milvus",
    "AWS::MSK::Cluster": "all topics, with every write that Milvus has not flushed yet; brokers are gone for 25 to 40 "
    "minutes",
    "AWS::MSK::ServerlessCluster": "all topics, with every write that Milvus has not flushed yet",
    "AWS::KMS::Key": "everything encrypted with it: bucket, broker volumes and secrets become unreadable",
    "AWS::KMS::ReplicaKey": "everything encrypted with it in its region becomes unreadable",
    "AWS::SecretsManager::Secret": "the password in it: Milvus and its clients can no longer log in",
    "AWS::EKS::Cluster": "the cluster with all workloads, etcd's volumes and load balancers on it",
    "AWS::EC2::VPC": "the network, with everything that runs in it",
    NESTED_STACK: "every resource of the nested stack",
    # Not part of this application today; whoever adds one gets the gate with it.
    "AWS::Backup::BackupVault": "all recovery points in it",
    "AWS::CodeCommit::Repository": "the source code in it",
    "AWS::Cognito::UserPool": "all user accounts in it",
    "AWS::DynamoDB::GlobalTable": "all items in it, in every region",
    "AWS::DynamoDB::Table": "all items in it",
    "AWS::EC2::Volume": "all data on it",
    "AWS::ECR::Repository": "all images in it",
    "AWS::EFS::FileSystem": "all files in it",
    "AWS::FSx::FileSystem": "all files in it",
    "AWS::OpenSearchService::Domain": "all indexes in it",
    "AWS::RDS::DBCluster": "all databases in it",
    "AWS::RDS::DBInstance": "all databases in it",
    "AWS::S3Express::DirectoryBucket": "every object in it",
}

# CloudFormation keeps an MSK cluster whose broker type changes ("Update requires: No interruption"), while the subnets
# and security groups beside it replace the cluster. A change set may name the property as a whole only.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-msk-cluster-brokernodegroupinfo.html
BROKERS = ("AWS::MSK::Cluster", "BrokerNodeGroupInfo", "InstanceType")
"""Type, property and part of it whose change keeps the resource, and still needs an approval: a rule of this gate."""

BROKERS_REPLACED = (
    "nothing is erased, but MSK takes away every broker in turn: Milvus writes with less capacity, and the cluster "
    "takes no other change until the last one is back"
)
"""What the change of the broker type does."""
