"""EC2 as CloudFormation sees it: addresses, NAT, flow logs and rules, which the emulator lacks; ranges and ports."""

from __future__ import annotations

import uuid
from ipaddress import ip_network
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.account.base import Created, Handler, Properties, Request, tag_list
from rehearsal.account.refusals import ResourceError, service_fault

# Prefix lengths of the largest and the smallest subnet.
_LARGEST, _SMALLEST = 16, 28
_WITH_PORTS = {"tcp", "udp", "6", "17"}
_LAST_PORT = 65535


def _refused(error: ClientError) -> ResourceError:
    return service_fault("Ec2", error.response["Error"]["Message"])


def _tags(request: Request, kind: str) -> list[dict[str, Any]]:
    tags = tag_list(request.properties)
    return [{"ResourceType": kind, "Tags": tags}] if tags else []


def require_subnets(request: Request, subnet_ids: list[str]) -> list[dict[str, Any]]:
    """Return the subnets' descriptions; refuse an unknown id with EC2's words."""
    try:
        found: list[dict[str, Any]] = request.aws("ec2").describe_subnets(SubnetIds=subnet_ids)["Subnets"]
    except ClientError as error:
        raise _refused(error) from error
    missing = [name for name in subnet_ids if name not in {subnet["SubnetId"] for subnet in found}]
    if missing:
        raise service_fault("Ec2", f"The subnet ID '{missing[0]}' does not exist")
    return found


def require_security_groups(request: Request, group_ids: list[str]) -> None:
    """Refuses a security group that does not exist."""
    if not group_ids:
        return
    try:
        found = request.aws("ec2").describe_security_groups(GroupIds=group_ids)["SecurityGroups"]
    except ClientError as error:
        raise _refused(error) from error
    known = {group["GroupId"] for group in found}
    for group_id in group_ids:
        if group_id not in known:
            raise service_fault("Ec2", f"The security group '{group_id}' does not exist")


def check_subnet(request: Request) -> None:
    """EC2's rules for the range of a new subnet: of a size that EC2 has, within its VPC, and free.

    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
    """
    wanted = request.properties
    # The range never changes in place, and without one IPAM or IPv6 decides.
    if request.previous or "CidrBlock" not in wanted:
        return
    client, cidr = request.aws("ec2"), wanted["CidrBlock"]
    try:
        (vpc,) = client.describe_vpcs(VpcIds=[wanted["VpcId"]])["Vpcs"]
    except ClientError as error:
        raise _refused(error) from error
    ranges = [vpc["CidrBlock"], *(entry["CidrBlock"] for entry in vpc.get("CidrBlockAssociationSet", []))]
    try:
        network = ip_network(cidr, strict=False)
        inside = any(network.subnet_of(ip_network(entry)) for entry in ranges)  # type: ignore[arg-type]  # all are IPv4
    except (TypeError, ValueError):
        inside = False
    if not inside or not _LARGEST <= network.prefixlen <= _SMALLEST:
        raise service_fault("Ec2", f"The CIDR '{cidr}' is invalid.")
    for subnet in client.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [wanted["VpcId"]]}])["Subnets"]:
        if subnet["VpcId"] == wanted["VpcId"] and network.overlaps(ip_network(subnet["CidrBlock"], strict=False)):
            raise service_fault("Ec2", f"The CIDR '{cidr}' conflicts with another subnet")


def check_security_group(request: Request) -> None:
    """EC2's rules for the ports of the rules within a security group."""
    for direction in ("Ingress", "Egress"):
        for rule in request.properties.get(f"SecurityGroup{direction}") or []:
            check_ports(rule)


