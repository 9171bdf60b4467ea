"""EKS in CloudFormation, beyond clusters and node groups: add-ons, access entries, pod identity."""

from __future__ import annotations

import json
import re

from botocore.exceptions import ClientError

from rehearsal.account.base import Created, Handler, Properties, Request, tag_map
from rehearsal.account.eks_rules import refused, require_cluster
from rehearsal.account.identity import require_role
from rehearsal.account.refusals import service_fault

# https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
_ACCESS_POLICY = re.compile(r"arn:aws[a-z-]*:eks::aws:cluster-access-policy/AmazonEKS\w+Policy\w*")
_ADDON_VERSION = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+(\.\d+)?")
# https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
_ADDON_NAMES = """
    vpc-cni coredns kube-proxy aws-ebs-csi-driver aws-efs-csi-driver eks-pod-identity-agent metrics-server
    snapshot-controller amazon-cloudwatch-observability eks-node-monitoring-agent cert-manager external-dns
    kube-state-metrics prometheus-node-exporter aws-mountpoint-s3-csi-driver adot
"""
_ADDONS = frozenset(_ADDON_NAMES.split())


class Addon(Handler):
    """AWS::EKS::Addon: ``Ref`` is cluster and name joined by a bar."""

    def create(self, request: Request) -> Created:
        """Installs the add-on on its cluster."""
        options = self._checked(request)
        name, cluster = request.properties["AddonName"], request.properties["ClusterName"]
        try:
            got = request.aws("eks").create_addon(clusterName=cluster, addonName=name, **options)
        except ClientError as error:
            raise refused(error) from error
        return Created(f"{cluster}|{name}", {"Arn": got["addon"]["addonArn"]})

    def update(self, request: Request) -> Created:
        """Version, role and configuration change in place."""
        options = self._checked(request)
        name, cluster = request.properties["AddonName"], request.properties["ClusterName"]
        options.pop("tags", None)
        request.aws("eks").update_addon(clusterName=cluster, addonName=name, **options)
        got = request.aws("eks").describe_addon(clusterName=cluster, addonName=name)
        return Created(f"{cluster}|{name}", {"Arn": got["addon"]["addonArn"]})

    def delete(self, request: Request) -> None:
        """Remove the add-on."""
        name, cluster = request.properties["AddonName"], request.properties["ClusterName"]
        _delete(request, "delete_addon", clusterName=cluster, addonName=name)

    @staticmethod
    def _checked(request: Request) -> Properties:
        wanted = request.properties
        cluster = require_cluster(request)
        if wanted["AddonName"] not in _ADDONS:
            raise service_fault("Eks", f"Addon {wanted['AddonName']} specified is not supported")
        options: Properties = {"tags": tag_map(wanted)}
        if wanted.get("AddonVersion"):
            if not _ADDON_VERSION.fullmatch(wanted["AddonVersion"]):
                raise service_fault("Eks", f"Addon version specified is not supported: {wanted['AddonVersion']}")
            # kube-proxy alone has Kubernetes's own version, and is never newer than the control plane.
            newest = f"v{cluster['version']}."
            if wanted["AddonName"] == "kube-proxy" and _minor(wanted["AddonVersion"]) > _minor(newest):
                raise service_fault("Eks", f"Addon version specified is not supported: {wanted['AddonVersion']}")
            options["addonVersion"] = wanted["AddonVersion"]
        if wanted.get("ServiceAccountRoleArn"):
            require_role(
                request, wanted["ServiceAccountRoleArn"], service="Eks", principal="sts:AssumeRoleWithWebIdentity"
            )
            options["serviceAccountRoleArn"] = wanted["ServiceAccountRoleArn"]
        if wanted.get("ConfigurationValues"):
            try:
                json.loads(wanted["ConfigurationValues"])
            except ValueError as error:
                raise service_fault(
                    "Eks", "ConfigurationValue provided in request is not supported: not JSON"
                ) from error
            options["configurationValues"] = wanted["ConfigurationValues"]
        for entry in wanted.get("PodIdentityAssociations", []):
            require_role(request, entry["RoleArn"], service="Eks", principal="pods.eks.amazonaws.com")
        return options


