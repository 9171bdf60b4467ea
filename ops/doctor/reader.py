"""Reads of AWS what `ops doctor` judges. It changes nothing, and what it may not read it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from ops import aws
from ops.doctor import kept_bucket
from ops.doctor.facts import (
    APPLICATION_LOAD_BALANCERS,
    BUILDS,
    ELASTIC_IPS,
    NETWORK_LOAD_BALANCERS,
    SPOT_VCPUS,
    VCPUS,
    VPCS,
    Allowance,
    Facts,
    Maybe,
    Quota,
    StackState,
    Subnet,
    Unread,
    Vpc,
    Zone,
)
from ops.errors import OpsError
from settings import Environment, SettingsError
from settings.needs import Needs, needs_of
from settings.parts import Part, parts, stack_name
from settings.pipeline import Pipeline
from settings.waves import available_pipelines, load_pipeline

ClientFactory = Callable[[str], aws.AwsClient]
Value = TypeVar("Value")

# Families that the quotas call Standard: https://docs.aws.amazon.com/ec2/latest/userguide/ec2-on-demand-instances.html
_STANDARD = tuple("acdhimrtz")
# Their names begin with letters of those, and they have quotas of their own.
_NOT_STANDARD = ("dl", "inf", "trn", "mac", "hpc")
_OF_STACK = "aws:cloudformation:stack-name"
_OF_CLUSTER = "eks:cluster-name"


class Reader:
    """Reads the facts of one environment, each by itself: one that is refused leaves the others."""

    def __init__(self, env: Environment, clients: ClientFactory) -> None:
        self._env = env
        self._needs: Needs = needs_of(env)
        self._make: ClientFactory = cache(clients)

    def facts(self, *, qualifier: str) -> Facts:
        """Return what this account is.

        Args:
            qualifier: Qualifier of the bootstrap.

        Raises:
            OpsError: The credentials do not work: nothing else could be read.
        """
        with aws.reading("the account of the credentials"):
            caller = self._make("sts").get_caller_identity()
        env, needs = self._env, self._needs
        return Facts(
            account=caller["Account"],
            caller=caller["Arn"],
            bootstrap=_read("ssm:GetParameter", lambda: self._bootstrap(qualifier)),
            allowances=self._allowances(),
            lambda_executions=_read("lambda:GetAccountSettings", self._lambda_executions),
            builds=self._quota(BUILDS),
            pipelines=_pipelines(),
            zones=_read("ec2:DescribeAvailabilityZones", self._zones),
            offered=_read("ec2:DescribeInstanceTypeOfferings", self._offered),
            kafka_versions=_read("kafka:ListKafkaVersions", self._kafka_versions) if needs.kafka_version else {},
            kubernetes=_read("eks:DescribeClusterVersions", self._kubernetes),
            addons={name: _read("eks:DescribeAddonVersions", partial(self._addon, name)) for name in needs.addons},
            bucket=_read(kept_bucket.PERMISSION, lambda: kept_bucket.read(self._env, self._make)),
            vpc=_read("ec2:DescribeVpcs and ec2:DescribeVpcAttribute", self._vpc),
            subnets=_read("ec2:DescribeSubnets", self._subnets),
            ways_out=_read("ec2:DescribeRouteTables", self._ways_out),
            stacks={
                name: _read("cloudformation:DescribeStacks", partial(self._stack, name))
                for name in (stack_name(env, part) for part in parts(env))
            },
            eks_cluster=_read("eks:DescribeCluster", self._eks_cluster),
            msk_cluster=_read("kafka:ListClustersV2", self._msk_cluster) if needs.kafka_version else False,
            waiting_secrets=_read("secretsmanager:ListSecrets", self._waiting_secrets) if needs.kafka_version else (),
        )

    def _bootstrap(self, qualifier: str) -> int | None:
        ssm = self._make("ssm")
        try:
            return int(ssm.get_parameter(Name=f"/cdk-bootstrap/{qualifier}/version")["Parameter"]["Value"])
        except ssm.exceptions.ParameterNotFound:
            return None

    def _allowances(self) -> dict[Quota, Allowance]:
        needs = self._needs
        wanted: dict[Quota, tuple[int, str, Callable[[], int]]] = {
            VCPUS: (needs.on_demand_vcpus, "ec2:DescribeInstances", lambda: self._vcpus(spot=False)),
            SPOT_VCPUS: (needs.spot_vcpus, "ec2:DescribeInstances", lambda: self._vcpus(spot=True)),
            ELASTIC_IPS: (needs.elastic_ips, "ec2:DescribeAddresses", self._elastic_ips),
            VPCS: (needs.vpcs, "ec2:DescribeVpcs", self._vpcs),
            NETWORK_LOAD_BALANCERS: (
                needs.network_load_balancers,
                "elasticloadbalancing:DescribeLoadBalancers",
                lambda: self._load_balancers("network"),
            ),
            APPLICATION_LOAD_BALANCERS: (
                needs.application_load_balancers,
                "elasticloadbalancing:DescribeLoadBalancers",
                lambda: self._load_balancers("application"),
            ),
        }
        return {
            quota: Allowance(quota=self._quota(quota), used=_read(permission, used))
            for quota, (needed, permission, used) in wanted.items()
            if needed
        }

    def _quota(self, quota: Quota) -> Maybe[int]:
        client = self._make("service-quotas")
        asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}

        def applied() -> int | None:
            try:
                return int(client.get_service_quota(**asked)["Quota"]["Value"])
            except client.exceptions.NoSuchResourceException:
                return None

        def default() -> int:
            return int(client.get_aws_default_service_quota(**asked)["Quota"]["Value"])

        found = _read("servicequotas:GetServiceQuota", applied)
        # A quota that nobody has changed may have no value of the account's own.
        return _read("servicequotas:GetAWSDefaultServiceQuota", default) if found is None else found

    def _vcpus(self, *, spot: bool) -> int:
        states = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        return sum(
            instance["CpuOptions"]["CoreCount"] * instance["CpuOptions"]["ThreadsPerCore"]
            for page in self._pages("ec2", "describe_instances", Filters=states)
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
            if (instance.get("InstanceLifecycle") == "spot") is spot
            and _is_standard(instance["InstanceType"])
            and _tags(instance).get(_OF_CLUSTER) != self._env.name
        )

    def _elastic_ips(self) -> int:
        return len([each for each in self._make("ec2").describe_addresses()["Addresses"] if not self._is_own(each)])

    def _vpcs(self) -> int:
        return len(
            [each for page in self._pages("ec2", "describe_vpcs") for each in page["Vpcs"] if not self._is_own(each)]
        )

    def _is_own(self, resource: dict[str, Any]) -> bool:
        return _tags(resource).get(_OF_STACK) == stack_name(self._env, Part.NETWORK)

    def _load_balancers(self, kind: str) -> int:
        pages = self._pages("elbv2", "describe_load_balancers")
        return len([each for page in pages for each in page["LoadBalancers"] if each["Type"] == kind])

    def _lambda_executions(self) -> int:
        limits = self._make("lambda").get_account_settings()["AccountLimit"]
        return int(limits["UnreservedConcurrentExecutions"])

    def _zones(self) -> tuple[Zone, ...]:
        found = self._make("ec2").describe_availability_zones(
            Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}]
        )
        return tuple(
            Zone(name=zone["ZoneName"], zone_id=zone["ZoneId"], state=zone["State"])
            for zone in found["AvailabilityZones"]
        )

    def _offered(self) -> frozenset[tuple[str, str]]:
        types = {kind for kinds in self._needs.instance_types.values() for kind in kinds}
        if self._needs.broker_type:
            types.add(self._needs.broker_type.removeprefix("kafka."))
        pages = self._pages(
            "ec2",
            "describe_instance_type_offerings",
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": sorted(types)}],
        )
        return frozenset(
            (each["InstanceType"], each["Location"]) for page in pages for each in page["InstanceTypeOfferings"]
        )

    def _kafka_versions(self) -> dict[str, str]:
        pages = self._pages("kafka", "list_kafka_versions")
        return {each["Version"]: each["Status"] for page in pages for each in page["KafkaVersions"]}

    def _kubernetes(self) -> str | None:
        version = self._needs.kubernetes
        found = self._make("eks").describe_cluster_versions(clusterVersions=[version])["clusterVersions"]
        status = {each["clusterVersion"]: each.get("versionStatus") or each["status"] for each in found}
        return status[version].upper().replace("-", "_") if version in status else None

    def _addon(self, name: str) -> tuple[str, ...]:
        pages = self._pages("eks", "describe_addon_versions", kubernetesVersion=self._needs.kubernetes, addonName=name)
        return tuple(
            build["addonVersion"] for page in pages for addon in page["addons"] for build in addon["addonVersions"]
        )

    def _vpc(self) -> Vpc | None:
        existing = self._env.network.existing
        if existing is None:
            return None
        ec2 = self._make("ec2")
        found = ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [existing.vpc_id]}])["Vpcs"]
        if not found:
            return None
        associated = found[0].get("CidrBlockAssociationSet", [])
        cidrs = {found[0]["CidrBlock"]: None} | {each["CidrBlock"]: None for each in associated}

        def attribute(name: str) -> bool:
            answer = ec2.describe_vpc_attribute(VpcId=existing.vpc_id, Attribute=name)
            return bool(answer[name[0].upper() + name[1:]]["Value"])

        return Vpc(
            cidrs=tuple(cidrs),
            dns_support=attribute("enableDnsSupport"),
            dns_hostnames=attribute("enableDnsHostnames"),
        )

    def _subnets(self) -> dict[str, Subnet]:
        existing = self._env.network.existing
        if existing is None:
            return {}
        wanted = [*existing.private_subnet_ids, *existing.public_subnet_ids]
        pages = self._pages("ec2", "describe_subnets", Filters=[{"Name": "subnet-id", "Values": wanted}])
        return {
            each["SubnetId"]: Subnet(
                vpc_id=each["VpcId"],
                zone=each["AvailabilityZone"],
                free=each["AvailableIpAddressCount"],
                tags=_tags(each),
            )
            for page in pages
            for each in page["Subnets"]
        }

    def _ways_out(self) -> frozenset[str]:
        existing = self._env.network.existing
        if existing is None:
            return frozenset()
        pages = self._pages("ec2", "describe_route_tables", Filters=[{"Name": "vpc-id", "Values": [existing.vpc_id]}])
        main, own = False, {}
        for table in (each for page in pages for each in page["RouteTables"]):
            # Whatever stands behind it, a NAT gateway, a transit gateway or an appliance, is for the owner to know.
            leads = any(
                route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State") == "active"
                for route in table.get("Routes", [])
            )
            for association in table.get("Associations", []):
                main = leads if association.get("Main") else main
                if subnet := association.get("SubnetId"):
                    own[subnet] = leads
        return frozenset(each for each in existing.private_subnet_ids if own.get(each, main))

    def _stack(self, name: str) -> StackState | None:
        try:
            found = self._make("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if aws.is_missing_stack(error):
                return None
            raise
        return StackState(state=found["StackStatus"], protected=bool(found.get("EnableTerminationProtection")))

    def _eks_cluster(self) -> bool:
        eks = self._make("eks")
        try:
            eks.describe_cluster(name=self._env.name)
        except eks.exceptions.ResourceNotFoundException:
            return False
        return True

    def _msk_cluster(self) -> bool:
        # The filter is a prefix.
        pages = self._pages("kafka", "list_clusters_v2", ClusterNameFilter=self._env.name)
        return any(each["ClusterName"] == self._env.name for page in pages for each in page["ClusterInfoList"])

    def _waiting_secrets(self) -> tuple[str, ...]:
        prefix = f"AmazonMSK_{self._env.name}-"
        pages = self._pages(
            "secretsmanager",
            "list_secrets",
            IncludePlannedDeletion=True,
            Filters=[{"Key": "name", "Values": [prefix]}],
        )
        return tuple(each["Name"] for page in pages for each in page["SecretList"] if each.get("DeletedDate"))

    def _pages(self, service: str, operation: str, **asked: Any) -> Iterable[dict[str, Any]]:  # noqa: ANN401 - of AWS
        pages: Iterable[dict[str, Any]] = self._make(service).get_paginator(operation).paginate(**asked)
        return pages


def _read(permission: str, read: Callable[[], Value]) -> Maybe[Value]:
    try:
        with aws.reading(permission):
            return read()
    except OpsError as error:
        return Unread(reason=error.problem, permission=permission)


def _pipelines() -> Maybe[dict[str, Pipeline]]:
    try:
        return {name: load_pipeline(name) for name in available_pipelines()}
    except SettingsError as error:
        return Unread(reason=f"{error.source} is not valid", permission="a pipeline's file without an error")


def _is_standard(instance_type: str) -> bool:
    return instance_type.startswith(_STANDARD) and not instance_type.startswith(_NOT_STANDARD)


def _tags(resource: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
