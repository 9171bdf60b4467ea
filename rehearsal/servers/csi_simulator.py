"""Simulates the EBS CSI driver's effect on the API: a claim gets its volume in the zone of the chosen node."""

from __future__ import annotations

from rehearsal.servers.api import Object
from rehearsal.servers.simulator import Simulator

PROVISIONER = "ebs.csi.aws.com"
_SELECTED_NODE = "volume.kubernetes.io/selected-node"
_ZONE = "topology.kubernetes.io/zone"


class CsiSimulator(Simulator):
    """Creates a PersistentVolume for each pending claim of a class of ``ebs.csi.aws.com``, grows and deletes them.

    As the driver: a class with WaitForFirstConsumer waits for the scheduler's choice of a node, and the volume is tied
    to that node's zone; a claim that asks for more than it has gets it at once. Not simulated: attaching, snapshots,
    encryption, and that AWS changes a volume once in six hours only.
    """

    name = "csi-simulator"

    def step(self) -> None:
        """Provision pending claims, grow those that ask for more, delete released volumes."""
        classes = {
            item["metadata"]["name"]: item
            for item in self._api.objects("StorageClass")
            if item["provisioner"] == PROVISIONER
        }
        for claim in self._api.objects("PersistentVolumeClaim"):
            storage_class = classes.get(claim["spec"].get("storageClassName", ""))
            if storage_class and not claim["spec"].get("volumeName") and _pending(claim):
                self._provision(claim, storage_class)
            elif storage_class and claim["status"].get("phase") == "Bound":
                self._grow(claim)
        for volume in self._api.objects("PersistentVolume"):
            released = volume.get("status", {}).get("phase") == "Released"
            if released and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
                self._api.delete("PersistentVolume", volume["metadata"]["name"])
                self.note(f"deleted volume {volume['metadata']['name']}")

    def _grow(self, claim: Object) -> None:
        """Give a claim what it asks for: the API server lets it ask for more only, and only where its class allows."""
        metadata, wanted = claim["metadata"], {"storage": claim["spec"]["resources"]["requests"]["storage"]}
        if claim["status"].get("capacity") == wanted:
            return
        self._api.patch("PersistentVolume", claim["spec"]["volumeName"], {"spec": {"capacity": wanted}})
        change = {"status": {"capacity": wanted}}
        namespace = metadata["namespace"]
        self._api.patch("PersistentVolumeClaim", metadata["name"], change, namespace=namespace, subresource="status")
        self.note(f"claim {namespace}/{metadata['name']}: grown to {wanted['storage']}")

    def _provision(self, claim: Object, storage_class: Object) -> None:
        metadata = claim["metadata"]
        node_name = metadata.get("annotations", {}).get(_SELECTED_NODE)
        if node_name is None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer":
            return
        node = self._api.get("Node", node_name) if node_name else self._api.objects("Node")[0]
        if node is None:
            self.note(f"claim {metadata['namespace']}/{metadata['name']}: its node {node_name} is gone")
            return
        zone = node["metadata"]["labels"][_ZONE]
        name = f"pvc-{metadata['uid']}"
        self._api.apply(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
                "spec": {
                    "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
                    "accessModes": claim["spec"]["accessModes"],
                    "storageClassName": storage_class["metadata"]["name"],
                    "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
                    "csi": {
                        "driver": PROVISIONER,
                        "fsType": "ext4",
                        "volumeHandle": f"vol-{metadata['uid'].replace('-', '')[:17]}",
                    },
                    "claimRef": {
                        "apiVersion": "v1",
                        "kind": "PersistentVolumeClaim",
                        "namespace": metadata["namespace"],
                        "name": metadata["name"],
                        "uid": metadata["uid"],
                    },
                    "nodeAffinity": {
                        "required": {
                            "nodeSelectorTerms": [
                                {"matchExpressions": [{"key": _ZONE, "operator": "In", "values": [zone]}]}
                            ]
                        }
                    },
                },
            }
        )
        self.note(f"claim {metadata['namespace']}/{metadata['name']}: volume {name} in {zone}")


def _pending(claim: Object) -> bool:
    return claim.get("status", {}).get("phase") == "Pending" and "deletionTimestamp" not in claim["metadata"]
