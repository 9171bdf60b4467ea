"""What a new account may have, what is protected in it, and which zones its region has."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal.account import limits
from rehearsal.account.base import Request
from rehearsal.account.eks_rules import check_nodegroup
from rehearsal.account.exports import install as install_exports
from rehearsal.account.kafka_api import KafkaApi
from rehearsal.account.kafka_rules import check_cluster
from rehearsal.account.late_events import ControlPlaneEvents
from rehearsal.account.limits import Limits, quotas_of
from rehearsal.account.names import Names
from rehearsal.account.refusals import ResourceError
from rehearsal.account.zones import Zones
from rehearsal.targets import raised_quotas, zones_of_account
from rehearsal.tests.unit.test_account_eks import _group, _request
from rehearsal.tests.unit.test_account_kafka import _request as kafka_request
from settings import load_environment
from settings.needs import needs_of


def group(name: str, *, nodes: int, kind: str = "m7g.xlarge", capacity: str = "ON_DEMAND") -> dict[str, Any]:
    return {
        "clusterName": "milvus",
        "nodegroupName": name,
        "capacityType": capacity,
        "instanceTypes": [kind],
        "scalingConfig": {"desiredSize": nodes},
    }


def nodes(desired: int, *there: dict[str, Any], quotas: dict[str, int], name: str = "", **change: Any) -> None:
    """Ask for a node group of m7g.xlarge, of 4 vCPUs each."""
    wanted = _group(ScalingConfig={"MinSize": 0, "DesiredSize": desired, "MaxSize": 9}, **change)
    request = Request(type_name="T", logical_id="L", stack="s", properties=wanted, aws=lambda _: None, physical_id=name)
    Limits(quotas_of(quotas), lambda: there).check_nodegroup(request)


def test_nodes_within_the_quota_start() -> None:
    nodes(1, quotas={})
    nodes(3, quotas={limits.VCPUS: 12})
    # What a group has already is not counted twice, nor what spot instances take
    nodes(3, group("here", nodes=2), name="here", quotas={limits.VCPUS: 12})
    nodes(3, group("other", nodes=9, capacity="SPOT"), quotas={limits.VCPUS: 12})


@pytest.mark.parametrize(
    ("desired", "there", "change", "limit", "message"),
    [
        (
            2,
            [],
            {},
            5,
            "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity ",
        ),
        (1, [group("other", nodes=1)], {}, 5, "than your current vCPU limit of 5 allows for the instance bucket"),
        (
            2,
            [],
            {"CapacityType": "SPOT"},
            5,
            "Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot",
        ),
    ],
)
def test_nodes_beyond_the_quota_do_not_start(
    desired: int, there: list[dict[str, Any]], change: dict[str, Any], limit: int, message: str
) -> None:
    with pytest.raises(ResourceError) as refused:
        nodes(desired, *there, quotas={limits.VCPUS: limit}, **change)
    assert message in str(refused.value)


def account_with(vpcs: int) -> Request:
    ec2 = SimpleNamespace(describe_vpcs=lambda: {"Vpcs": [{}] * vpcs})
    return Request(type_name="T", logical_id="L", stack="s", properties={}, aws=lambda _: ec2)


def test_a_fifth_vpc_is_made_and_a_sixth_refused() -> None:
    held = Limits(quotas_of({}), list)
    held.check_vpc(account_with(4))
    with pytest.raises(ResourceError, match=r"The maximum number of VPCs has been reached\."):
        held.check_vpc(account_with(5))
    # AND one that is there may change
    held.check_vpc(Request(**{**account_with(5).__dict__, "previous": {"CidrBlock": "10.0.0.0/16"}}))


def modules(*, addresses: int, building: int) -> tuple[Any, Any]:
    ec2: Any = SimpleNamespace(
        _addresses=dict.fromkeys(range(addresses)),
        _ACTION_MAP={"AllocateAddress": lambda _: "allocated"},
        _error=lambda code, message, status: (status, code, message),
    )
    builds = {number: {"buildStatus": "IN_PROGRESS"} for number in range(building)} | {
        "done": {"buildStatus": "FAILED"}
    }
    codebuild: Any = SimpleNamespace(
        _builds=builds,
        _start_build=lambda _: "started",
        error_response_json=lambda code, message, status: (status, code, message),
    )
    Limits(quotas_of({}), list).install(ec2, codebuild)
    return ec2, codebuild


def test_a_fifth_address_is_given_and_a_sixth_refused() -> None:
    assert modules(addresses=4, building=0)[0]._ACTION_MAP["AllocateAddress"]({}) == "allocated"
    assert modules(addresses=5, building=0)[0]._ACTION_MAP["AllocateAddress"]({}) == (
        400,
        "AddressLimitExceeded",
        "The maximum number of addresses has been reached.",
    )


def test_one_build_runs_and_a_second_is_refused() -> None:
    assert modules(addresses=0, building=0)[1]._start_build({}) == "started"
    assert modules(addresses=0, building=1)[1]._start_build({}) == (
        400,
        "AccountLimitExceededException",
        "Cannot have more than 1 builds in queue for the account",
    )


@pytest.mark.parametrize("name", ["dev", "small", "prod", "guide", "existing-vpc", "exposed"])
def test_the_rehearsal_raises_only_what_the_doctor_would_ask_for(name: str) -> None:
    env = load_environment(name)
    quotas = quotas_of(raised_quotas(env))
    needs = needs_of(env)
    # GIVEN the account of a rehearsal, THEN all nodes of the environment start in it at their full size
    assert quotas[limits.VCPUS] == max(needs.on_demand_vcpus_at_most, 5)
    assert quotas[limits.SPOT_VCPUS] == max(needs.spot_vcpus_at_most, 5)
    # AND everything else is a new account's, and enough
    others = quotas.keys() - {limits.VCPUS, limits.SPOT_VCPUS}
    assert {code: quotas[code] for code in others} == {code: limits.NEW_ACCOUNT[code] for code in others}
    assert needs.elastic_ips <= quotas[limits.ADDRESSES]
    assert needs.lambda_executions <= quotas[limits.LAMBDA_EXECUTIONS]


def subnet(zone: str, region: str, letters: tuple[str, ...] | None = None) -> None:
    ec2 = SimpleNamespace(meta=SimpleNamespace(region_name=region))
    request = Request(
        type_name="T", logical_id="L", stack="s", properties={"AvailabilityZone": zone}, aws=lambda _: ec2
    )
    Zones(letters, region).check_subnet(request)


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("us-west-1c", "us-west-1"),
        ("ca-central-1d", "ca-central-1"),
        ("us-east-1f", "us-east-1"),
        ("eu-west-1c", "eu-west-1"),
    ],
)
def test_a_zone_of_the_region_takes_subnets(zone: str, region: str) -> None:
    subnet(zone, region)


@pytest.mark.parametrize(
    ("zone", "region", "known"),
    [
        ("us-west-1b", "us-west-1", "us-west-1a, us-west-1c"),
        ("ca-central-1c", "ca-central-1", "ca-central-1a, ca-central-1b, ca-central-1d"),
        ("eu-west-1d", "eu-west-1", "eu-west-1a, eu-west-1b, eu-west-1c"),
    ],
)
def test_a_zone_that_the_region_does_not_have_takes_none(zone: str, region: str, known: str) -> None:
    with pytest.raises(ResourceError) as refused:
        subnet(zone, region)
    assert (
        f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the "
        f"following availability zones: {known}." in str(refused.value)
    )


def test_an_account_may_see_other_zones_of_its_region() -> None:
    subnet("us-west-1b", "us-west-1", ("b", "c"))
    assert zones_of_account(load_environment("dev")) is None


def test_brokers_in_us_west_1_take_two_subnets() -> None:
    two = kafka_request(zones="abc", NumberOfBrokerNodes=2)
    nodes_of = two.properties["BrokerNodeGroupInfo"]

    def of(zones: list[str]) -> Request:
        ec2 = two.aws("ec2")
        found = [{"SubnetId": zone, "AvailabilityZone": zone, "VpcId": "vpc-1"} for zone in zones]
        described = SimpleNamespace(
            describe_subnets=lambda **_: {"Subnets": found}, describe_security_groups=ec2.describe_security_groups
        )
        properties = two.properties | {
            "NumberOfBrokerNodes": len(zones),
            "BrokerNodeGroupInfo": nodes_of | {"ClientSubnets": zones},
        }
        return Request(
            type_name="T",
            logical_id="L",
            stack="s",
            properties=properties,
            aws=lambda name: described if name == "ec2" else two.aws(name),
        )

    check_cluster(of(["us-west-1a", "us-west-1c"]))
    with pytest.raises(ResourceError, match=r"Specify exactly two client subnets in the US West"):
        check_cluster(of(["us-west-1a", "us-west-1b", "us-west-1c"]))


@pytest.mark.parametrize("brokers", [3, 6])
def test_brokers_come_in_another_order_at_each_call(brokers: int) -> None:
    arn = "arn:aws:kafka:eu-central-1:111122223333:cluster/milvus/12345678"
    scram = {"sasl": {"scram": {"enabled": True}}}
    info = {"ClusterName": "milvus", "NumberOfBrokerNodes": brokers, "ClientAuthentication": scram}
    msk: Any = SimpleNamespace(_clusters={arn: info}, handle_request=None)
    api = KafkaApi(msk, msk, SimpleNamespace(bootstrap_brokers=None))  # type: ignore[arg-type]  # doubles
    answers = [
        json.loads(api._brokers(arn, None)[2])["bootstrapBrokerStringSaslScram"].split(",") for _ in range(brokers)
    ]
    # THEN no two answers are the same, each names three, and of more than three others each time
    assert len({tuple(answer) for answer in answers}) == brokers
    assert {len(set(answer)) for answer in answers} == {3}
    assert len({frozenset(answer) for answer in answers}) == (1 if brokers == 3 else brokers)


def test_nodes_change_by_one_kind_of_update_at_a_time() -> None:
    before = _group(Version="1.35", Labels={"role": "milvus"})

    def update(**change: Any) -> None:
        request = _request(before | change)
        check_nodegroup(Request(**{**request.__dict__, "previous": before, "physical_id": "nodes"}))

    update(Version="1.36")
    update(Labels={"role": "other"}, Tags={"team": "search"})
    changes: list[dict[str, Any]] = [
        {"Labels": {}},
        {"Tags": {"team": "search"}},
        {"ScalingConfig": {"DesiredSize": 4}},
    ]
    for change in changes:
        with pytest.raises(ResourceError) as refused:
            update(LaunchTemplate={"Id": "lt-1", "Version": "2"}, **change)
        assert "Version and ReleaseVersion updates cannot be combined with other updates" in str(refused.value)


def exported(value: str | None, *, imported: bool, status: str = "CREATE_COMPLETE") -> Any:
    """Update the stack ``eks``, which exported ``group`` as ``sg-1``, so that it exports another value, or none."""
    new = {} if value is None else {"group": {"StackId": "arn:eks", "Name": "group", "Value": value}}
    stacks: Any = SimpleNamespace(_resolve_stack_outputs=lambda *_: ([], new))
    account: Any = SimpleNamespace(
        _exports={"group": {"StackId": "arn:eks", "Value": "sg-1"}, "vpc": {"StackId": "arn:network", "Value": "v"}},
        _stacks={"eks": {"StackStatus": "UPDATE_IN_PROGRESS"}, "milvus": {"StackStatus": status}},
    )
    names: set[str] = {"group"} if imported else set()
    handlers: Any = SimpleNamespace(_imported_export_names=lambda *_: names)
    install_exports(stacks, handlers, account)
    return stacks._resolve_stack_outputs({}, {}, {}, {}, {}, "eks", "arn:eks")


def test_an_export_may_stay_and_one_that_nobody_imports_may_go() -> None:
    exported("sg-1", imported=True)
    exported("sg-2", imported=False)
    exported(None, imported=False)
    exported(None, imported=True, status="DELETE_COMPLETE")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("sg-2", "Export group cannot be updated as it is in use by milvus"),
        (None, "Export group cannot be deleted as it is in use by milvus"),
    ],
)
def test_an_export_in_use_neither_changes_nor_goes(value: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        exported(value, imported=True)


def make(kind: str, properties: dict[str, Any], previous: dict[str, Any] | None = None) -> None:
    """Create a log group or a secret where each has one name that is taken, and a secret one more that waits."""
    taken = Names({"/milvus"}, {"milvus": {"DeletedDate": None}, "gone": {"DeletedDate": 1764201600}})
    request = Request(
        type_name="T", logical_id="L", stack="s", properties=properties, aws=lambda _: None, previous=previous or {}
    )
    {"log group": taken.check_log_group, "secret": taken.check_secret}[kind](request)


def test_a_name_that_is_free_is_taken_and_one_of_their_own_stays() -> None:
    for kind, key, name in (("log group", "LogGroupName", "/milvus"), ("secret", "Name", "milvus")):
        make(kind, {key: f"{name}-2"})
        make(kind, {})
        make(kind, {key: name}, previous={key: name})


@pytest.mark.parametrize(
    ("kind", "properties", "message"),
    [
        (
            "log group",
            {"LogGroupName": "/milvus"},
            "Resource of type 'AWS::Logs::LogGroup' with identifier "
            """'{"/properties/LogGroupName":"/milvus"}' already exists.""",
        ),
        ("secret", {"Name": "milvus"}, "A resource with the ID you requested already exists."),
        (
            "secret",
            {"Name": "gone"},
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        ),
    ],
)
def test_a_name_that_is_taken_is_refused(kind: str, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceError) as refused:
        make(kind, properties)
    assert message in str(refused.value)
    assert "HandlerErrorCode: AlreadyExists" in str(refused.value)


def test_the_last_events_of_a_cluster_make_its_log_group_again() -> None:
    made: list[str] = []
    logs: Any = SimpleNamespace(_create_log_group=lambda asked: made.append(asked["logGroupName"]))
    events = ControlPlaneEvents(logs, seconds=0.05)
    # GIVEN a group that was deleted with its cluster
    events.write_late("milvus-dev")
    assert made == []
    # THEN it is there again after a while
    deadline = time.monotonic() + 5
    while not made and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made == ["/aws/eks/milvus-dev/cluster"]
