"""Keys of the stacks' outputs: unique over all stacks of an environment, because operations read them as one table."""

from __future__ import annotations

DATA_BUCKET_NAME = "DataBucketName"
BACKUP_BUCKET_NAME = "BackupBucketName"
VPC_ID = "VpcId"
MSK_CLUSTER_ARN = "MskClusterArn"
KAFKA_SECRET_ARN = "KafkaSecretArn"  # noqa: S105 - an output's key, not a secret
BOOTSTRAP_BROKERS = "BootstrapBrokersSaslScram"
CLUSTER_NAME = "ClusterName"
KUBECONFIG_COMMAND = "KubeconfigCommand"
OIDC_ISSUER = "OidcIssuer"
NAMESPACE = "Namespace"
RELEASE_NAME = "ReleaseName"
MILVUS_ENDPOINT = "MilvusEndpoint"
MILVUS_URI = "MilvusUri"
ATTU_ENDPOINT = "AttuEndpoint"
ROOT_SECRET_ARN = "RootSecretArn"  # noqa: S105 - an output's key, not a secret
