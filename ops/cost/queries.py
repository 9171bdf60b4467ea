"""Where AWS's Price List API has each figure: service, what its usage type ends with, unit.

A usage type begins with nothing in us-east-1, with ``USE1-`` for some services, ``EU-`` in eu-west-1, ``APS1-`` in
ap-southeast-1: so the region is a filter, and the beginning is not looked at.
Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

PERMISSIONS = ("pricing:GetProducts",)
"""What ``ops cost --refresh`` calls; policies/cost.json allows it."""

HOURS = ("hrs", "hours", "hour")
_PREFIX = r"(?:[A-Z]{2,4}\d{0,2}-)?"


@dataclass(frozen=True)
class Query:
    """One figure, and how it is found."""

    service_code: str
    usage_type: str
    """What a usage type is called in us-east-1; in other regions something stands before it."""
    units: tuple[str, ...]
    """Units that the figure may be in, in small letters."""
    times: float = 1.0
    """What one unit of AWS's is of ours: 1,000 requests, or one MiBps of a GiBps."""
    filters: dict[str, str] = field(default_factory=dict)
    region_attribute: str = "regionCode"
    everywhere: bool = True
    """Whether every region sells it: where one does not, its figure is left out."""

    def matches(self, usage_type: str) -> bool:
        """Return whether a usage type is this one in whatever region."""
        return re.fullmatch(_PREFIX + re.escape(self.usage_type), usage_type) is not None


def _balancer(kind: str, usage_type: str, units: tuple[str, ...]) -> Query:
    return Query("AWSELB", usage_type, units, filters={"productFamily": f"Load Balancer-{kind}"})


QUERIES: dict[tuple[str, str], Query] = {
    ("cloudwatch", "alarm"): Query("AmazonCloudWatch", "CW:AlarmMonitorUsage", ("alarms",)),
    ("cloudwatch", "logs-ingest"): Query("AmazonCloudWatch", "DataProcessing-Bytes", ("gb",)),
    ("cloudwatch", "logs-storage"): Query("AmazonCloudWatch", "TimedStorage-ByteHrs", ("gb-mo",)),
    ("cloudwatch", "metric-first-10000"): Query("AmazonCloudWatch", "CW:MetricMonitorUsage", ("metrics",)),
    ("codebuild", "medium-minute"): Query("CodeBuild", "Build-Min:Linux:g1.medium", ("minutes",), everywhere=False),
    ("codebuild", "small-minute"): Query("CodeBuild", "Build-Min:Linux:g1.small", ("minutes",), everywhere=False),
    # Of pipelines of type V2.
    ("codepipeline", "action-minute"): Query(
        "AWSCodePipeline", "actionExecutionMinute", ("minutes",), everywhere=False
    ),
    ("ebs", "gp3-iops-over-3000"): Query("AmazonEC2", "EBS:VolumeP-IOPS.gp3", ("iops-mo",)),
    ("ebs", "gp3-storage"): Query("AmazonEC2", "EBS:VolumeUsage.gp3", ("gb-mo",)),
    ("ebs", "gp3-throughput-over-125"): Query("AmazonEC2", "EBS:VolumeP-Throughput.gp3", ("gibps-mo",), 1 / 1024),
    ("eks", "cluster-extended-support"): Query("AmazonEKS", "AmazonEKS-Hours:extendedSupport", HOURS),
    ("eks", "cluster-standard-support"): Query("AmazonEKS", "AmazonEKS-Hours:perCluster", HOURS),
    ("elb", "alb-hour"): _balancer("Application", "LoadBalancerUsage", HOURS),
    ("elb", "alb-lcu"): _balancer("Application", "LCUUsage", ("lcu-hrs",)),
    ("elb", "nlb-hour"): _balancer("Network", "LoadBalancerUsage", HOURS),
    ("elb", "nlb-nlcu"): _balancer("Network", "LCUUsage", ("lcu-hrs", "nlcu-hrs")),
    ("kms", "key"): Query("awskms", "KMS-Keys", ("keys", "months")),
    ("kms", "requests"): Query("awskms", "KMS-Requests", ("requests",), 10_000),
    ("msk-storage", "gp2"): Query("AmazonMSK", "Kafka.Storage.GP2", ("gb-mo",)),
    # NAT gateways are sold under EC2.
    ("nat", "hour"): Query("AmazonEC2", "NatGateway-Hours", HOURS, filters={"productFamily": "NAT Gateway"}),
    ("nat", "processed"): Query("AmazonEC2", "NatGateway-Bytes", ("gb",), filters={"productFamily": "NAT Gateway"}),
    ("s3", "get"): Query("AmazonS3", "Requests-Tier2", ("requests",), 1000),
    ("s3", "put"): Query("AmazonS3", "Requests-Tier1", ("requests",), 1000),
    ("s3", "standard-first-50TB"): Query("AmazonS3", "TimedStorage-ByteHrs", ("gb-mo",)),
    ("secretsmanager", "requests"): Query(
        "AWSSecretsManager", "AWSSecretsManagerAPIRequest", ("api requests", "requests"), 10_000
    ),
    ("secretsmanager", "secret"): Query("AWSSecretsManager", "AWSSecretsManager-Secrets", ("secrets",)),
    ("transfer", "between-zones-each-direction"): Query(
        "AWSDataTransfer", "DataTransfer-Regional-Bytes", ("gb",), region_attribute="fromRegionCode"
    ),
    ("vpc", "interface-endpoint"): Query("AmazonVPC", "VpcEndpoint-Hours", HOURS),
    ("vpc", "interface-endpoint-processed"): Query("AmazonVPC", "VpcEndpoint-Bytes", ("gb",)),
    ("vpc", "public-ipv4"): Query("AmazonVPC", "PublicIPv4:InUseAddress", HOURS),
}

EC2_FILTERS = {
    "productFamily": "Compute Instance",
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "licenseModel": "No License required",
}
"""Linux on demand, and no other of the dozen prices of an instance type."""

BROKER = re.compile(_PREFIX + r"Kafka\.(?P<type>(?:m|t)\d+[a-z]*\.\w+)")
"""Usage type of a broker: MSK's products have no attribute ``instanceType``."""
RESERVED = {"LeaseContractLength": "1yr", "OfferingClass": "standard", "PurchaseOption": "No Upfront"}