def _minor(version: str) -> int:
    return int(version.split(".")[1])


class AccessEntry(Handler):
    """AWS::EKS::AccessEntry: ``Ref`` is principal and cluster joined by a bar."""

    def create(self, request: Request) -> Created:
        """Create the entry and associate its policies."""
        wanted = request.properties
        cluster = require_cluster(request)
        mode = (cluster.get("accessConfig") or {}).get("authenticationMode", "CONFIG_MAP")
        if mode not in {"API", "API_AND_CONFIG_MAP"}:
            raise service_fault(
                "Eks",
                "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this "
                "operation.",
            )
        if not re.fullmatch(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:(role|user|assumed-role)/.+", wanted["PrincipalArn"]):
            raise service_fault("Eks", "The specified principalArn is invalid: invalid principal.")
        client = request.aws("eks")
        names = {"KubernetesGroups": "kubernetesGroups", "Username": "username", "Type": "type"}
        options = {target: wanted[source] for source, target in names.items() if wanted.get(source)}
        shared = {"clusterName": wanted["ClusterName"], "principalArn": wanted["PrincipalArn"]}
        try:
            got = client.create_access_entry(**shared, **options, tags=tag_map(wanted))["accessEntry"]
        except ClientError as error:
            raise refused(error) from error
        self._associate(request, wanted, shared)
        return Created(f"{wanted['PrincipalArn']}|{wanted['ClusterName']}", {"AccessEntryArn": got["accessEntryArn"]})

    def update(self, request: Request) -> Created:
        """Change groups and policies in place."""
        self.delete(request)
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Remove the entry with its policies."""
        wanted = request.previous or request.properties
        _delete(request, "delete_access_entry", clusterName=wanted["ClusterName"], principalArn=wanted["PrincipalArn"])

    @staticmethod
    def _associate(request: Request, wanted: Properties, shared: dict[str, str]) -> None:
        for policy in wanted.get("AccessPolicies", []):
            if not _ACCESS_POLICY.fullmatch(policy["PolicyArn"]):
                raise service_fault("Eks", f"The specified policyArn is invalid: {policy['PolicyArn']}")
            scope = {"type": policy["AccessScope"]["Type"], "namespaces": policy["AccessScope"].get("Namespaces", [])}
            if scope["type"] == "namespace" and not scope["namespaces"]:
                raise service_fault("Eks", "Namespaces must be given for an access scope of type namespace.")
            try:
                request.aws("eks").associate_access_policy(**shared, policyArn=policy["PolicyArn"], accessScope=scope)
            except ClientError as error:
                raise refused(error) from error


class PodIdentity(Handler):
    """AWS::EKS::PodIdentityAssociation: ``Ref`` is the association's ARN."""

    def create(self, request: Request) -> Created:
        """Binds a service account to a role that EKS's pods may assume."""
        wanted = request.properties
        require_cluster(request)
        require_role(request, wanted["RoleArn"], service="Eks", principal="pods.eks.amazonaws.com")
        try:
            got = request.aws("eks").create_pod_identity_association(
                clusterName=wanted["ClusterName"],
                namespace=wanted["Namespace"],
                serviceAccount=wanted["ServiceAccount"],
                roleArn=wanted["RoleArn"],
                tags=tag_map(wanted),
            )["association"]
        except ClientError as error:
            raise refused(error) from error
        arn = got["associationArn"]
        return Created(arn, {"AssociationArn": arn, "AssociationId": got["associationId"], "ExternalId": ""})

    def delete(self, request: Request) -> None:
        """Remove the binding."""
        wanted = request.previous or request.properties
        identifier = request.physical_id.rpartition("/")[2]
        _delete(request, "delete_pod_identity_association", clusterName=wanted["ClusterName"], associationId=identifier)


def _delete(request: Request, call: str, **arguments: str) -> None:
    try:
        getattr(request.aws("eks"), call)(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"ResourceNotFoundException", "NotFoundException"}:
            raise refused(error) from error


HANDLERS: dict[str, Handler] = {
    "AWS::EKS::Addon": Addon(),
    "AWS::EKS::AccessEntry": AccessEntry(),
    "AWS::EKS::PodIdentityAssociation": PodIdentity(),
}