def check_ports(rule: Properties) -> None:
    """EC2's rules for the ports of one rule of a security group."""
    if str(rule["IpProtocol"]).lower() not in _WITH_PORTS:
        return
    if "FromPort" not in rule or "ToPort" not in rule:
        raise service_fault("Ec2", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
    low, high = int(rule["FromPort"]), int(rule["ToPort"])
    for port in (low, high):
        if not 0 <= port <= _LAST_PORT:
            raise service_fault("Ec2", f"TCP/UDP port ({port}) out of range")
    if low > high:
        raise service_fault("Ec2", f"Invalid TCP/UDP port range ({low}:{high})")


class Eip(Handler):
    """AWS::EC2::EIP: ``Ref`` is the address, the allocation id an attribute."""

    def create(self, request: Request) -> Created:
        """Allocates an address for a VPC."""
        try:
            got = request.aws("ec2").allocate_address(Domain="vpc", TagSpecifications=_tags(request, "elastic-ip"))
        except ClientError as error:
            raise _refused(error) from error
        return Created(got["PublicIp"], {"AllocationId": got["AllocationId"], "PublicIp": got["PublicIp"]})

    def update(self, request: Request) -> Created:
        """Only tags change in place."""
        found = self._find(request)
        return Created(request.physical_id, {"AllocationId": found["AllocationId"], "PublicIp": request.physical_id})

    def delete(self, request: Request) -> None:
        """Releases the address; one that a NAT gateway still holds is refused."""
        found = self._find(request)
        if not found:
            return
        gateways = request.aws("ec2").describe_nat_gateways()["NatGateways"]
        for gateway in gateways:
            held = {address.get("AllocationId") for address in gateway.get("NatGatewayAddresses", [])}
            if found["AllocationId"] in held and gateway["State"] not in {"deleted", "deleting"}:
                raise service_fault("Ec2", f"Address {request.physical_id} is in use.")
        request.aws("ec2").release_address(AllocationId=found["AllocationId"])

    @staticmethod
    def _find(request: Request) -> dict[str, Any]:
        addresses = request.aws("ec2").describe_addresses()["Addresses"]
        return next((found for found in addresses if found["PublicIp"] == request.physical_id), {})


class NatGateway(Handler):
    """AWS::EC2::NatGateway."""

    def create(self, request: Request) -> Created:
        """Create the gateway in an existing subnet; a public one needs an address."""
        wanted = request.properties
        public = wanted.get("ConnectivityType", "public") == "public"
        if public and not wanted.get("AllocationId"):
            raise service_fault("Ec2", "You must specify an allocation ID for a public NAT gateway")
        require_subnets(request, [wanted["SubnetId"]])
        options = {key: wanted[key] for key in ("SubnetId", "AllocationId", "ConnectivityType") if key in wanted}
        try:
            got = request.aws("ec2").create_nat_gateway(**options, TagSpecifications=_tags(request, "natgateway"))
        except ClientError as error:
            raise _refused(error) from error
        gateway_id = got["NatGateway"]["NatGatewayId"]
        return Created(gateway_id, {"NatGatewayId": gateway_id})

    def update(self, request: Request) -> Created:
        """Only tags change in place."""
        return Created(request.physical_id, {"NatGatewayId": request.physical_id})

    def delete(self, request: Request) -> None:
        """Delete the gateway."""
        request.aws("ec2").delete_nat_gateway(NatGatewayId=request.physical_id)


class FlowLog(Handler):
    """AWS::EC2::FlowLog."""

    def create(self, request: Request) -> Created:
        """Create the flow log; a destination in CloudWatch Logs needs a role that may write there."""
        wanted = request.properties
        destination = wanted.get("LogDestinationType", "cloud-watch-logs")
        if destination == "cloud-watch-logs" and not wanted.get("DeliverLogsPermissionArn"):
            raise service_fault(
                "Ec2", "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."
            )
        if str(wanted.get("MaxAggregationInterval", 600)) not in {"60", "600"}:
            raise service_fault("Ec2", "MaxAggregationInterval must be 60 or 600")
        names = (
            "TrafficType",
            "LogDestinationType",
            "LogDestination",
            "LogGroupName",
            "DeliverLogsPermissionArn",
            "LogFormat",
        )
        options = {key: wanted[key] for key in names if key in wanted}
        got = request.aws("ec2").create_flow_logs(
            ResourceIds=[wanted["ResourceId"]],
            ResourceType=wanted["ResourceType"],
            TagSpecifications=_tags(request, "vpc-flow-log"),
            **options,
        )
        if got.get("Unsuccessful"):
            raise service_fault("Ec2", got["Unsuccessful"][0]["Error"]["Message"])
        return Created(got["FlowLogIds"][0], {"Id": got["FlowLogIds"][0]})

    def update(self, request: Request) -> Created:
        """Only tags change in place."""
        return Created(request.physical_id, {"Id": request.physical_id})

    def delete(self, request: Request) -> None:
        """Delete the flow log."""
        request.aws("ec2").delete_flow_logs(FlowLogIds=[request.physical_id])


class SecurityGroupRule(Handler):
    """AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress."""

    def __init__(self, direction: str) -> None:
        self._direction = direction
        self._peer = "SourceSecurityGroupId" if direction == "ingress" else "DestinationSecurityGroupId"
        self._prefix_list = "SourcePrefixListId" if direction == "ingress" else "DestinationPrefixListId"

    def create(self, request: Request) -> Created:
        """Add the rule; the group and its peer must exist, and a rule exists once."""
        wanted = request.properties
        peers = [key for key in ("CidrIp", "CidrIpv6", self._peer, self._prefix_list) if wanted.get(key)]
        if len(peers) != 1:
            raise service_fault(
                "Ec2", f"Exactly one of CidrIp, CidrIpv6, {self._peer} or {self._prefix_list} must be set"
            )
        groups = [wanted[key] for key in ("GroupId", self._peer) if wanted.get(key)]
        if not wanted.get("GroupId"):
            raise service_fault("Ec2", "The request must contain the parameter GroupId")
        require_security_groups(request, sorted(set(groups)))
        check_ports(wanted)
        client = request.aws("ec2")
        call = getattr(client, f"authorize_security_group_{self._direction}")
        try:
            got = call(GroupId=wanted["GroupId"], IpPermissions=[self._permission(wanted)])
        except ClientError as error:
            raise _refused(error) from error
        rules = got.get("SecurityGroupRules") or [{}]
        rule_id = rules[0].get("SecurityGroupRuleId") or f"sgr-{uuid.uuid4().hex[:17]}"
        return Created(rule_id, {"Id": rule_id})

    def update(self, request: Request) -> Created:
        """Only the description changes in place."""
        return Created(request.physical_id, {"Id": request.physical_id})

    def delete(self, request: Request) -> None:
        """Remove the rule; a group that is gone took its rules along."""
        wanted = request.properties
        call = getattr(request.aws("ec2"), f"revoke_security_group_{self._direction}")
        try:
            call(GroupId=wanted["GroupId"], IpPermissions=[self._permission(wanted)])
        except ClientError as error:
            if not error.response["Error"]["Code"].endswith("NotFound"):
                raise _refused(error) from error

    def _permission(self, wanted: Properties) -> dict[str, Any]:
        permission: dict[str, Any] = {"IpProtocol": str(wanted["IpProtocol"])}
        for key in ("FromPort", "ToPort"):
            if key in wanted:
                permission[key] = int(wanted[key])
        note = {"Description": wanted["Description"]} if wanted.get("Description") else {}
        if wanted.get("CidrIp"):
            permission["IpRanges"] = [{"CidrIp": wanted["CidrIp"], **note}]
        elif wanted.get("CidrIpv6"):
            permission["Ipv6Ranges"] = [{"CidrIpv6": wanted["CidrIpv6"], **note}]
        elif wanted.get(self._peer):
            permission["UserIdGroupPairs"] = [{"GroupId": wanted[self._peer], **note}]
        else:
            permission["PrefixListIds"] = [{"PrefixListId": wanted[self._prefix_list], **note}]
        return permission


HANDLERS: dict[str, Handler] = {
    "AWS::EC2::EIP": Eip(),
    "AWS::EC2::NatGateway": NatGateway(),
    "AWS::EC2::FlowLog": FlowLog(),
    "AWS::EC2::SecurityGroupIngress": SecurityGroupRule("ingress"),
    "AWS::EC2::SecurityGroupEgress": SecurityGroupRule("egress"),
}
