"""`ops destroy`: shows before it touches, deletes in an order that can be, and removes no data that is not named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from ops import aws
from ops.cli import app
from ops.destroy import Outcome, look, work
from ops.destroy.costs import Costs
from ops.destroy.items import Item, Kind, Stays, total
from ops.destroy.show import items_table
from ops.errors import OpsError
from settings import Environment, parse_environment
from tests.unit.ops_destroy_double import (
    BALANCER,
    BUCKET,
    CLUSTER_LOGS,
    DAY,
    GROUP,
    KEY,
    LOGS,
    NAME,
    ORDER,
    SECRET,
    Account,
    volume,
)
from tests.unit.settings_files import file_with

STRAY_SECRET = f"AmazonMSK_{NAME}-milvus-0123abcd"


def env(*changes: tuple[str, Any]) -> Environment:
    return parse_environment(file_with(*changes), source="file")


def done(account: Account, *changes: tuple[str, Any], said: list[str] | None = None, **options: Any) -> Outcome:
    settings = env(*changes)
    plan = look(settings, clients=account)
    heard = said if said is not None else []
    return work(settings, plan, clients=account, file="mine.yaml", say=heard.append, pause=lambda _: None, **options)


def ids(items: Any, stays: Stays) -> list[str]:
    return [item.id for item in items if item.stays is stays]


def untidy() -> Account:
    """Return an account in which others left something of each kind beside a deleted environment."""
    account = Account(retain=False, only=[])
    account.balancers = {BALANCER: NAME, "arn:other": "milvus-test-b"}
    account.groups = {GROUP: NAME}
    account.interfaces = [{"NetworkInterfaceId": "eni-1", "Status": "available", "VpcId": "vpc-1"}]
    account.functions_interfaces = [{"NetworkInterfaceId": "eni-2", "Status": "in-use", "VpcId": "vpc-1"}]
    account.security_groups = {"sg-1": "elbv2.k8s.aws/cluster", "sg-2": "aws:eks:cluster-name"}
    account.log_groups = {CLUSTER_LOGS: 0, f"{CLUSTER_LOGS}-b": 0}
    account.volumes = [volume(0), volume(1, "milvus-test-b"), volume(2, None)]
    account.secrets = [
        {"Name": STRAY_SECRET, "ARN": "arn:waits", "DeletedDate": DAY},
        {"Name": f"AmazonMSK_{NAME}-b-milvus-0123abcd", "ARN": "arn:of-b", "DeletedDate": DAY},
        {"Name": STRAY_SECRET, "ARN": "arn:in-use"},
    ]
    return account


def test_plan_is_what_the_deployed_templates_say_in_an_order_that_can_be() -> None:
    # GIVEN an environment that retains, whatever its file says now
    account = Account(retain=True)
    account.volumes = [volume(0), volume(1, "milvus-test-b"), volume(2, None)]
    # WHEN it is looked at
    plan = look(env(("removal_policy", "destroy")), clients=account)
    # THEN the verification goes first, and the network last
    assert [stack.name for stack in plan.stacks] == ORDER
    # AND what is retained stays, with the volumes of its namespace, and none that names another cluster
    assert [(item.kind, item.id, item.cost) for item in plan.stays] == [
        ("log group", LOGS, "0.0300 USD for each GB in it"),
        ("secret", SECRET, "0.40 USD"),
        ("bucket", BUCKET, "0.0230 USD for each GB in it"),
        ("key", KEY, "1.00 USD, and as much again for each of its first two yearly rotations"),
        ("volume", "vol-0", "7.60 USD (20 GiB)"),
        ("volume", "vol-2", "7.60 USD (20 GiB)"),
    ]
    assert plan.stays[-1].why.endswith("its tags name no cluster: another one's in the region, perhaps")
    # AND nothing was touched
    assert account.deleted == []
    assert total(plan.stays) == "16.60 USD a month, and what is in 1 bucket and 1 log group by the GB"


def test_what_a_cluster_uses_is_not_left() -> None:
    account = untidy()
    account.states = {f"{NAME}-eks": "CREATE_COMPLETE"}
    assert [item.kind for item in look(env(), clients=account).left] == ["secret"]


def test_stacks_go_one_after_the_other_and_what_they_kept_is_listed() -> None:
    account, said = Account(), list[str]()
    outcome = done(account, said=said)
    assert account.deleted == ORDER
    assert outcome.deleted == tuple(ORDER)
    assert said[:2] == [f"{NAME}-verification: deleting 1 resources", f"{NAME}-verification: gone after 0 min"]
    # THEN a log group has its size now, and nothing is nobody's
    assert sorted(ids(outcome.left, Stays.KEPT)) == sorted([LOGS, SECRET, BUCKET, KEY])
    assert ids(outcome.left, Stays.STRAY) == []
    assert next(item.cost for item in outcome.left if item.id == LOGS) == "0.09 USD (3.0 GB)"
    assert not outcome.failed


def test_where_nothing_is_retained_only_keys_wait_and_cost_nothing() -> None:
    outcome = done(Account(retain=False))
    (key,) = outcome.left
    assert (key.id, key.stays, key.monthly) == (KEY, Stays.WAITS, 0)
    assert key.why == "KMS deletes it on 2026-12-05; `aws kms cancel-key-deletion` keeps it"


def test_what_was_removed_since_is_not_listed() -> None:
    account = Account()
    done(account)
    account.missing_buckets.add(BUCKET)
    del account.log_groups[LOGS]
    assert sorted(item.id for item in look(env(), clients=account).left) == sorted([SECRET, KEY])


def test_protected_stacks_are_refused_before_anything_is_touched() -> None:
    account = Account(protected=True)
    with pytest.raises(OpsError) as caught:
        done(account)
    names = ", ".join(name for name in ORDER if not name.endswith(("-milvus", "-verification")))
    assert str(caught.value) == (
        f"protected against deletion: {names}. "
        "If all of it shall go, set `termination_protection: false` in mine.yaml, deploy, and repeat"
    )
    assert caught.value.code == 3
    assert account.deleted == []


def test_running_deployment_is_not_interrupted() -> None:
    account = Account()
    account.states[f"{NAME}-eks"] = "UPDATE_IN_PROGRESS"
    with pytest.raises(OpsError, match=r"^a deployment is under way: milvus-test-eks \(UPDATE_IN_PROGRESS\). Wait"):
        done(account)
    assert account.deleted == []


def test_stack_that_is_being_deleted_is_waited_for() -> None:
    account = Account(only=["network"])
    account.delete_stack(f"arn:stack/{NAME}-network")
    assert done(account).deleted == (f"{NAME}-network",)
    assert account.deleted == [f"{NAME}-network"]


def test_failed_deletion_ends_with_resources_and_reasons_and_can_be_repeated() -> None:
    # GIVEN a stack that fails twice, with other reasons
    account = Account(only=["storage", "network"])
    name = f"{NAME}-storage"
    account.refusals = {name: [("AWS::S3::Bucket", "Data", "an older reason")]}
    with pytest.raises(OpsError, match="an older reason"):
        done(account)
    account.refusals = {
        name: [
            ("AWS::CloudFormation::Stack", name, "The following resource(s) failed to delete: [Data]"),
            ("AWS::KMS::Key", "Key", "Resource deletion cancelled"),
            ("AWS::S3::Bucket", "Data", "The bucket you tried to delete is not empty"),
        ]
    }
    # WHEN it fails the second time
    with pytest.raises(OpsError) as caught:
        done(account)
    # THEN only what failed by itself this time is said, and nothing behind it was touched
    assert str(caught.value) == (
        f"{name} cannot be deleted (DELETE_FAILED): Data (AWS::S3::Bucket): The bucket you tried to delete is not "
        "empty. docs/destroy.md#when-it-stops says what holds it; then repeat, with --leftovers for what load "
        "balancers and pods left in the network"
    )
    assert account.deleted == [name, name]
    # AND the third time it goes
    assert done(account).deleted == (name, f"{NAME}-network")


def test_cluster_stays_while_its_controller_has_load_balancers() -> None:
    account = Account()
    account.balancers = {BALANCER: NAME}
    with pytest.raises(OpsError) as caught:
        done(account)
    assert str(caught.value) == (
        "Milvus is gone, the cluster is not touched: its controller still has load balancers: "
        f"{BALANCER} (milvus/milvus). Delete their Services and Ingresses "
        "(`kubectl --namespace NAMESPACE delete service NAME`), then repeat; where Kubernetes cannot be reached any "
        "more, `aws elbv2 delete-load-balancer`"
    )
    assert account.deleted == ORDER[:2]


def test_leftovers_that_would_hold_the_network_go_before_it() -> None:
    account = Account(retain=False, only=["network"])
    account.interfaces = [{"NetworkInterfaceId": "eni-1", "Status": "available", "VpcId": "vpc-1"}]
    order: list[str] = []
    done(account, said=order, leftovers=True)
    assert order[0] == "network interface eni-1: removed"
    assert order[1].startswith(f"{NAME}-network: deleting")


def test_strays_are_listed_and_removed_on_request_and_nothing_of_another_environment() -> None:
    account = untidy()
    plan = look(env(("removal_policy", "destroy")), clients=account)
    expected = {BALANCER, GROUP, "eni-1", "sg-1", "sg-2", CLUSTER_LOGS}
    assert set(ids(plan.left, Stays.STRAY)) == expected
    assert set(ids(plan.left, Stays.WAITS)) == {"eni-2", "arn:waits"}
    assert set(ids(plan.left, Stays.KEPT)) == {"vol-0", "vol-2"}
    # WHEN they are removed, while the load balancer still holds a group
    account.held = 2
    outcome = done(account, ("removal_policy", "destroy"), leftovers=True)
    # THEN what holds others went first
    assert [name for name, _ in account.calls] == [
        "delete_load_balancer",
        "delete_target_group",
        "delete_network_interface",
        *["delete_security_group"] * 4,
        "delete_log_group",
        "delete_secret",
    ]
    # AND the data is there, as is what AWS removes by itself
    assert {item.id for item in outcome.left} == {"vol-0", "vol-2", "eni-2"}
    assert not outcome.failed


def test_what_is_left_says_whose_it_is_why_it_is_there_and_what_it_costs() -> None:
    left = look(env(("removal_policy", "destroy")), clients=untidy()).left
    controller, claim = "made by the load balancer controller", "data of a claim"
    assert [(item.id, item.of, item.why, item.cost) for item in left] == [
        ("arn:waits", "", "deleted by hand on 2026-12-05", "nothing while it waits"),
        ("vol-0", "claim data-milvus-etcd-0", claim, "7.60 USD (20 GiB)"),
        (
            "vol-2",
            "claim data-milvus-etcd-2",
            f"{claim}; its tags name no cluster: another one's in the region, perhaps",
            "7.60 USD (20 GiB)",
        ),
        (BALANCER, "milvus/milvus", controller, "16.43 USD"),
        (GROUP, "milvus/milvus", controller, "nothing"),
        ("eni-1", "vpc-1", "of a node's pods", "nothing"),
        ("eni-2", "vpc-1", "of a function: Lambda removes it within an hour, in-use", "nothing"),
        ("sg-1", "of sg-1", "of the cluster", "nothing"),
        ("sg-2", "of sg-2", "of the cluster", "nothing"),
        (
            CLUSTER_LOGS,
            f"EKS cluster {NAME}",
            "EKS made it again when the cluster was gone",
            "0.00 USD (0.0 GB)",
        ),
    ]


def test_retained_logs_of_the_cluster_are_kept_on_purpose() -> None:
    account = untidy()
    left = look(env(("removal_policy", "retain")), clients=account).left
    assert next(item.stays for item in left if item.id == CLUSTER_LOGS) is Stays.KEPT


def test_data_goes_where_it_is_named_and_a_key_last() -> None:
    account = Account()
    done(account)
    account.volumes = [volume(0)]
    outcome = done(account, leftovers=True, data=[KEY, BUCKET, "vol-0"])
    assert account.calls == [("delete_volume", {}), ("delete_bucket", {}), ("schedule_key_deletion", {"days": 30})]
    assert account.objects == []
    assert [item.done for item in outcome.removed][-1] == (
        "deleted in 30 days, unless `aws kms cancel-key-deletion` keeps it"
    )
    assert sorted(item.id for item in outcome.left) == sorted([SECRET, LOGS, KEY])


def test_adopted_bucket_is_neither_left_nor_removed_whoever_names_it() -> None:
    # GIVEN a bucket that an earlier deployment kept, and that a file adopts now
    account = Account()
    done(account)
    existing = {"bucket": BUCKET, "key_arn": f"arn:aws:kms:us-east-2:111122223333:key/{KEY}"}
    settings = ("storage", {"existing": existing})
    # WHEN the environment is looked at and destroyed
    plan = look(env(settings), clients=account)
    assert [(item.kind, item.id, item.why) for item in plan.left if item.stays is Stays.ADOPTED] == [
        ("bucket", BUCKET, "storage.existing"),
        ("key", KEY, "storage.existing"),
    ]
    assert sorted(ids(plan.left, Stays.KEPT)) == sorted([LOGS, SECRET])
    outcome = done(account, settings, leftovers=True)
    # THEN both stay, and cannot be named
    assert account.calls == []
    assert {BUCKET, KEY} <= {item.id for item in outcome.left}
    with pytest.raises(OpsError, match=rf"^--data: got '{BUCKET}', allowed is {SECRET}, {LOGS}. Name"):
        done(account, settings, leftovers=True, data=[BUCKET])


def test_data_that_is_none_is_refused_before_anything_is_touched() -> None:
    account = Account(only=["storage"])
    with pytest.raises(OpsError) as caught:
        done(account, leftovers=True, data=["vol-9"])
    assert str(caught.value) == (
        f"--data: got 'vol-9', allowed is {KEY}, {BUCKET}. Name what the command lists as kept"
    )
    assert account.deleted == []


def test_what_cannot_be_removed_is_said_and_fails() -> None:
    account = untidy()
    account.held = 100
    outcome = done(account, ("removal_policy", "destroy"), leftovers=True)
    said = {item.id: item.done for item in outcome.removed}
    assert said["sg-1"].startswith("not removed: cannot read the security group sg-1: DependencyViolation: resource")
    assert said["sg-2"] == said["sg-1"].replace("sg-1", "sg-2")
    assert outcome.failed
    assert {"sg-1", "sg-2"} <= {item.id for item in outcome.left}


def test_what_may_not_be_read_is_said_and_leaves_the_rest() -> None:
    account = Account()
    done(account)
    account.denied = {"describe_target_groups", "describe_key"}
    plan = look(env(), clients=account)
    assert plan.notes[0].startswith(f"cannot read the key {KEY}: not authorized to perform: describe_key")
    assert plan.notes[1].startswith("not looked for target groups: cannot read target groups: not authorized")
    key = next(item for item in plan.left if item.id == KEY)
    assert key.why == "removal_policy: retain; whether it is still there could not be read"


def test_credentials_of_another_account_are_refused() -> None:
    with pytest.raises(OpsError) as caught:
        look(env(("account", "444455556666")), clients=Account())
    assert str(caught.value) == (
        "account: got credentials of 111122223333, allowed is those of 444455556666, which the file names. "
        "Check AWS_PROFILE"
    )


def test_region_without_prices_costs_an_unknown_sum_and_never_nothing() -> None:
    costs = Costs("mars-north-1")
    every = [costs.bucket(), costs.key(), costs.secret(), costs.volume(1, iops=0, mibps=0), costs.log_group(1)]
    every.append(costs.load_balancer("application"))
    assert every == [(None, "no price is known")] * 6
    item = Item(kind=Kind.KEY, id="k", stays=Stays.KEPT)
    assert total([item]) == "0.00 USD a month, and 1 of which no price is known"


def test_log_groups_that_a_stack_keeps_are_one_line() -> None:
    logs = [Item(kind=Kind.LOG_GROUP, id=f"g{n}", stays=Stays.KEPT, of="s", monthly=0.1, cost="c") for n in range(3)]
    other = Item(kind=Kind.LOG_GROUP, id="other", stays=Stays.STRAY, of="s", monthly=0.0, cost="c")
    (_, cells, *_) = items_table("Left", [*logs, other]).columns
    assert [str(cell) for cell in cells.cells] == ["3 of them (--json lists them)", "other"]


def test_interrupt_says_what_goes_on() -> None:
    account, settings = Account(), env()
    plan = look(settings, clients=account)

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        work(settings, plan, clients=account, file="f", say=lambda _: None, pause=interrupted)
    assert caught.value.__notes__ == [
        f"CloudFormation goes on deleting {NAME}-verification; repeat the command for what comes after"
    ]


def command(monkeypatch: pytest.MonkeyPatch, account: Account, *options: str, name: str = NAME) -> Any:
    monkeypatch.setattr(aws, "client", lambda service, **_: account(service))
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("ops.environments.environment", lambda *_, **__: env(("name", name)))
    return CliRunner().invoke(app, ["destroy", *options], env={"COLUMNS": "300"})


def test_command_only_shows_unless_the_name_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account()
    shown = command(monkeypatch, account)
    assert (shown.exit_code, account.deleted) == (0, [])
    assert "Goes, in this order (us-east-2)" in shown.stdout
    assert "1 x the brokers, and what Milvus had not flushed" in shown.stdout
    assert "Stays: " in shown.stdout
    assert f"note  nothing was touched: add --confirm {NAME}\n" in shown.stderr
    wrong = command(monkeypatch, account, "--confirm", "milvus-prod")
    assert (wrong.exit_code, account.deleted) == (2, [])
    assert wrong.stderr == (
        "error --confirm: got 'milvus-prod', allowed is 'milvus-test', the name in the file\n"
        "   do Look again which environment you mean\n"
    )


def test_command_destroys_and_lists_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account()
    destroyed = command(monkeypatch, account, "--confirm", NAME)
    assert destroyed.exit_code == 0
    assert account.deleted == ORDER
    assert f"{NAME}-network: gone after 0 min" in destroyed.stdout
    assert "Left: " in destroyed.stdout
    # AND a second time there are only leftovers
    again = command(monkeypatch, account)
    assert f"add --confirm {NAME} and --leftovers" in again.stderr


def test_command_prints_json_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(retain=False, only=["network"])
    account.security_groups = {"sg-1": "elbv2.k8s.aws/cluster"}
    shown = json.loads(command(monkeypatch, account, "--json").stdout)
    assert (shown["account"], shown["deleted"], [each["id"] for each in shown["left"]]) == (
        "111122223333",
        [],
        ["sg-1"],
    )
    made = json.loads(command(monkeypatch, account, "--json", "--confirm", NAME).stdout)
    assert (made["deleted"], [each["id"] for each in made["left"]]) == ([f"{NAME}-network"], ["sg-1"])
    account.held = 100
    failed = command(monkeypatch, account, "--json", "--confirm", NAME, "--leftovers")
    assert failed.exit_code == 1


def test_command_says_when_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(only=[])
    shown = command(monkeypatch, account)
    assert (shown.stdout, shown.stderr) == (f"nothing of {NAME} is in us-east-2\n", "")
    assert command(monkeypatch, account, "--confirm", NAME).stdout.endswith("nothing is left\n")


def test_command_says_how_to_be_rid_of_strays(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(retain=False, only=["network"])
    account.security_groups = {"sg-1": "elbv2.k8s.aws/cluster"}
    destroyed = command(monkeypatch, account, "--confirm", NAME)
    assert destroyed.stdout.endswith("Nobody wants what is yellow: --leftovers removes it.\n")


def test_command_wants_leftovers_beside_data(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = command(monkeypatch, Account(), "--data", "vol-1")
    assert refused.exit_code == 2
    assert refused.stderr == (
        "error --data: got it without --leftovers, allowed is both\n   do Add --leftovers, or drop --data\n"
    )
