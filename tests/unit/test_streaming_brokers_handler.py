"""The list of brokers: sorted, read with patience, and the same for the life of a cluster."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from milvus_constructs import patience
from milvus_constructs.kafka import bootstrap_brokers
from milvus_constructs.kafka.bootstrap_brokers_lambda import handler
from tests.unit.service_double import PAUSE_SECONDS, Service, pauses  # noqa: F401 - a fixture

CLUSTER = "arn:aws:kafka:us-east-2:111122223333:cluster/milvus/0a1b2c3d-0000-0000-0000-000000000000-1"
ANOTHER = CLUSTER.replace("0a1b2c3d", "ffffffff")
SORTED = "b-1.milvus.example:9096,b-2.milvus.example:9096,b-3.milvus.example:9096"
AS_MSK_LIKES = "b-3.milvus.example:9096,b-1.milvus.example:9096,b-2.milvus.example:9096"


class Msk(Service):
    """A kafka client that answers as told, in order, and remembers how often the handler waited."""

    name = "kafka"

    def tells(self, **lists: str) -> Msk:
        self.stubber.add_response("get_bootstrap_brokers", lists, {"ClusterArn": CLUSTER})
        return self

    def brokers(self) -> str:
        return handler.sasl_scram(self.client, CLUSTER)


def event(kind: str, cluster: str = CLUSTER, **more: Any) -> dict[str, Any]:
    return {"RequestType": kind, "ResourceProperties": {"ClusterArn": cluster}, **more}


def test_brokers_come_in_the_same_order_whatever_msk_says() -> None:
    # GIVEN other ways to sign in beside SCRAM
    msk = Msk().tells(BootstrapBrokerStringSaslScram=AS_MSK_LIKES, BootstrapBrokerStringTls="b-1:9094")
    assert msk.brokers() == SORTED
    assert msk.pauses == []


def test_right_that_has_not_arrived_yet_is_waited_for() -> None:
    msk = (
        Msk()
        .fails("get_bootstrap_brokers", "AccessDeniedException")
        .fails("get_bootstrap_brokers", "ForbiddenException")
    )
    assert msk.tells(BootstrapBrokerStringSaslScram=SORTED).brokers() == SORTED
    assert msk.pauses == [PAUSE_SECONDS] * 2


def test_right_that_never_arrives_fails_with_what_msk_says_and_what_to_look_at() -> None:
    msk = Msk().fails("get_bootstrap_brokers", "AccessDeniedException", patience.ATTEMPTS)
    with pytest.raises(
        handler.BrokersError,
        match=rf"^MSK does not tell where the brokers of {CLUSTER} are: .*AccessDeniedException.*because. "
        rf"`aws kafka get-bootstrap-brokers --cluster-arn {CLUSTER}` has to show BootstrapBrokerStringSaslScram; ",
    ):
        msk.brokers()
    assert len(msk.pauses) == patience.ATTEMPTS - 1


def test_cluster_that_is_not_there_is_not_waited_for() -> None:
    msk = Msk().fails("get_bootstrap_brokers", "NotFoundException")
    with pytest.raises(handler.BrokersError, match="NotFoundException"):
        msk.brokers()
    assert msk.pauses == []


def test_cluster_without_scram_fails_after_a_while() -> None:
    msk = Msk()
    for _ in range(patience.ATTEMPTS):
        msk.tells(BootstrapBrokerStringTls="b-1:9094")
    with pytest.raises(handler.BrokersError, match="are: the cluster has no brokers for SASL/SCRAM"):
        msk.brokers()


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_list_of_a_cluster_stays_as_it_was_created(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a list in the order of an older version, and no MSK to ask
    monkeypatch.setattr(boto3, "client", lambda *_args, **_options: pytest.fail("asked MSK again"))
    old: dict[str, Any] = {
        "PhysicalResourceId": AS_MSK_LIKES,
        "OldResourceProperties": {"ClusterArn": CLUSTER, "More": "than now"},
    }
    # WHEN the resource is touched THEN nothing changes for whoever imports the list
    assert handler.on_event(event(kind, **old)) == {
        "PhysicalResourceId": AS_MSK_LIKES,
        "Data": {"BootstrapBrokerStringSaslScram": AS_MSK_LIKES},
    }


@pytest.mark.parametrize(
    "asked",
    [
        event("Create"),
        event("Update", PhysicalResourceId="b-9:9096", OldResourceProperties={"ClusterArn": ANOTHER}),
    ],
    ids=["first cluster", "another cluster"],
)
def test_list_is_read_for_a_cluster_that_is_new(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    msk = Msk().tells(BootstrapBrokerStringSaslScram=AS_MSK_LIKES)
    monkeypatch.setattr(boto3, "client", lambda *_args, **_options: msk.client)
    assert handler.on_event(asked)["Data"] == {bootstrap_brokers._FIELD: SORTED}
