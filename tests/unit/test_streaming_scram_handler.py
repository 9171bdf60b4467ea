from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from milvus_constructs import patience
from milvus_constructs.kafka.scram_association_lambda import handler
from tests.unit.service_double import PAUSE_SECONDS, Service, pauses  # noqa: F401 - a fixture

CLUSTER = "arn:aws:kafka:us-east-2:111122223333:cluster/milvus/0a1b2c3d-0000-0000-0000-000000000000-1"
SECRET = "arn:aws:secretsmanager:us-east-2:111122223333:secret:AmazonMSK_milvus-abcdef"
ASKED = {"ClusterArn": CLUSTER, "SecretArnList": [SECRET]}
REFUSAL = {
    "ErrorCode": "InvalidSecretArn",
    "ErrorMessage": "Amazon MSK wasn't able to access the provided secret.",
    "SecretArn": SECRET,
}
ASSOCIATE = "batch_associate_scram_secret"
DISASSOCIATE = "batch_disassociate_scram_secret"


class Msk(Service):
    """A kafka client that answers as told, in order, and remembers how often the handler waited."""

    name = "kafka"

    def lists(self, *secrets: str) -> Msk:
        self.stubber.add_response("list_scram_secrets", {"SecretArnList": list(secrets)}, {"ClusterArn": CLUSTER})
        return self

    def answers(self, operation: str, *refusals: dict[str, str]) -> Msk:
        self.stubber.add_response(operation, {"ClusterArn": CLUSTER, "UnprocessedScramSecrets": list(refusals)}, ASKED)
        return self

    def associate(self) -> None:
        handler.associate(self.client, CLUSTER, SECRET)

    def disassociate(self) -> None:
        handler.disassociate(self.client, CLUSTER, SECRET)


@pytest.fixture
def msk() -> Iterator[Msk]:
    stub = Msk()
    yield stub
    stub.stubber.assert_no_pending_responses()


def test_accepted_secret_is_looked_up_in_the_list(msk: Msk) -> None:
    msk.lists().answers(ASSOCIATE).lists(SECRET).associate()
    assert msk.pauses == []


def test_secret_that_is_associated_already_is_left_alone(msk: Msk) -> None:
    msk.lists("arn:another", SECRET).associate()


def test_refused_secret_inside_a_successful_answer_fails_with_msks_reason_and_the_remedy(msk: Msk) -> None:
    # GIVEN MSK that answers "OK" and names the secret as unprocessed, every time
    for _ in range(patience.ATTEMPTS):
        msk.lists().answers(ASSOCIATE, REFUSAL)
    # WHEN associated THEN the deployment fails
    with pytest.raises(
        handler.AssociationError, match=r"did not accept .*InvalidSecretArn: Amazon MSK wasn't able .*AmazonMSK_"
    ):
        msk.associate()
    assert len(msk.pauses) == patience.ATTEMPTS - 1


def test_refusal_that_passes_by_waiting_does_not_fail(msk: Msk) -> None:
    msk.lists().answers(ASSOCIATE, REFUSAL).lists().answers(ASSOCIATE).lists(SECRET).associate()
    assert msk.pauses == [PAUSE_SECONDS]


def test_secret_that_is_accepted_but_never_listed_fails(msk: Msk) -> None:
    for _ in range(patience.ATTEMPTS):
        msk.lists().answers(ASSOCIATE).lists()
    with pytest.raises(handler.AssociationError, match="accepted the secret but does not list it"):
        msk.associate()


def test_cluster_that_is_being_changed_is_waited_for(msk: Msk) -> None:
    msk.lists().fails(ASSOCIATE, "ConflictException").lists().answers(ASSOCIATE).lists(SECRET).associate()
    assert len(msk.pauses) == 1


def test_policy_that_has_not_arrived_yet_is_waited_for(msk: Msk) -> None:
    msk.lists().fails(ASSOCIATE, "AccessDeniedException").lists().answers(ASSOCIATE).lists(SECRET).associate()
    assert len(msk.pauses) == 1


def test_wrong_request_fails_at_once(msk: Msk) -> None:
    with pytest.raises(handler.AssociationError, match="NotFoundException"):
        msk.lists().fails(ASSOCIATE, "NotFoundException").associate()
    assert msk.pauses == []


def test_delete_undoes_the_association(msk: Msk) -> None:
    msk.lists(SECRET).answers(DISASSOCIATE).lists().disassociate()


def test_delete_of_what_is_gone_already_succeeds(msk: Msk) -> None:
    msk.lists().disassociate()


def test_delete_succeeds_when_the_cluster_is_gone(msk: Msk) -> None:
    msk.fails("list_scram_secrets", "NotFoundException").disassociate()


def test_delete_fails_when_msk_keeps_the_user(msk: Msk) -> None:
    for _ in range(patience.ATTEMPTS):
        msk.lists(SECRET).answers(DISASSOCIATE, REFUSAL)
    with pytest.raises(handler.AssociationError, match=r"did not let go .*batch-disassociate-scram-secret"):
        msk.disassociate()


def test_delete_fails_when_the_secret_stays_in_the_list(msk: Msk) -> None:
    for _ in range(patience.ATTEMPTS):
        msk.lists(SECRET).answers(DISASSOCIATE).lists(SECRET)
    with pytest.raises(handler.AssociationError, match="MSK still lists the secret"):
        msk.disassociate()


def test_list_is_read_to_its_last_page(msk: Msk) -> None:
    msk.stubber.add_response("list_scram_secrets", {"SecretArnList": ["arn:another"], "NextToken": "more"})
    msk.stubber.add_response("list_scram_secrets", {"SecretArnList": [SECRET]})
    assert handler.associated(msk.client, CLUSTER) == {"arn:another", SECRET}


@pytest.mark.parametrize(
    ("request_type", "called"), [("Create", "associate"), ("Update", "associate"), ("Delete", "disassociate")]
)
def test_event_calls_what_it_asks_for(request_type: str, called: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a custom resource's event
    calls: list[tuple[str, str, str]] = []
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    for name in ("associate", "disassociate"):
        monkeypatch.setattr(handler, name, lambda _client, *arns, name=name: calls.append((name, *arns)))
    event: dict[str, Any] = {
        "RequestType": request_type,
        "ResourceProperties": {"ClusterArn": CLUSTER, "SecretArn": SECRET},
    }
    # WHEN handled
    answer = handler.on_event(event)
    # THEN the physical id changes with cluster and secret, so that CloudFormation undoes an old association
    assert calls == [(called, CLUSTER, SECRET)]
    assert answer["PhysicalResourceId"] == f"{CLUSTER} {SECRET}"
