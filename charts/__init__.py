"""cdk8s charts: StorageClass, the Milvus HelmChart and its companions. Never imports aws_cdk."""
