"""The StorageClass ``ebs-sc``: encrypted gp3 volumes, the cluster's default."""

from __future__ import annotations

import cdk8s
from cdk8s_plus_27 import k8s
from constructs import Construct

from charts.names import STORAGE_CLASS


class StorageClassChart(cdk8s.Chart):
    """Provisions the StorageClass that etcd's volumes come from, as the published guide does, and encrypted.

    Does not touch the class ``gp2`` of older clusters: making it non-default is the cluster stack's work. A volume
    is deleted with its claim (``reclaimPolicy: Delete``), and is created in the zone where its first pod is scheduled.
    Volumes cost money by size, whether used or not.

    Example:
        >>> StorageClassChart(cdk8s.App(), "storage-class", volume_key_arn=None)
    """

    def __init__(self, scope: Construct, construct_id: str, *, volume_key_arn: str | None) -> None:
        super().__init__(scope, construct_id)
        k8s.KubeStorageClass(
            self,
            "storage-class",
            metadata=k8s.ObjectMeta(
                name=STORAGE_CLASS, annotations={"storageclass.kubernetes.io/is-default-class": "true"}
            ),
            provisioner="ebs.csi.aws.com",
            # https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md
            parameters={
                "type": "gp3",
                "encrypted": "true",
                "csi.storage.k8s.io/fstype": "ext4",
                **({"kmsKeyId": volume_key_arn} if volume_key_arn else {}),
            },
            reclaim_policy="Delete",
            allow_volume_expansion=True,
            volume_binding_mode="WaitForFirstConsumer",
        )
