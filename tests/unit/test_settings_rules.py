"""Each rule across fields refuses what it is there for, by a message that names the remedy."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from settings import SettingsError, load_warnings, parse_environment
from settings.releases import RELEASE_LINES
from settings.rules.queue import partition_replicas
from tests.unit.settings_files import file_with

TODAY = date(2026, 11, 23)

GROUP = "cluster.node_groups.milvus"
ATTU = {"exposure": "internet-facing", "inbound_cidrs": ["203.0.113.0/24"]}
CERTIFICATE = "arn:aws:acm:us-east-2:111122223333:certificate/00000000-0000-0000-0000-000000000000"
CERTIFICATE_IN_CHINA = "arn:aws-cn:acm:cn-north-1:111122223333:certificate/00000000-0000-0000-0000-000000000000"
IN_CHINA = ("network.zones", ["a", "b", "d"])
CERTIFICATE_OF_EAST_1 = CERTIFICATE.replace("us-east-2", "us-east-1")
COGNITO = {
    "user_pool_arn": "arn:aws:cognito-idp:us-east-2:111122223333:userpool/us-east-2_x",
    "user_pool_client_id": "client",
    "user_pool_domain": "domain",
}
OIDC = {
    "issuer": "https://id.example",
    "authorization_endpoint": "https://id.example/authorize",
    "token_endpoint": "https://id.example/token",
    "user_info_endpoint": "https://id.example/user",
    "client_secret_arn": "arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-AbCdEf",
}
EXISTING = {
    "vpc_id": "vpc-0123456789abcdef0",
    "private_subnet_ids": ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2", "subnet-0aaaaaaaaaaaaaaa3"],
}
BUCKET = {
    "bucket": "kept-vectors",
    "key_arn": "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-0000-0000-000000000009",
}
SUBNET = "subnet-0aaaaaaaaaaaaaaa1"

# One node that the standalone pod and etcd fill, and another for the add-ons.
FULL_NODE: list[tuple[str, Any]] = [
    ("milvus.mode", "standalone"),
    ("milvus.components.standalone", {"cpu": 1, "memory_gib": 9.9}),
    ("milvus.etcd", {"replicas": 1}),
    ("milvus.node_group", "milvus"),
    (GROUP, {"instance_types": ["m7g.xlarge"], "desired_size": 1, "max_size": 1}),
    ("cluster.node_groups.system", {"instance_types": ["m7g.large"], "desired_size": 1, "max_size": 1}),
]

BOTH_ADVISORIES = ("milvus.acknowledge", ["CVE-2026-26190", "CVE-2025-64513"])

CASES: dict[str, tuple[list[tuple[str, Any]], str]] = {
    "aws tag": (
        [("tags", {"aws:x": "y"})],
        "tags.aws:x: aws:x: AWS keeps keys that start with aws: for itself; use another key",
    ),
    "too many tags": (
        [("tags", {f"k{n}": "v" for n in range(41)})],
        "tags: at most 40, got 41: AWS takes 50 for a resource, and some carry their own; remove some",
    ),
    "loopback as vpc": (
        [("network.cidr", "127.0.0.0/16")],
        "network.cidr: 127.0.0.0/16 is in 127.0.0.0/8, which no VPC may use; take a private one, such as 10.0.0.0/16",
    ),
    "link-local as vpc": (
        [("network.cidr", "169.254.0.0/16")],
        "network.cidr: 169.254.0.0/16 is in 169.254.0.0/16, which no VPC may use; take a private one, such "
        "as 10.0.0.0/16",
    ),
    "multicast as vpc": (
        [("network.cidr", "230.1.0.0/16")],
        "network.cidr: 230.1.0.0/16 is in 224.0.0.0/4, which no VPC may use; take a private one, such as 10.0.0.0/16",
    ),
    "nowhere as vpc": (
        [("network.cidr", "0.1.0.0/16")],
        "network.cidr: 0.1.0.0/16 is in 0.0.0.0/8, which no VPC may use; take a private one, such as 10.0.0.0/16",
    ),
    "multicast as a further range": (
        [("network.existing", {**EXISTING, "secondary_cidrs": ["100.64.0.0/16", "224.1.0.0/16"]})],
        "network.existing.secondary_cidrs: 224.1.0.0/16 is in 224.0.0.0/4, which no VPC may use; take a "
        "private one, such as 10.0.0.0/16",
    ),
    "subnet twice": (
        [("network.existing", {**EXISTING, "private_subnet_ids": [SUBNET, "subnet-0aaaaaaaaaaaaaaa2", SUBNET]})],
        f"network.existing.private_subnet_ids: {SUBNET} appears twice; name one subnet for "
        "each zone, none of them private and public",
    ),
    "public subnet twice": (
        [
            (
                "network.existing",
                {**EXISTING, "public_subnet_ids": ["subnet-0bbbbbbbbbbbbbbb1"] * 2 + ["subnet-0bbbbbbbbbbbbbbb3"]},
            )
        ],
        "network.existing.public_subnet_ids: subnet-0bbbbbbbbbbbbbbb1 appears twice; name one subnet for "
        "each zone, none of them private and public",
    ),
    "subnet private and public": (
        [
            (
                "network.existing",
                {**EXISTING, "public_subnet_ids": [SUBNET, "subnet-0bbbbbbbbbbbbbbb2", "subnet-0bbbbbbbbbbbbbbb3"]},
            )
        ],
        f"network.existing.public_subnet_ids: {SUBNET} appears twice; name one subnet for "
        "each zone, none of them private and public",
    ),
    "public subnets per zone": (
        [("network.existing", {**EXISTING, "public_subnet_ids": ["subnet-0bbbbbbbbbbbbbbb1"]})],
        "network.existing.public_subnet_ids: one subnet for each of the 3 zones (a, b, c), got 1; add or "
        "remove subnets, or name their zones in network.zones",
    ),
    "versions of an existing bucket": (
        [("storage", {"existing": BUCKET, "versioning": True})],
        "storage.versioning: is true, and kept-vectors of storage.existing is used as it is; remove the setting, and "
        "switch versioning on at the bucket itself",
    ),
    "key of an existing bucket in another account": (
        [("account", "444455556666"), ("storage.existing", BUCKET)],
        "storage.existing.key_arn: belongs to account 111122223333, the environment to 444455556666; name the key of a "
        "bucket in that account",
    ),
    "key of an existing bucket in another region": (
        [("storage.existing", {**BUCKET, "key_arn": BUCKET["key_arn"].replace("us-east-2", "us-west-2")})],
        "storage.existing.key_arn: arn:aws:kms:us-west-2:111122223333:key/00000000-0000-0000-0000-000000000009 is of "
        "region us-west-2; it has to be in us-east-2, like the resource that uses it",
    ),
    "garbage of an existing bucket": (
        [
            ("storage.existing", BUCKET),
            ("milvus.configuration", {"dataCoord": {"enableGarbageCollection": True, "segment": {"maxSize": 512}}}),
        ],
        "milvus.configuration.dataCoord.enableGarbageCollection: is not for this place: set "
        "storage.existing.garbage_collection instead",
    ),
    "label of kubernetes": (
        [(f"{GROUP}.labels", {"node-role.kubernetes.io/milvus": ""})],
        "cluster.node_groups.milvus.labels: node-role.kubernetes.io/milvus: EKS takes no label of "
        "kubernetes.io, k8s.io, eks.amazonaws.com; use a key of your own, such as role",
    ),
    "label of eks": (
        [(f"{GROUP}.labels", {"eks.amazonaws.com/capacity": "x"})],
        "cluster.node_groups.milvus.labels: eks.amazonaws.com/capacity: EKS takes no label of kubernetes.io, "
        "k8s.io, eks.amazonaws.com; use a key of your own, such as role",
    ),
    "label of k8s": (
        [(f"{GROUP}.labels", {"k8s.io/x": "x"})],
        "cluster.node_groups.milvus.labels: k8s.io/x: EKS takes no label of kubernetes.io, k8s.io, "
        "eks.amazonaws.com; use a key of your own, such as role",
    ),
    "role of another partition": (
        [("cluster.admin_role_arns", ["arn:aws-cn:iam::111122223333:role/x"])],
        "cluster.admin_role_arns: arn:aws-cn:iam::111122223333:role/x is of partition aws-cn, us-east-2 of "
        "aws; use one of arn:aws:...",
    ),
    "certificate in the wrong part of the world": (
        [
            ("region", "cn-north-1"),
            IN_CHINA,
            ("milvus.service", {"certificate_arn": CERTIFICATE, "hostname": "a.example.com"}),
        ],
        "milvus.service.certificate_arn: "
        f"{CERTIFICATE} is of partition "
        "aws, cn-north-1 of aws-cn; use one of arn:aws-cn:...",
    ),
    "certificate of another region": (
        [("region", "us-east-1"), ("milvus.service", {"certificate_arn": CERTIFICATE, "hostname": "a.example.com"})],
        "milvus.service.certificate_arn: "
        f"{CERTIFICATE} is of region "
        "us-east-2; it has to be in us-east-1, like the resource that uses it",
    ),
    "certificate of attu of another region": (
        [("region", "us-east-1"), ("milvus.attu", {**ATTU, "certificate_arn": CERTIFICATE})],
        "milvus.attu.certificate_arn: "
        f"{CERTIFICATE} is of region "
        "us-east-2; it has to be in us-east-1, like the resource that uses it",
    ),
    "certificate of attu of another partition": (
        [("region", "cn-north-1"), IN_CHINA, ("milvus.attu", {**ATTU, "certificate_arn": CERTIFICATE})],
        "milvus.attu.certificate_arn: "
        f"{CERTIFICATE} is of partition "
        "aws, cn-north-1 of aws-cn; use one of arn:aws-cn:...",
    ),
    "client secret of another partition": (
        [
            ("region", "cn-north-1"),
            IN_CHINA,
            ("milvus.attu", {**ATTU, "certificate_arn": CERTIFICATE_IN_CHINA, "oidc": OIDC}),
        ],
        "milvus.attu.oidc.client_secret_arn: "
        "arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-AbCdEf is of partition aws, cn-north-1 of "
        "aws-cn; use one of arn:aws-cn:...",
    ),
    "client secret of another region": (
        [("region", "us-east-1"), ("milvus.attu", {**ATTU, "certificate_arn": CERTIFICATE_OF_EAST_1, "oidc": OIDC})],
        "milvus.attu.oidc.client_secret_arn: "
        "arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-AbCdEf is of region us-east-2; it has to "
        "be in us-east-1, like the resource that uses it",
    ),
    "user pool of another partition": (
        [
            ("region", "cn-north-1"),
            IN_CHINA,
            ("milvus.attu", {**ATTU, "certificate_arn": CERTIFICATE_IN_CHINA, "cognito": COGNITO}),
        ],
        f"milvus.attu.cognito.user_pool_arn: {COGNITO['user_pool_arn']} "
        "is of partition aws, cn-north-1 of aws-cn; use one of arn:aws-cn:...",
    ),
    "kraft that msk does not have": (
        [("queue.kafka_version", "3.9.0.kraft")],
        "queue.kafka_version: MSK has no 3.9.0.kraft; use one of 3.7.x.kraft, 3.8.x.kraft, 3.9.x.kraft",
    ),
    "kraft before there was one": (
        [("queue.kafka_version", "3.6.x.kraft")],
        "queue.kafka_version: MSK has no 3.6.x.kraft; use one of 3.7.x.kraft, 3.8.x.kraft, 3.9.x.kraft",
    ),
    "host bits": (
        [("network.cidr", "10.0.0.1/16")],
        "network.cidr: 10.0.0.1/16 is not a network (10.0.0.1/16 has host bits set); write it like "
        "10.0.0.0/16, host bits zero",
    ),
    "vpc too large": (
        [("network.cidr", "10.0.0.0/8")],
        "network.cidr: a VPC takes /16 to /28, got /8; use 10.0.0.0/16",
    ),
    "vpc too small": (
        [("network.cidr", "10.0.0.0/29")],
        "network.cidr: a VPC takes /16 to /28, got /29; use 10.0.0.0/16",
    ),
    "subnets too large": (
        [("network.private_subnet_prefix", 17)],
        "network.private_subnet_prefix: 3 private /17 and 3 public /24 subnets (space is kept for 3 zones) "
        "need 99072 addresses, 10.0.0.0/16 has 65536; use a larger network.cidr or longer prefixes",
    ),
    "default zones of tokyo": (
        [("region", "ap-northeast-1")],
        "network.zones: ap-northeast-1 has not the zones a, b, c that are the default; name them, such as [a, c, d]: "
        "`aws ec2 describe-availability-zones --region ap-northeast-1` lists those of your account",
    ),
    "three zones of northern california": (
        [("region", "us-west-1"), ("network.zones", ["a", "b", "c"])],
        "network.zones: us-west-1 has two zones for an account, and MSK takes exactly two subnets there, got a, b, c; "
        "name two: `aws ec2 describe-availability-zones --region us-west-1` lists those of your account",
    ),
    "endpoint twice": (
        [("network.interface_endpoints", ["sts", "logs", "sts"])],
        "network.interface_endpoints: sts appears twice; remove one",
    ),
    "taint twice": (
        [(f"{GROUP}.taints", [{"key": "a", "effect": "PREFER_NO_SCHEDULE"}] * 2)],
        "cluster.node_groups.milvus.taints: a::PREFER_NO_SCHEDULE appears twice; remove one",
    ),
    "roles that differ in a slash": (
        [("cluster.admin_role_arns", [f"arn:aws:iam::111122223333:role/{role}" for role in ("x/y", "x-y")])],
        "cluster.admin_role_arns: arn:aws:iam::111122223333:role/x/y and arn:aws:iam::111122223333:role/x-y differ in "
        "nothing but / and -, and would be one access entry; name one of them, or a role of another name",
    ),
    "key of volumes of another region": (
        [("cluster.volume_key_arn", "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000")],
        "cluster.volume_key_arn: arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000 is of "
        "region us-east-1; it has to be in us-east-2, like the resource that uses it",
    ),
    "zone twice": ([("network.zones", ["a", "a", "b"])], "network.zones: every zone once, got a, a, b"),
    "subnets per zone": (
        [("network.existing", EXISTING), ("network.zones", ["a", "b"]), ("queue.brokers", 2)],
        "network.existing.private_subnet_ids: one subnet for each of the 2 zones (a, b), got 3; add or "
        "remove subnets, or name their zones in network.zones",
    ),
    "no room for pods": (
        [("network.private_subnet_prefix", 26)],
        "network.private_subnet_prefix: a private /26 subnet has 59 addresses, but the nodes of "
        "cluster.node_groups and their pods take up to 92 in each of 3 zones; use 25 or less, or fewer nodes "
        "(max_size)",
    ),
    "no room for the pods of nodes that may come": (
        [("network.private_subnet_prefix", 25), (f"{GROUP}.max_size", 12)],
        "network.private_subnet_prefix: a private /25 subnet has 123 addresses, but the nodes of "
        "cluster.node_groups and their pods take up to 272 in each of 3 zones; use 23 or less, or fewer nodes "
        "(max_size)",
    ),
    "unknown kubernetes": (
        [("cluster.version", "1.26")],
        "cluster.version: got 1.26; EKS versions that can be created and have pinned add-ons here: 1.33, "
        "1.34, 1.35, 1.36",
    ),
    "public without ranges": (
        [("cluster.endpoint", "public-and-private")],
        "cluster.public_cidrs: a public endpoint needs the address ranges that may reach it, got none; list "
        "them, or set cluster.endpoint: private",
    ),
    "public to everybody": (
        [("cluster.endpoint", "public-and-private"), ("cluster.public_cidrs", ["0.0.0.0/0"])],
        "cluster.public_cidrs: got 0.0.0.0/0: do not open the Kubernetes API to everybody; list ranges, none "
        "wider than /8",
    ),
    "ranges of a private endpoint": (
        [("cluster.public_cidrs", ["203.0.113.0/24"])],
        "cluster.public_cidrs: given, but cluster.endpoint is private and nobody there could connect; remove "
        "them, or set cluster.endpoint: public-and-private",
    ),
    "brokers to everybody": (
        [("queue.private_cidrs", ["0.0.0.0/1", "128.0.0.0/1"])],
        "queue.private_cidrs: got 0.0.0.0/0: do not open the brokers to everybody; list ranges, none wider than /8",
    ),
    "private to everybody": (
        [("cluster.private_cidrs", ["0.0.0.0/1", "128.0.0.0/1"])],
        "cluster.private_cidrs: got 0.0.0.0/0: do not open the Kubernetes API to everybody; list ranges, none "
        "wider than /8",
    ),
    "private range twice": (
        [("cluster.private_cidrs", ["10.8.0.0/16", "192.168.0.0/24", "10.8.0.0/16"])],
        "cluster.private_cidrs: 10.8.0.0/16 appears twice; remove one",
    ),
    "private range in a wider one behind it": (
        [("cluster.private_cidrs", ["192.168.7.0/24", "192.168.0.0/16"])],
        "cluster.private_cidrs: 192.168.7.0/24 is in 192.168.0.0/16 of the list, which may connect already; "
        "remove 192.168.7.0/24",
    ),
    "private range of the vpc": (
        [("cluster.private_cidrs", ["10.0.4.0/22"])],
        "cluster.private_cidrs: 10.0.4.0/22 is in 10.0.0.0/16 of the VPC, which may connect already; remove "
        "10.0.4.0/22",
    ),
    "unknown instance": (
        [(f"{GROUP}.instance_types", ["m7g.2xlarg"])],
        "cluster.node_groups.milvus.instance_types: m7g.2xlarg is not in the instance table (did you mean "
        "m7g.2xlarge?); add it to settings/instances.json with its vCPU, memory and addresses",
    ),
    "two architectures": (
        [(f"{GROUP}.instance_types", ["m7g.2xlarge", "m7i.2xlarge"]), (f"{GROUP}.spot", True)],
        "cluster.node_groups.milvus.instance_types: one architecture for a group, got m7g.2xlarge (arm64), "
        "m7i.2xlarge (amd64); make two node groups",
    ),
    "several on-demand types": (
        [(f"{GROUP}.instance_types", ["m7g.2xlarge", "m6g.2xlarge"])],
        "cluster.node_groups.milvus.instance_types: on-demand capacity always takes the first of several "
        "types, got m7g.2xlarge, m6g.2xlarge; name one, or set spot: true",
    ),
    "size out of bounds": (
        [(f"{GROUP}.desired_size", 9)],
        "cluster.node_groups.milvus.desired_size: must be between min_size 1 and max_size 3, got 9",
    ),
    "size below its bounds": (
        [(f"{GROUP}.min_size", 4), (f"{GROUP}.max_size", 5)],
        "cluster.node_groups.milvus.desired_size: must be between min_size 4 and max_size 5, got 3",
    ),
    "label of the application": (
        [(f"{GROUP}.labels", {"node-group": "other"})],
        "cluster.node_groups.milvus.labels: the label node-group is set by the application; remove it",
    ),
    "no such group": (
        [("milvus.node_group", "milvs")],
        "milvus.node_group: no node group milvs (did you mean milvus?); there are: milvus",
    ),
    "no such group for a component": (
        [("milvus.components.query_node", {"node_group": "quer"})],
        "milvus.components.query_node.node_group: no node group quer; there are: milvus",
    ),
    "no such group for etcd": (
        [("milvus.etcd", {"node_group": "etcd"})],
        "milvus.etcd.node_group: no node group etcd; there are: milvus",
    ),
    "all groups tainted": (
        [(f"{GROUP}.taints", [{"key": "role"}])],
        "cluster.node_groups: every group has a taint that keeps pods away, so the add-ons and controllers "
        "have no node; leave one group without",
    ),
    "pod larger than a node": (
        [("milvus.components.query_node", {"memory_gib": 64})],
        "milvus.components.query_node: requests 2 CPU and 64 GiB, which fit on no node of any untainted "
        "group; the largest that is certain is m7g.2xlarge, whose 8 vCPU and 32 GiB leave 7.71 and 29.5 for "
        "pods; use larger instances or smaller pods",
    ),
    "pod with more cores than a node leaves": (
        [("milvus.components.query_node", {"cpu": 8, "memory_gib": 8})],
        "milvus.components.query_node: requests 8 CPU and 8 GiB, which fit on no node of any untainted "
        "group; the largest that is certain is m7g.2xlarge, whose 8 vCPU and 32 GiB leave 7.71 and 29.5 for "
        "pods; use larger instances or smaller pods",
    ),
    "pod with more memory than a node leaves": (
        [("milvus.components.query_node", {"cpu": 1, "memory_gib": 31}), ("milvus.node_group", "milvus")],
        "milvus.components.query_node: requests 1 CPU and 31 GiB, which fit on no node of milvus; the "
        "largest that is certain is m7g.2xlarge, whose 8 vCPU and 32 GiB leave 7.71 and 29.5 for pods; use "
        "larger instances or smaller pods",
    ),
    "pod that only the larger type of spot capacity holds": (
        [
            (f"{GROUP}.instance_types", ["m7g.2xlarge", "m7g.4xlarge"]),
            (f"{GROUP}.spot", True),
            ("milvus.components.query_node", {"memory_gib": 40}),
        ],
        "milvus.components.query_node: requests 2 CPU and 40 GiB, which fit on no node of any untainted "
        "group; the largest that is certain is m7g.2xlarge, whose 8 vCPU and 32 GiB leave 7.71 and 29.5 for "
        "pods; use larger instances or smaller pods",
    ),
    "pod that only the first type of spot capacity holds": (
        [
            (f"{GROUP}.instance_types", ["m7g.4xlarge", "m7g.2xlarge"]),
            (f"{GROUP}.spot", True),
            ("milvus.components.query_node", {"memory_gib": 40}),
        ],
        "milvus.components.query_node: requests 2 CPU and 40 GiB, which fit on no node of any untainted "
        "group; the largest that is certain is m7g.2xlarge, whose 8 vCPU and 32 GiB leave 7.71 and 29.5 for "
        "pods; use larger instances or smaller pods",
    ),
    "etcd in a group of nodes that are too small": (
        [
            ("cluster.node_groups.small", {"instance_types": ["m7g.large"], "desired_size": 3, "max_size": 3}),
            ("milvus.etcd", {"memory_gib": 8, "node_group": "small"}),
        ],
        "milvus.etcd: requests 1 CPU and 8 GiB, which fit on no node of small; the largest that is certain "
        "is m7g.large, whose 2 vCPU and 8 GiB leave 1.73 and 6.7 for pods; use larger instances or smaller "
        "pods",
    ),
    "member of etcd larger than a node": (
        [("milvus.etcd", {"memory_gib": 31})],
        "milvus.etcd: requests 1 CPU and 31 GiB, which fit on no node of any untainted group; the largest "
        "that is certain is m7g.2xlarge, whose 8 vCPU and 32 GiB leave 7.71 and 29.5 for pods; use larger "
        "instances or smaller pods",
    ),
    "pod with more disk than a node leaves": (
        [("milvus.components.query_node", {"disk_gib": 64})],
        "milvus.components.query_node.disk_gib: 64 GiB fit on no node of any untainted group; the largest disk that is "
        "certain, of milvus, leaves 63.0 of 80 GiB beside images and what the kubelet keeps free; use "
        "cluster.node_groups.milvus.disk_gib 82, or less here",
    ),
    "pod with more disk than the instances of its group have": (
        [
            (
                "cluster.node_groups.query",
                {"instance_types": ["r7gd.xlarge"], "desired_size": 1, "max_size": 1, "local_storage": "raid0"},
            ),
            ("milvus.components.query_node", {"disk_gib": 300, "node_group": "query"}),
        ],
        "milvus.components.query_node.disk_gib: 300 GiB fit on no node of query; the largest disk that is certain, of "
        "query, leaves 189.7 of 221 GiB beside images and what the kubelet keeps free; use larger instances, or less "
        "here",
    ),
    "pods with more disk together than the nodes have": (
        [("milvus.components.data_node", {"replicas": 4, "disk_gib": 60})],
        "cluster.node_groups.milvus.desired_size: 3 x m7g.2xlarge leave 4 of the 19 pods that name no node group (the "
        "add-ons of EKS among them) without room, and nothing adds nodes by itself; they request 19.6 CPU, 77.1 GiB "
        "and "
        "278 GiB of disk; use desired_size 5 and max_size 5, larger instances, or fewer or smaller pods",
    ),
    "instances without disks of their own": (
        [(f"{GROUP}.local_storage", "raid0")],
        "cluster.node_groups.milvus.local_storage: got raid0, but m7g.2xlarge has no disks of their own; use instances "
        "with NVMe such as r7gd.2xlarge, or none",
    ),
    "more operations than a volume of the size takes": (
        [
            (f"{GROUP}.disk_gib", 30),
            (f"{GROUP}.disk_iops", 16000),
            ("milvus.components", {"query_node": {"disk_gib": 9}}),
        ],
        "cluster.node_groups.milvus.disk_iops: at most 500 for each of 30 GiB, which is 15000, got 16000; use less, or "
        "disk_gib 32",
    ),
    "more throughput than the operations give": (
        [(f"{GROUP}.disk_throughput", 1000)],
        "cluster.node_groups.milvus.disk_throughput: at most a quarter of 3000 operations a second, which is 750, got "
        "1000; use less, or disk_iops 4000",
    ),
    "mapped files without more disk than memory": (
        [
            ("milvus.components.query_node", {"memory_gib": 24}),
            ("milvus.configuration", {"queryNode": {"mmap": {"vectorIndex": True}}}),
        ],
        "milvus.components.query_node.disk_gib: milvus.configuration.queryNode.mmap.vectorIndex maps what is loaded "
        "into "
        "files, of which there is more than fits 24 GiB of memory, got 20 GiB; use more than memory_gib, as much as "
        "the "
        "indexes take, or remove it",
    ),
    "diskann without more disk than memory": (
        [
            ("milvus.components.query_node", {"memory_gib": 24}),
            ("milvus.configuration", {"autoIndex": {"params": {"build": {"index_type": "DISKANN"}}}}),
        ],
        "milvus.components.query_node.disk_gib: milvus.configuration builds DISKANN, which lies on disk, of which "
        "there "
        "is more than fits 24 GiB of memory, got 20 GiB; use more than memory_gib, as much as the indexes take, or "
        "remove "
        "it",
    ),
    "more pods than the nodes hold": (
        [("milvus.components.query_node", {"replicas": 20, "cpu": 6, "memory_gib": 24})],
        "cluster.node_groups.milvus.desired_size: 3 x m7g.2xlarge leave 23 of the 35 pods that name no node "
        "group (the add-ons of EKS among them) without room, and nothing adds nodes by itself; they request "
        "131.6 CPU, 525.1 GiB and 428 GiB of disk; use desired_size 21 and max_size 21, larger instances, or fewer or "
        "smaller "
        "pods",
    ),
    "more pods than their group holds": (
        [
            ("cluster.node_groups.query", {"instance_types": ["r7g.2xlarge"], "desired_size": 1, "max_size": 2}),
            ("milvus.components.query_node", {"replicas": 2, "cpu": 6, "memory_gib": 48, "node_group": "query"}),
        ],
        "cluster.node_groups.query.desired_size: 1 x r7g.2xlarge leave 1 of the 2 pods that are bound to it "
        "without room, and nothing adds nodes by itself; they request 12 CPU, 96 GiB and 40 GiB of disk; use "
        "desired_size 2, "
        "larger instances, or fewer or smaller pods",
    ),
    "no nodes": (
        [(f"{GROUP}.min_size", 0), (f"{GROUP}.desired_size", 0)],
        "cluster.node_groups.milvus.desired_size: 0 x m7g.2xlarge leave 16 of the 16 pods that name no node "
        "group (the add-ons of EKS among them) without room, and nothing adds nodes by itself; they request "
        "13.6 CPU, 53.1 GiB and 48 GiB of disk; use desired_size 2, larger instances, or fewer or smaller pods",
    ),
    "room on a tainted group is none": (
        [
            (f"{GROUP}.desired_size", 1),
            (
                "cluster.node_groups.spare",
                {"instance_types": ["r7g.2xlarge"], "desired_size": 9, "max_size": 9, "taints": [{"key": "role"}]},
            ),
        ],
        "cluster.node_groups.milvus.desired_size: 1 x m7g.2xlarge leave 6 of the 16 pods that name no node "
        "group (the add-ons of EKS among them) without room, and nothing adds nodes by itself; they request "
        "13.6 CPU, 53.1 GiB and 48 GiB of disk; use desired_size 2, larger instances, or fewer or smaller pods",
    ),
    "attu without room": (
        [*FULL_NODE, ("milvus.attu", {"exposure": "internal"})],
        "cluster.node_groups.milvus.desired_size: 1 x m7g.xlarge leave 1 of the 3 pods that are bound to it "
        "without room, and nothing adds nodes by itself; they request 2.1 CPU, 14.4 GiB and 20 GiB of disk; use "
        "desired_size "
        "2 and max_size 2, larger instances, or fewer or smaller pods",
    ),
    "more pods than the largest of two groups holds": (
        [
            (f"{GROUP}.desired_size", 1),
            ("cluster.node_groups.spare", {"instance_types": ["m7g.2xlarge"], "desired_size": 2, "max_size": 2}),
            ("milvus.components.query_node", {"replicas": 6, "cpu": 1, "memory_gib": 20}),
        ],
        "cluster.node_groups.spare.desired_size: 2 x m7g.2xlarge leave 8 of the 21 pods that name no node "
        "group (the add-ons of EKS among them) without room, and nothing adds nodes by itself; they request "
        "17.6 CPU, 165.1 GiB and 148 GiB of disk; use desired_size 5 and max_size 5, larger instances, or fewer or "
        "smaller "
        "pods",
    ),
    "more pods than any group holds": (
        [
            ("milvus.components.query_node", {"replicas": 200, "cpu": 6, "memory_gib": 24}),
            ("milvus.components.data_node", {"replicas": 200, "cpu": 6, "memory_gib": 24}),
            ("milvus.components.streaming_node", {"replicas": 200, "cpu": 6, "memory_gib": 24}),
        ],
        "cluster.node_groups.milvus.desired_size: 3 x m7g.2xlarge leave 601 of the 613 pods that name no "
        "node group (the add-ons of EKS among them) without room, and nothing adds nodes by itself; they "
        "request 3607.6 CPU, 14429.1 GiB and 8008 GiB of disk; use larger instances, or fewer or smaller pods",
    ),
    "brokers and zones": (
        [("queue.brokers", 4)],
        "queue.brokers: must be a multiple of the 3 zones, got 4; use 3 or 6",
    ),
    "fewer brokers than zones": (
        [("queue.brokers", 2)],
        "queue.brokers: must be a multiple of the 3 zones, got 2; use 3",
    ),
    "unknown broker type": (
        [("queue.broker_type", "kafka.m7g.larg")],
        "queue.broker_type: kafka.m7g.larg is not in the broker table (did you mean kafka.m7g.large?)",
    ),
    "ceiling below volume": (
        [("queue.storage", {"volume_gib": 200, "max_gib": 100})],
        "queue.storage.max_gib: must be at least volume_gib 200, got 100",
    ),
    "almost no room to grow": (
        [("queue.storage", {"volume_gib": 100, "max_gib": 109})],
        "queue.storage.max_gib: volumes grow by at least 10 GiB, so 109 is never reached from volume_gib "
        "100; use the same for no growth, or at least 110",
    ),
    "volume one too large": (
        [("queue.storage", {"volume_gib": 101, "max_gib": 100})],
        "queue.storage.max_gib: must be at least volume_gib 101, got 100",
    ),
    "kafka 4": (
        [("queue.kafka_version", "4.0.x.kraft")],
        "queue.kafka_version: got 4.0.x.kraft, but the Kafka client inside Milvus 2.6 logs in by SCRAM only "
        "to Kafka 2.x and 3.x (milvus#52601); use 3.9.x.kraft",
    ),
    "zookeeper": (
        [("queue.kafka_version", "3.9.x")],
        "queue.kafka_version: got 3.9.x, which means ZooKeeper: that cannot be changed to KRaft later; use 3.9.x.kraft",
    ),
    "brokers without kraft": (
        [("queue.broker_type", "kafka.t3.small")],
        "queue.broker_type: MSK runs no KRaft cluster on kafka.t3.small; use kafka.m7g.large or larger",
    ),
    "unknown brokers": (
        [("queue.broker_type", "kafka.m7g.lage")],
        "queue.broker_type: kafka.m7g.lage is not in the broker table (did you mean kafka.m7g.large?)",
    ),
    "no room to grow": (
        [("queue.storage", {"volume_gib": 100, "max_gib": 105})],
        "queue.storage.max_gib: volumes grow by at least 10 GiB, so 105 is never reached from volume_gib "
        "100; use the same for no growth, or at least 110",
    ),
    "vpc too small for a third zone": (
        [
            ("network", {"cidr": "10.0.0.0/19", "zones": ["a", "b"]}),
            ("network.private_subnet_prefix", 21),
            ("network.public_subnet_prefix", 22),
            ("queue.brokers", 2),
        ],
        "network.private_subnet_prefix: 3 private /21 and 3 public /22 subnets (space is kept for 3 zones) "
        "need 9216 addresses, 10.0.0.0/19 has 8192; use a larger network.cidr or longer prefixes",
    ),
    "message larger than brokers accept": (
        [("queue.milvus_message_max_bytes", 20000000)],
        "queue.milvus_message_max_bytes: Milvus would send up to 20000000 bytes, the brokers refuse more "
        "than message_max_bytes 10485880; raise the latter or lower the former",
    ),
    "message larger than replicas fetch": (
        [("queue.message_max_bytes", 30000000)],
        "queue.replica_fetch_max_bytes: must be at least message_max_bytes 30000000, got 20971760, or large "
        "messages are never replicated",
    ),
    "partition budget": (
        [("queue.channels", 1024)],
        "queue.channels: 1024 channels put about 1074 partitions on each broker, kafka.m7g.large takes 1000; "
        "beyond it MSK refuses changes; use fewer channels, more brokers or a larger broker_type",
    ),
    "woodpecker too early": (
        [("queue", {"kind": "woodpecker"}), ("milvus.line", "2.5")],
        "queue.kind: woodpecker is in Milvus from 3.0 on (2.6 as preview), got line 2.5; use kind: msk",
    ),
    "woodpecker preview": (
        [("queue", {"kind": "woodpecker"})],
        "queue.preview: woodpecker is a preview in Milvus 2.6; accept it with preview: true, use kind: msk, "
        "or milvus.line: '3.0'",
    ),
    "woodpecker no preview": (
        [("queue", {"kind": "woodpecker", "preview": True}), ("milvus.line", "3.0")],
        "queue.preview: woodpecker is no preview in Milvus 3.0; remove preview",
    ),
    "version of another line": (
        [("milvus.version", "3.0.1")],
        "milvus.version: 3.0.1 is not of milvus.line 2.6; set line: '3.0', or a version such as 2.6.25",
    ),
    "version of no line": (
        [("milvus.version", "2.7.0")],
        "milvus.version: 2.7.0 is not of milvus.line 2.6; take a version such as 2.6.25",
    ),
    "version without tls": (
        [("milvus.line", "2.3"), ("milvus.version", "2.3.0"), BOTH_ADVISORIES],
        "milvus.version: 2.3.0 does not work with chart 4.1.28 and MSK; oldest: 2.3.1, default: 2.3.22",
    ),
    "advisory without a fix": (
        [("milvus.line", "2.4")],
        "milvus.version: 2.4.24 has CVE-2026-26190, unauthenticated REST and configuration on port 9091 "
        "(9.8); this line has no fix; use milvus.line: 2.5, 2.6, 3.0, or accept it with milvus.acknowledge: "
        "[CVE-2026-26190]",
    ),
    "advisory fixed later": (
        [("milvus.version", "2.6.4"), ("milvus.acknowledge", ["CVE-2026-26190"])],
        "milvus.version: 2.6.4 has CVE-2025-64513, authentication bypass in the proxy; use milvus.version: "
        "2.6.5 or newer, or accept it with milvus.acknowledge: [CVE-2025-64513]",
    ),
    "advisory needs authorization": (
        [("milvus.authorization", False)],
        "milvus.version: 2.6.25 has CVE-2026-26190, unauthenticated REST and configuration on port 9091 "
        "(9.8); its fix only works with milvus.authorization: true, or accept it with milvus.acknowledge: "
        "[CVE-2026-26190]",
    ),
    "needless acknowledgement": (
        [("milvus.acknowledge", ["CVE-2025-64513"])],
        "milvus.acknowledge: CVE-2025-64513 does not concern Milvus 2.6.25 as set here; remove it",
    ),
    "component of another line": (
        [("milvus.components.index_node", {})],
        "milvus.components.index_node: Milvus 2.6 has no index_node; there are: mix_coordinator, proxy, "
        "query_node, streaming_node, data_node",
    ),
    "standalone without coordinators": (
        [("milvus.mode", "standalone"), ("milvus.components.mix_coordinator", {})],
        "milvus.components.mix_coordinator: mode standalone has no mix_coordinator; there are: standalone, "
        "or set milvus.mode: cluster",
    ),
    "cluster without standalone": (
        [("milvus.components.standalone", {})],
        "milvus.components.standalone: mode cluster has no standalone pod; there are: mix_coordinator, "
        "proxy, query_node, streaming_node, data_node, or set milvus.mode: standalone",
    ),
    "two standalones": (
        [("milvus.mode", "standalone"), ("milvus.components.standalone", {"replicas": 2})],
        "milvus.components.standalone.replicas: mode standalone has one pod, got 2; use milvus.mode: cluster",
    ),
    "three coordinators": (
        [("milvus.components.mix_coordinator", {"replicas": 3})],
        "milvus.components.mix_coordinator.replicas: a coordinator has at most one standby, got 3; use 2",
    ),
    "three of an older coordinator": (
        [
            ("milvus.line", "2.3"),
            BOTH_ADVISORIES,
            ("milvus.components.index_coordinator", {"replicas": 3}),
        ],
        "milvus.components.index_coordinator.replicas: a coordinator has at most one standby, got 3; use 2",
    ),
    "request above the limit": (
        [("milvus.components.proxy", {"cpu": 1, "cpu_request": 2})],
        "milvus.components.proxy.cpu_request: must be at most the limit, cpu 1, got 2; lower it, or raise cpu",
    ),
    "two without standby": (
        [("milvus.active_standby", False)],
        "milvus.components.mix_coordinator.replicas: 2 replicas need milvus.active_standby: true, or both "
        "would act as the coordinator; set it, or use 1",
    ),
    "older coordinators without standby": (
        [
            ("milvus.line", "2.3"),
            BOTH_ADVISORIES,
            ("milvus.active_standby", False),
            *((f"milvus.components.{name}", {"replicas": 1}) for name in ("root_coordinator", "data_coordinator")),
            ("milvus.components.query_coordinator", {"replicas": 2}),
            ("milvus.components.index_coordinator", {"replicas": 1}),
        ],
        "milvus.components.query_coordinator.replicas: 2 replicas need milvus.active_standby: true, or both "
        "would act as the coordinator; set it, or use 1",
    ),
    "one name for two services": (
        [("milvus.release_name", "milvus-etcd")],
        "milvus.release_name: milvus-etcd gives Milvus and etcd the same Service name; take a name without "
        "etcd, such as milvus",
    ),
    "service of the release": (
        [("milvus.service.name", "milvus")],
        "milvus.service.name: milvus is already the release's Service; take another, such as milvus-service",
    ),
    "headless service of etcd": (
        [("milvus.service.name", "milvus-etcd-headless")],
        "milvus.service.name: milvus-etcd-headless is already etcd's headless Service; take another, such as "
        "milvus-etcd-headless-service",
    ),
    "service of etcd": (
        [("milvus.service.name", "milvus-etcd")],
        "milvus.service.name: milvus-etcd is already etcd's Service; take another, such as milvus-etcd-service",
    ),
    "service of attu": (
        [("milvus.service.name", "milvus-attu")],
        "milvus.service.name: milvus-attu is already the Service of attu; take another, such as milvus-attu-service",
    ),
    "service of a component": (
        [("milvus.release_name", "blue"), ("milvus.service.name", "blue-milvus-mixcoord")],
        "milvus.service.name: blue-milvus-mixcoord is already the Service of mixcoord; take another, such as "
        "blue-milvus-mixcoord-service",
    ),
    "service that milvus reads as its store": (
        [("milvus.service.name", "minio")],
        "milvus.service.name: a Service named minio puts variables into every pod that Milvus reads as its "
        "configuration; take a name other than minio, kafka, etcd, pulsar",
    ),
    "service that milvus reads as its queue": (
        [("milvus.service.name", "pulsar")],
        "milvus.service.name: a Service named pulsar puts variables into every pod that Milvus reads as its "
        "configuration; take a name other than minio, kafka, etcd, pulsar",
    ),
    "service that milvus reads as its etcd": (
        [("milvus.service.name", "etcd")],
        "milvus.service.name: a Service named etcd puts variables into every pod that Milvus reads as its "
        "configuration; take a name other than minio, kafka, etcd, pulsar",
    ),
    "release whose etcd milvus reads": (
        [("milvus.release_name", "etcd")],
        "milvus.release_name: a Service named etcd puts variables into every pod that Milvus reads as its "
        "configuration; take a name other than minio, kafka, etcd, pulsar",
    ),
    "service that milvus reads": (
        [("milvus.service.name", "kafka")],
        "milvus.service.name: a Service named kafka puts variables into every pod that Milvus reads as its "
        "configuration; take a name other than minio, kafka, etcd, pulsar",
    ),
    "certificate without a name": (
        [("milvus.service.certificate_arn", CERTIFICATE)],
        "milvus.service.hostname: missing, but there is a certificate and clients check its name; give the "
        "DNS name that it covers",
    ),
    "name without a certificate": (
        [("milvus.service.hostname", "milvus.example.com")],
        "milvus.service.hostname: milvus.example.com is only used with TLS; set "
        "milvus.service.certificate_arn, or remove it",
    ),
    "service for nobody in particular": (
        [("milvus.service.scheme", "internet-facing")],
        "milvus.service.source_cidrs: an internet-facing load balancer needs the address ranges that may "
        "connect, got none; list them, or set milvus.service.scheme: internal",
    ),
    "service for everybody": (
        [("milvus.service", {"scheme": "internet-facing", "source_cidrs": ["0.0.0.0/0"]})],
        "milvus.service.source_cidrs: got 0.0.0.0/0; do not expose a database to the whole internet; list "
        "ranges, none wider than /8",
    ),
    "service without authorization": (
        [
            ("milvus.service", {"scheme": "internet-facing", "source_cidrs": ["203.0.113.0/24"]}),
            ("milvus.authorization", False),
            ("milvus.acknowledge", ["CVE-2026-26190"]),
        ],
        "milvus.authorization: an internet-facing load balancer needs authorization: true",
    ),
    "service without public subnets": (
        [
            ("milvus.service", {"scheme": "internet-facing", "source_cidrs": ["203.0.113.0/24"]}),
            ("network.existing", EXISTING),
        ],
        "milvus.service.scheme: internet-facing needs public subnets; name network.existing.public_subnet_ids",
    ),
    "two sign-ins": (
        [("milvus.attu", {**ATTU, "certificate_arn": CERTIFICATE, "oidc": OIDC, "cognito": COGNITO})],
        "milvus.attu.cognito: one sign-in at most, got oidc and cognito; remove one",
    ),
    "oidc without https": (
        [("milvus.attu", {**ATTU, "oidc": OIDC})],
        "milvus.attu.oidc: sign-in needs HTTPS; set milvus.attu.certificate_arn",
    ),
    "sign-in without https": (
        [("milvus.attu", {**ATTU, "cognito": COGNITO})],
        "milvus.attu.cognito: sign-in needs HTTPS; set milvus.attu.certificate_arn",
    ),
    "attu for everybody": (
        [("milvus.attu", {"exposure": "internet-facing"})],
        "milvus.attu.inbound_cidrs: got none, but Attu has no login of its own: internet-facing, it needs "
        "address ranges, none wider than /8, or a sign-in (milvus.attu.oidc or .cognito); or set "
        "milvus.attu.exposure: internal",
    ),
    "attu for half the world twice": (
        [("milvus.attu", {"exposure": "internet-facing", "inbound_cidrs": ["0.0.0.0/1", "128.0.0.0/1"]})],
        "milvus.attu.inbound_cidrs: got 0.0.0.0/0, but Attu has no login of its own: internet-facing, it "
        "needs address ranges, none wider than /8, or a sign-in (milvus.attu.oidc or .cognito); or set "
        "milvus.attu.exposure: internal",
    ),
    "service for a quarter of the world": (
        [("milvus.service", {"scheme": "internet-facing", "source_cidrs": ["64.0.0.0/2"]})],
        "milvus.service.source_cidrs: got 64.0.0.0/2; do not expose a database to the whole internet; list "
        "ranges, none wider than /8",
    ),
    "kubernetes for half the world twice": (
        [
            ("cluster.endpoint", "public-and-private"),
            ("cluster.public_cidrs", ["0.0.0.0/1", "128.0.0.0/1"]),
        ],
        "cluster.public_cidrs: got 0.0.0.0/0: do not open the Kubernetes API to everybody; list ranges, none "
        "wider than /8",
    ),
    "etcd's request above its limit": (
        [("milvus.etcd", {"cpu": 0.5, "cpu_request": 1})],
        "milvus.etcd.cpu_request: must be at most the limit, cpu 0.5, got 1; lower it, or raise cpu",
    ),
    "attu of 2.3 on graviton": (
        [
            ("milvus.line", "2.3"),
            ("milvus.acknowledge", ["CVE-2026-26190", "CVE-2025-64513"]),
            ("milvus.attu", {"exposure": "internal"}),
        ],
        "milvus.attu.exposure: Attu of Milvus 2.3 has no image for arm64 (zilliztech/attu#415), got "
        "m7g.2xlarge; use instances of amd64 such as m6i.2xlarge, or milvus.attu.exposure: off",
    ),
    "configuration that another setting decides": (
        [("milvus.configuration", {"rootCoord": {"dmlChannelNum": 4}})],
        "milvus.configuration.rootCoord.dmlChannelNum: is not for this place: set queue.channels instead",
    ),
    "configuration of the client port": (
        [("milvus.configuration", {"proxy": {"port": 19531}})],
        "milvus.configuration.proxy.port: is not for this place: the Services and the policies know 19530 and the "
        "ports of the chart; remove it",
    ),
    "configuration that another setting decides, in another spelling": (
        [("milvus.configuration", {"MINIO": {"bucket_name": "mine"}})],
        "milvus.configuration.MINIO.bucket_name: is not for this place: set storage instead, or remove it",
    ),
    "configuration of the size of messages": (
        [("milvus.configuration", {"pulsar": {"maxMessageSize": 524288}})],
        "milvus.configuration.pulsar.maxMessageSize: is not for this place: set queue.milvus_message_max_bytes instead",
    ),
    "configuration of standbys": (
        [("milvus.configuration", {"mixCoord": {"enableActiveStandby": False}})],
        "milvus.configuration.mixCoord.enableActiveStandby: is not for this place: set milvus.active_standby instead",
    ),
    "configuration of TLS in Milvus": (
        [("milvus.configuration", {"common": {"security": {"tlsMode": 1}}})],
        "milvus.configuration.common.security.tlsMode: is not for this place: no pod has a file of a certificate; set "
        "milvus.service.certificate_arn instead: the load balancer speaks TLS",
    ),
    "configuration of a collector that no policy admits": (
        [("milvus.configuration", {"trace": {"otlp": {"endpoint": "collector.example.com:4317"}}})],
        "milvus.configuration.trace.otlp.endpoint: got collector.example.com:4317, but the network policies let Milvus "
        "reach others at port 443 only; give an endpoint there, or remove it",
    ),
    "log of 2.3 that holds the kafka password": (
        [
            ("milvus.line", "2.3"),
            ("milvus.acknowledge", ["CVE-2026-26190", "CVE-2025-64513"]),
            ("milvus.configuration", {"log": {"level": "debug"}}),
        ],
        "milvus.configuration.log.level: got debug, at which Milvus 2.3 writes the Kafka password to its log; use warn "
        "or error",
    ),
    "credentials of an embedding service": (
        [("milvus.configuration", {"credential": {"apikey1": {"apikey": "made-up"}}})],
        "milvus.configuration.credential.apikey1.apikey: a credential here would be in templates and a ConfigMap "
        "for everybody to read; remove it",
    ),
    "version that its makers withdrew": (
        [
            ("milvus.line", "2.4"),
            ("milvus.version", "2.4.13"),
            ("milvus.acknowledge", ["CVE-2026-26190", "CVE-2025-64513"]),
        ],
        "milvus.version: 2.4.13 has milvus#36933, every collection lost at a restart; use milvus.version: 2.4.14 or "
        "newer, or accept it with milvus.acknowledge: [milvus#36933]",
    ),
    "version without an image for the nodes": (
        [
            ("milvus.line", "2.4"),
            ("milvus.version", "2.4.0"),
            ("milvus.acknowledge", ["CVE-2026-26190", "CVE-2025-64513", "milvus#33478"]),
        ],
        "milvus.version: 2.4.0 has milvus#32474, an image for arm64 that does not start; use milvus.version: 2.4.1 or "
        "newer, or accept it with milvus.acknowledge: [milvus#32474]",
    ),
    "gpu": (
        [(f"{GROUP}.instance_types", ["g5.2xlarge"])],
        "cluster.node_groups.milvus.instance_types: got g5.2xlarge, but GPU is not supported; use one without, such "
        "as m7g.2xlarge",
    ),
    "image for gpu": (
        [("milvus.version", "2.6.22-gpu")],
        "milvus.version: got 2.6.22-gpu, but GPU is not supported; use 2.6.22",
    ),
    "credential in the configuration": (
        [("milvus.configuration", {"kafka": {"saslPassword": "made-up"}})],
        "milvus.configuration.kafka.saslPassword: a credential here would be in templates and a ConfigMap "
        "for everybody to read; remove it",
    ),
    "attu without public subnets": (
        [("milvus.attu", ATTU), ("network.existing", EXISTING)],
        "milvus.attu.exposure: internet-facing needs public subnets; name network.existing.public_subnet_ids",
    ),
    "attu without authorization": (
        [
            ("milvus.attu", {"exposure": "internal"}),
            ("milvus.authorization", False),
            ("milvus.acknowledge", ["CVE-2026-26190"]),
        ],
        "milvus.authorization: without authorization whoever reaches Attu owns the database; set "
        "authorization: true, or milvus.attu.exposure: off",
    ),
}


BY_US = "the application sets it; remove it"
NO_FILE = "no pod has that file; remove it"
PORTS = "the Services and the policies know 19530 and the ports of the chart; remove it"
BY_CERTIFICATE = (
    "no pod has a file of a certificate; set milvus.service.certificate_arn instead: the load balancer speaks TLS"
)
KNOWN = "MSK's certificates are known to every system; remove it"
OTHER_STORE = "the release has etcd and no other store of metadata; remove it"
COORDINATORS = ("rootCoord", "queryCoord", "dataCoord", "indexCoord", "mixCoord")
ROLES = (*COORDINATORS, "proxy", "queryNode", "indexNode", "dataNode", "streamingNode")
DECIDED_ELSEWHERE: dict[str, str] = {
    "cipherPlugin": NO_FILE,
    "common.chanNamePrefix": "set milvus.channel_prefix instead",
    "common.preCreatedTopic": "set queue.channels instead",
    "common.security.authorizationEnabled": "set milvus.authorization instead",
    "common.security.internaltlsEnabled": BY_CERTIFICATE,
    "common.security.tlsMode": BY_CERTIFICATE,
    "common.storageType": BY_US,
    "etcd": BY_US,
    "gpu": "GPU is not supported; remove it",
    "indexCoord.bindIndexNodeMode": "index nodes register themselves; remove it",
    "internaltls": BY_CERTIFICATE,
    "kafka.brokerList": BY_US,
    **{f"kafka.{side}.{key}": BY_US for side in ("consumer", "producer") for key in ("bootstrap", "sasl", "security")},
    "kafka.consumer.ssl": KNOWN,
    "kafka.producer.ssl": KNOWN,
    "kafka.producer.message.max.bytes": "set queue.milvus_message_max_bytes instead",
    "kafka.saslMechanisms": BY_US,
    "kafka.saslUsername": BY_US,
    "kafka.securityProtocol": BY_US,
    "kafka.ssl": KNOWN,
    "localStorage.path": "the pods' disk is mounted where the chart says; remove it",
    "metastore.type": OTHER_STORE,
    "minio": "set storage instead, or remove it",
    "mq.type": "set queue.kind instead",
    "msgChannel.chanNamePrefix": "set milvus.channel_prefix instead",
    "natsmq": "set queue.kind instead",
    "proxy.http.port": PORTS,
    "proxy.internalPort": PORTS,
    "proxy.soPath": NO_FILE,
    "pulsar": "set queue.kind instead",
    "pulsar.maxMessageSize": "set queue.milvus_message_max_bytes instead",
    "rocksmq": "set queue.kind instead",
    "rootCoord.dmlChannelNum": "set queue.channels instead",
    "tikv": OTHER_STORE,
    "tls": BY_CERTIFICATE,
    "woodpecker.client.quorum": "the log runs inside Milvus, without servers of its own; remove it",
    "woodpecker.meta": BY_US,
    "woodpecker.storage": "the log lies in the bucket; remove it",
    **{f"{role}.enableActiveStandby": "set milvus.active_standby instead" for role in COORDINATORS},
    **{f"{role}.ip": "every pod has an address of its own; remove it" for role in ROLES},
    **{f"{role}.port": PORTS for role in ROLES},
}


@pytest.mark.parametrize("key", DECIDED_ELSEWHERE)
def test_configuration_that_is_decided_elsewhere_is_refused_with_where(key: str) -> None:
    # GIVEN the key, deep in a mapping as in Milvus's own file
    configuration: Any = 1
    for part in reversed(key.split(".")):
        configuration = {part: configuration}
    with pytest.raises(SettingsError) as raised:
        parse_environment(file_with(("milvus.configuration", configuration)), source="test.yaml", today=TODAY)
    assert [str(problem) for problem in raised.value.problems] == [
        f"milvus.configuration.{key}: is not for this place: {DECIDED_ELSEWHERE[key]}"
    ]


@pytest.mark.parametrize("case", CASES)
def test_rule_refuses_with_its_remedy(case: str) -> None:
    changes, message = CASES[case]
    with pytest.raises(SettingsError) as raised:
        parse_environment(file_with(*changes), source="test.yaml", today=TODAY)
    assert [str(problem) for problem in raised.value.problems] == [message]


def test_base_file_of_these_tests_breaks_no_rule() -> None:
    parse_environment(file_with(), source="test.yaml", today=TODAY)


WOODPECKER = {"kind": "woodpecker"}
HTTPS = {"exposure": "internet-facing", "certificate_arn": CERTIFICATE}
ALLOWED: dict[str, list[tuple[str, Any]]] = {
    "several types of spot capacity": [
        (f"{GROUP}.instance_types", ["m7g.2xlarge", "m6g.2xlarge"]),
        (f"{GROUP}.spot", True),
    ],
    "mapped files with room": [
        ("milvus.components.query_node", {"memory_gib": 24, "disk_gib": 60}),
        ("milvus.configuration", {"queryNode": {"mmap": {"vectorIndex": True}}}),
    ],
    "files that are not mapped": [
        ("milvus.components.query_node", {"memory_gib": 24}),
        ("milvus.configuration", {"queryNode": {"mmap": {"vectorIndex": False}}}),
    ],
    "disk of the instances' own": [
        (
            "cluster.node_groups.query",
            {"instance_types": ["r7gd.xlarge"], "desired_size": 1, "max_size": 1, "local_storage": "raid0"},
        ),
        ("milvus.components.query_node", {"disk_gib": 180, "node_group": "query"}),
    ],
    "volume with all that gp3 takes": [(f"{GROUP}.disk_iops", 16000), (f"{GROUP}.disk_throughput", 1000)],
    "pods that fill their nodes": FULL_NODE,
    "request that is the limit": [("milvus.components.proxy", {"cpu": 1, "cpu_request": 1})],
    "messages as large as the brokers accept": [
        ("queue.milvus_message_max_bytes", 10485880),
        ("queue.message_max_bytes", 10485880),
        ("queue.replica_fetch_max_bytes", 10485880),
    ],
    "pods that may go elsewhere leave their room to those that may not": [
        (
            "cluster.node_groups",
            {
                "query": {"instance_types": ["m7g.2xlarge"], "desired_size": 1, "max_size": 1},
                "milvus": {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 3},
            },
        ),
        ("milvus.components.query_node", {"memory_gib": 20, "node_group": "query"}),
        ("milvus.components.data_node", {"memory_gib": 22}),
    ],
    "small pods that fill what large ones leave": [
        ("cluster.node_groups.query", {"instance_types": ["m7g.2xlarge"], "desired_size": 2, "max_size": 2}),
        ("milvus.components.query_node", {"replicas": 2, "cpu": 1, "memory_gib": 19.5, "node_group": "query"}),
        ("milvus.components.data_node", {"replicas": 2, "cpu": 1, "memory_gib": 10, "node_group": "query"}),
    ],
    "volumes that never grow": [("queue.storage", {"volume_gib": 100, "max_gib": 100})],
    "volumes that grow once": [("queue.storage", {"volume_gib": 100, "max_gib": 110})],
    "pod that the smallest type of spot capacity holds": [
        (f"{GROUP}.instance_types", ["m7g.4xlarge", "m7g.2xlarge"]),
        (f"{GROUP}.spot", True),
        ("milvus.components.query_node", {"memory_gib": 16}),
    ],
    "group that a component names": [
        ("cluster.node_groups.query", {"instance_types": ["r7g.2xlarge"], "desired_size": 3, "max_size": 3}),
        ("milvus.components.query_node", {"replicas": 2, "cpu": 6, "memory_gib": 48, "node_group": "query"}),
        ("milvus.etcd", {"node_group": "query"}),
    ],
    "all partitions of a broker": [("queue.channels", 950)],
    "forty tags": [("tags", {f"k{number}": "v" for number in range(40)})],
    "woodpecker as a preview": [("queue", {**WOODPECKER, "preview": True})],
    "woodpecker": [("queue", WOODPECKER), ("milvus.line", "3.0")],
    "version that is the fix": [("milvus.version", "2.6.10")],
    "no authorization where only one advisory needs it": [
        ("milvus.authorization", False),
        ("milvus.acknowledge", ["CVE-2026-26190"]),
    ],
    "wide range": [("milvus.service", {"scheme": "internet-facing", "source_cidrs": ["11.0.0.0/8"]})],
    "everybody on an internal load balancer": [("milvus.service.source_cidrs", ["0.0.0.0/0"])],
    "public subnets of an existing vpc": [
        (
            "network.existing",
            {**EXISTING, "public_subnet_ids": [f"subnet-0bbbbbbbbbbbbbbb{number}" for number in range(3)]},
        ),
        ("milvus.service", {"scheme": "internet-facing", "source_cidrs": ["203.0.113.0/24"]}),
    ],
    "everybody who signs in by oidc": [("milvus.attu", {**HTTPS, "oidc": OIDC})],
    "everybody who signs in by cognito": [("milvus.attu", {**HTTPS, "cognito": COGNITO})],
    "configuration that nothing else decides": [
        ("milvus.configuration", {"queryNode": {"mmap": {"vectorIndex": True}}})
    ],
    "namespace of the release's own": [("milvus.namespace", "vectors")],
    "labels that only look like those of kubernetes": [(f"{GROUP}.labels", {"mykubernetes.io/x": "y", "k8s.io": "y"})],
}


@pytest.mark.parametrize("case", ALLOWED)
def test_rule_allows_what_is_not_against_it(case: str) -> None:
    parse_environment(file_with(*ALLOWED[case]), source="test.yaml", today=TODAY)


def test_pod_larger_than_a_node_is_named_once() -> None:
    changes = [("milvus.components.query_node", {"memory_gib": 64})]
    with pytest.raises(SettingsError) as raised:
        parse_environment(file_with(*changes), source="test.yaml", today=TODAY)
    assert [problem.path for problem in raised.value.problems] == ["milvus.components.query_node"]


def test_out_of_support_kubernetes_is_refused_with_the_date() -> None:
    with pytest.raises(SettingsError, match=r"cluster.version: 1\.34 is out of support since 2027-12-02; use one of"):
        parse_environment(file_with(("cluster.version", "1.34")), source="test.yaml", today=date(2027, 12, 3))


@pytest.mark.parametrize(
    ("today", "message"),
    [
        (date(2026, 10, 3), "standard support of 1.34 ends on 2026-12-02; plan the move to one of 1.35, 1.36"),
        (date(2026, 12, 2), "standard support of 1.34 ends on 2026-12-02; plan the move to one of 1.35, 1.36"),
        (
            date(2026, 12, 3),
            "standard support of 1.34 ended on 2026-12-02; AWS charges extended support until 2027-12-02; move to one "
            "of 1.35, 1.36",
        ),
    ],
)
def test_kubernetes_near_or_past_standard_support_warns_with_the_date(today: date, message: str) -> None:
    env = parse_environment(file_with(("cluster.version", "1.34")), source="test.yaml", today=today)
    assert f"cluster.version: {message}" in [str(warning) for warning in load_warnings(env, today=today)]


def test_last_day_of_support_is_a_day_of_support() -> None:
    parse_environment(file_with(("cluster.version", "1.34")), source="test.yaml", today=date(2027, 12, 2))


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [("milvus.attu", {"exposure": "internal"}), ("milvus.line", "2.5")],
        [("network.zones", ["a", "b"]), ("queue.brokers", 2)],
        [("queue", {"kind": "woodpecker"}), ("milvus.line", "3.0"), ("network.zones", ["a", "b"])],
    ],
)
def test_sound_file_has_no_warning(changes: list[tuple[str, Any]]) -> None:
    # GIVEN a Kubernetes version with months of support left, and an administrator
    admin = ("cluster.admin_role_arns", ["arn:aws:iam::111122223333:role/admin"])
    env = parse_environment(file_with(admin, *changes), source="test.yaml", today=TODAY)
    # THEN nothing is said
    assert load_warnings(env, today=TODAY) == []


def test_default_zones_where_one_has_no_eks_warn() -> None:
    admin = ("cluster.admin_role_arns", ["arn:aws:iam::111122223333:role/admin"])
    env = parse_environment(file_with(admin, ("region", "us-east-1")), source="test.yaml", today=TODAY)
    assert [str(warning) for warning in load_warnings(env, today=TODAY)] == [
        "network.zones: the default, a, b, c: one letter of your account stands for use1-az3, where EKS makes no "
        "cluster; look with `aws ec2 describe-availability-zones --region us-east-1`, and name three others"
    ]


def test_cluster_without_administrators_warns() -> None:
    env = parse_environment(file_with(), source="test.yaml", today=TODAY)
    assert [str(warning) for warning in load_warnings(env, today=TODAY)] == [
        "cluster.admin_role_arns: empty: nobody but the deployment itself can use kubectl; name the IAM roles of your "
        "administrators"
    ]


def test_attu_licence_and_accepted_advisory_warn() -> None:
    env = parse_environment(
        file_with(
            ("milvus.attu", {"exposure": "internal"}),
            ("milvus.version", "2.6.4"),
            ("milvus.acknowledge", ["CVE-2025-64513", "CVE-2026-26190"]),
        ),
        source="test.yaml",
        today=TODAY,
    )
    assert [str(warning) for warning in load_warnings(env, today=TODAY)][1:] == [
        "milvus.attu.exposure: Attu is proprietary software from 2.6.0 on; check its licence",
        "milvus.acknowledge: CVE-2025-64513 is accepted: this version has no fix that takes effect",
        "milvus.acknowledge: CVE-2026-26190 is accepted: this version has no fix that takes effect",
    ]


CLEAR_SERVICE = (
    "milvus.service.certificate_arn: none, on an internet-facing load balancer: passwords and data cross the internet "
    "in clear text; set it and milvus.service.hostname, or milvus.service.scheme: internal"
)
CLEAR_ATTU = (
    "milvus.attu.certificate_arn: none, on an internet-facing load balancer: passwords that are typed into Attu cross "
    "the internet in clear text; set it, or milvus.attu.exposure: internal"
)
EVEN_ETCD = (
    "milvus.etcd.replicas: {0} members of etcd survive the loss of no more than {1} do; it is a step on the way: "
    "deploy it, then {2}"
)
ETCD_ON_SPOT = "milvus.etcd.node_group: etcd may run on spot capacity ("
TAKEN_BACK = (
    ", which AWS takes back at two minutes' notice; without most of its members Milvus stops; bind it to an on-demand "
    "group"
)
PUBLIC = {"scheme": "internet-facing", "source_cidrs": ["203.0.113.0/24"]}
SPOT = {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 3, "spot": True}


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ([("milvus.service", PUBLIC)], CLEAR_SERVICE),
        ([("milvus.attu", ATTU)], CLEAR_ATTU),
        ([(f"{GROUP}.spot", True)], f"{ETCD_ON_SPOT}milvus){TAKEN_BACK}"),
        ([("cluster.node_groups.cheap", SPOT)], f"{ETCD_ON_SPOT}cheap){TAKEN_BACK}"),
        (
            [("cluster.node_groups.cheap", SPOT), ("milvus.etcd", {"node_group": "cheap"})],
            f"{ETCD_ON_SPOT}cheap){TAKEN_BACK}",
        ),
        *(
            ([("milvus.etcd", {"replicas": number})], EVEN_ETCD.format(number, number - 1, number + 1))
            for number in (2, 4)
        ),
    ],
)
def test_risky_choice_warns(changes: list[tuple[str, Any]], warning: str) -> None:
    env = parse_environment(file_with(*changes), source="test.yaml", today=TODAY)
    assert warning in [str(each) for each in load_warnings(env, today=TODAY)]


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ([("milvus.service", {**PUBLIC, "certificate_arn": CERTIFICATE, "hostname": "a.example.com"})], CLEAR_SERVICE),
        ([("milvus.service", {"source_cidrs": ["203.0.113.0/24"]})], CLEAR_SERVICE),
        ([("milvus.attu", {**ATTU, "certificate_arn": CERTIFICATE})], CLEAR_ATTU),
        ([("milvus.attu", {"exposure": "internal"})], CLEAR_ATTU),
        ([("cluster.node_groups.cheap", SPOT), ("milvus.etcd", {"node_group": "milvus"})], ETCD_ON_SPOT),
        ([("cluster.node_groups.cheap", {**SPOT, "taints": [{"key": "spot"}]})], ETCD_ON_SPOT),
        *(([("milvus.etcd", {"replicas": number})], "milvus.etcd.replicas") for number in (1, 3, 5)),
    ],
)
def test_safe_choice_does_not_warn(changes: list[tuple[str, Any]], warning: str) -> None:
    env = parse_environment(file_with(*changes), source="test.yaml", today=TODAY)
    assert not any(str(each).startswith(warning) for each in load_warnings(env, today=TODAY))


@pytest.mark.parametrize(
    ("line", "version", "warns"),
    [
        ("2.3", "2.3.13", True),
        ("2.3", None, True),
        ("2.4", "2.4.6", True),
        ("2.4", "2.4.7", False),
        ("2.5", "2.5.0", False),
        ("2.6", "2.6.0", False),
    ],
)
def test_version_that_ignores_the_root_password_warns_with_the_command(
    line: str, version: str | None, warns: bool
) -> None:
    # GIVEN a version, with users who sign in
    changes = [("milvus.line", line), ("milvus.version", version), BOTH_ADVISORIES]
    env = parse_environment(file_with(*changes), source="test.yaml", today=TODAY)
    # THEN the file warns where root starts with a password that everybody knows
    said = [str(warning) for warning in load_warnings(env, today=TODAY) if "root" in str(warning)]
    assert env.root_password_at_first_start is not warns
    assert said == (
        [
            f"milvus.version: {env.milvus_version} starts with root's well-known password; run "
            "`python -m ops root-password --env NAME` right after the first deployment"
        ]
        if warns
        else []
    )


def test_root_password_of_a_version_without_users_is_nobodys_concern() -> None:
    changes = [("milvus.line", "2.3"), ("milvus.authorization", False), BOTH_ADVISORIES]
    env = parse_environment(file_with(*changes), source="test.yaml", today=TODAY)
    assert not any("root" in str(warning) for warning in load_warnings(env, today=TODAY))


def test_default_version_of_every_line_from_2_4_on_takes_the_root_password() -> None:
    taken = {line: release.takes_root_password(release.default_version) for line, release in RELEASE_LINES.items()}
    assert taken == {"2.3": False, "2.4": True, "2.5": True, "2.6": True, "3.0": True}


def test_partitions_are_counted_with_their_replicas() -> None:
    # GIVEN Milvus's 16 channels on three replicas, and Kafka's own 50 offset partitions on three
    env = parse_environment(file_with(), source="test.yaml", today=TODAY)
    # THEN both count; without a Kafka there is nothing to count
    assert partition_replicas(env) == 16 * 3 + 50 * 3
    woodpecker = parse_environment(
        file_with(("queue", {"kind": "woodpecker"}), ("milvus.line", "3.0")), source="test.yaml", today=TODAY
    )
    assert partition_replicas(woodpecker) == 0
