from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.errors import OpsError
from ops.gate import apply_approvals, judge, parse_approval, parse_change_sets

STATEFUL = [
    "AWS::S3::Bucket",
    "AWS::MSK::Cluster",
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
    "AWS::EKS::Cluster",
    "AWS::EC2::VPC",
]
STATELESS = [
    "AWS::EKS::Nodegroup",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::IAM::Role",
    "AWS::MSK::BatchScramSecret",
    "Custom::AWSCDK-EKS-KubernetesResource",
]


def change(
    resource_type: str = "AWS::S3::Bucket", action: str = "Modify", logical_id: str = "Data", **more: str
) -> dict[str, Any]:
    resource = {"Action": action, "LogicalResourceId": logical_id, "ResourceType": resource_type, **more}
    return {"Type": "Resource", "ResourceChange": resource}


def page(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"StackName": "milvus-dev-storage", "ChangeSetId": "arn:one", "Changes": list(changes), **more}


def run(document: Any, *arguments: str) -> Any:
    text = document if isinstance(document, str) else json.dumps(document)
    return CliRunner().invoke(app, ["gate", "--change-set", "-", *arguments], input=text)


@pytest.mark.parametrize("resource_type", STATEFUL)
@pytest.mark.parametrize("replacement", ["True", "Conditional"])
def test_replacement_of_a_stateful_resource_is_refused(resource_type: str, replacement: str) -> None:
    # GIVEN a change that (perhaps) replaces something stateful
    result = run(page(change(resource_type, Replacement=replacement, PhysicalResourceId="physical")))

    # THEN it is refused, in one line that names it
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 1
    assert f"refused milvus-dev-storage/Data ({resource_type} physical)" in result.stdout


@pytest.mark.parametrize("resource_type", STATEFUL)
def test_deletion_of_a_stateful_resource_is_refused(resource_type: str) -> None:
    result = run(page(change(resource_type, "Remove", PolicyAction="Delete")))

    assert result.exit_code == 3
    assert "would be deleted" in result.stdout


@pytest.mark.parametrize("resource_type", STATELESS)
@pytest.mark.parametrize(("action", "more"), [("Modify", {"Replacement": "True"}), ("Remove", {}), ("Dynamic", {})])
def test_what_holds_no_state_may_be_replaced_and_deleted(resource_type: str, action: str, more: dict[str, str]) -> None:
    assert run(page(change(resource_type, action, **more))).exit_code == 0


@pytest.mark.parametrize(
    ("action", "more"),
    [("Add", {}), ("Import", {}), ("Modify", {"Replacement": "False"}), ("SyncWithActual", {"Replacement": "False"})],
)
def test_a_stateful_resource_may_be_added_imported_and_changed_in_place(action: str, more: dict[str, str]) -> None:
    result = run(page(change(action=action, **more)))

    assert result.exit_code == 0
    assert "passed nothing stateful is replaced or deleted (1 change)" in result.stdout


@pytest.mark.parametrize(
    ("action", "more", "says"),
    [
        ("Remove", {}, "would be deleted: every object in it"),
        ("Remove", {"PolicyAction": "Snapshot"}, "would be deleted after a snapshot: every object"),
        ("Remove", {"PolicyAction": "Retain"}, "leaves the stack but is kept in the account: nothing is erased"),
        ("Dynamic", {}, "may be deleted or replaced"),
        ("Modify", {}, "may be replaced (the change set says Replacement: nothing)"),
        ("Modify", {"Replacement": "True", "PolicyAction": "ReplaceAndRetain"}, "the new one starts empty"),
        ("Modify", {"Replacement": "False", "PolicyAction": "ReplaceAndDelete"}, "would be replaced: every object"),
        ("Explode", {}, "has the action Explode, which this gate does not know"),
    ],
)
def test_refusal_says_what_would_happen(action: str, more: dict[str, str], says: str) -> None:
    result = run(page(change(action=action, **more)))

    assert result.exit_code == 3
    assert says in result.stdout


def broker_change(*targets: dict[str, str], replacement: str = "False") -> dict[str, Any]:
    document = change("AWS::MSK::Cluster", logical_id="Kafka", Replacement=replacement)
    document["ResourceChange"]["Details"] = [{"Target": {"Attribute": "Properties", **target}} for target in targets]
    return page(document)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        # As a change set says it that names properties as a whole, and one that names their parts.
        (
            {"Name": "BrokerNodeGroupInfo"},
            "perhaps with brokers of another type (the change set says BrokerNodeGroupInfo",
        ),
        ({"Name": "BrokerNodeGroupInfo", "Path": "/Properties/BrokerNodeGroupInfo"}, "perhaps with brokers of another"),
        (
            {"Name": "BrokerNodeGroupInfo", "Path": "/Properties/BrokerNodeGroupInfo/InstanceType"},
            "is kept, with brokers of another type (BrokerNodeGroupInfo.InstanceType): nothing is erased, but MSK",
        ),
    ],
)
def test_other_brokers_are_refused_although_the_cluster_is_kept(target: dict[str, str], says: str) -> None:
    # GIVEN what CloudFormation does without interruption
    result = run(broker_change({"Name": "EnhancedMonitoring"}, target))

    assert result.exit_code == 3
    assert says in result.stdout
    assert run(broker_change(target), "--approve", "Kafka=larger brokers").exit_code == 0


@pytest.mark.parametrize("part", ["StorageInfo/EBSStorageInfo/VolumeSize", "ConnectivityInfo"])
def test_another_part_of_the_brokers_may_change_in_place(part: str) -> None:
    target = {"Name": "BrokerNodeGroupInfo", "Path": f"/Properties/BrokerNodeGroupInfo/{part}"}

    assert run(broker_change(target)).exit_code == 0


def test_replaced_brokers_are_a_loss_and_no_change_in_place() -> None:
    result = run(broker_change({"Name": "BrokerNodeGroupInfo"}, replacement="Conditional"))

    assert result.exit_code == 3
    assert "may be replaced" in result.stdout
    assert "all topics" in result.stdout


NAMESPACE = "ChartmilvusNamespacemilvus86C53311"
RELEASE = "ChartmilvusHelmChartmilvusCEA6B7EC"


def manifest_change(action: str, logical_id: str, *, before: str = "", after: str = "") -> dict[str, Any]:
    """What CloudFormation says of a manifest; with property values ``before`` and ``after`` name its namespace."""
    document = change("Custom::AWSCDK-EKS-KubernetesResource", action, logical_id, PhysicalResourceId="0c5a")
    for key, name in (("BeforeContext", before), ("AfterContext", after)):
        if name:
            objects = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}]
            document["ResourceChange"][key] = json.dumps({"Properties": {"Manifest": json.dumps(objects)}})
    return document


def release_change(action: str, *names: str, **more: str) -> dict[str, Any]:
    """What CloudFormation says of a Helm release whose properties ``names`` change."""
    document = change("Custom::AWSCDK-EKS-HelmChart", action, RELEASE, PhysicalResourceId="77b1", **more)
    document["ResourceChange"]["Scope"] = ["Properties"] if names else []
    document["ResourceChange"]["Details"] = [
        {
            "Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Never"},
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
        for name in names
    ]
    return document


@pytest.mark.parametrize(
    "removed",
    [
        pytest.param(manifest_change("Remove", NAMESPACE), id="by its logical id"),
        pytest.param(manifest_change("Remove", "Vectors0A1B2C3D", before="vectors"), id="by its property values"),
        pytest.param(manifest_change("Dynamic", NAMESPACE), id="perhaps"),
    ],
)
def test_removal_of_a_namespace_is_refused(removed: dict[str, Any]) -> None:
    result = run(page(removed))

    assert result.exit_code == 3
    assert "(Custom::AWSCDK-EKS-KubernetesResource 0c5a)" in result.stdout
    assert "everything in the namespace, with etcd's volumes" in result.stdout


def test_another_namespace_is_refused_although_the_resource_stays() -> None:
    renamed = manifest_change("Modify", "Vectors0A1B2C3D", before="vectors", after="search")

    result = run(page(renamed))

    assert result.exit_code == 3
    assert "would no longer hold the namespace vectors: everything in the namespace" in result.stdout


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (release_change("Remove"), "would be deleted: what its release runs"),
        (release_change("Dynamic"), "may be deleted or replaced"),
        (
            release_change("Modify", "Namespace", "Values", Replacement="False"),
            "would be left behind for another one (Namespace changes): what its release runs; a Milvus in another",
        ),
        (
            release_change("Modify", "Namespace", "Release"),
            "left behind for another one (Namespace and Release changes)",
        ),
    ],
)
def test_release_that_goes_or_is_renamed_is_refused(changed: dict[str, Any], says: str) -> None:
    result = run(page(changed))

    assert result.exit_code == 3
    assert says in result.stdout
    assert run(page(changed), "--approve", f"{RELEASE}@77b1=there is no data yet").exit_code == 0


def test_renamed_release_is_recognised_by_the_path_alone() -> None:
    document = release_change("Modify", "Release")
    document["ResourceChange"]["Details"][0]["Target"] = {"Attribute": "Properties", "Path": "/Properties/Release"}

    assert run(page(document)).exit_code == 3


@pytest.mark.parametrize("replacement", ["False", "Conditional"])
def test_upgrade_of_the_release_passes(replacement: str) -> None:
    # GIVEN a change of line and Kubernetes version: other values, another chart, other labels of the namespace, and a
    # component that goes
    upgrade = page(
        release_change("Modify", "Values", "Version", Replacement=replacement),
        manifest_change("Modify", NAMESPACE, before="milvus", after="milvus"),
        manifest_change("Modify", NAMESPACE),
        manifest_change("Remove", "ChartmilvusPodDisruptionBudgetmilvusindexnode1A2B3C4D"),
        change("Custom::AWSCDK-EKS-KubernetesObjectValue", "Modify", "Endpoint", Replacement="False"),
    )

    result = run(upgrade)

    assert result.exit_code == 0
    assert "passed nothing stateful is replaced or deleted (5 changes)" in result.stdout


def test_approval_of_a_physical_id_is_good_for_that_one_only() -> None:
    # GIVEN an approval that names what is there now
    def lost(physical_id: str) -> dict[str, Any]:
        return page(change(Replacement="True", PhysicalResourceId=physical_id))

    refused = run(lost("old-bucket"))
    assert "--approve Data@old-bucket=REASON" in refused.stderr
    approval = ("--approve", "Data@old-bucket=moved to the new bucket")

    # THEN it passes, also with the stack's name, and its successor does not
    assert run(lost("old-bucket"), *approval).exit_code == 0
    assert run(lost("old-bucket"), "--approve", "milvus-dev-storage/Data@old-bucket=moved").exit_code == 0
    later = run(lost("new-bucket"), *approval)
    assert later.exit_code == 2
    assert "got 'Data@old-bucket', which this change neither replaces nor deletes, allowed is Data@new-bucket" in (
        later.stderr
    )


def test_approval_lets_exactly_one_resource_pass() -> None:
    # GIVEN two losses and an approval of one
    both = page(change(Replacement="True"), change("AWS::KMS::Key", "Remove", "Key"))

    result = run(both, "--approve", "Data=moved to the backup bucket")

    # THEN the other one is still refused
    assert result.exit_code == 3
    assert "approved milvus-dev-storage/Data" in result.stdout
    assert "[approved: moved to the backup bucket]" in result.stdout
    assert "refused milvus-dev-storage/Key" in result.stdout
    assert "If each loss is wanted: --approve Key=REASON" in result.stderr
    # AND both together pass
    passed = run(both, "--approve", "Data=a=b", "--approve", "milvus-dev-storage/Key=old")
    assert passed.exit_code == 0
    assert "passed only approved losses (2 changes)" in passed.stdout


@pytest.mark.parametrize(
    ("approvals", "says"),
    [
        (["Other=why"], "got 'Other', which this change neither replaces nor deletes, allowed is Data"),
        (["Harmless=why"], "got 'Harmless', which this change neither"),
        (["Data="], "got 'Data=' without a reason"),
        (["Data=  "], "without a reason"),
        (["Data"], "allowed is LOGICAL_ID=REASON"),
        (["=why"], "allowed is LOGICAL_ID=REASON"),
        (["Data@=why"], "got 'Data@=why', allowed is LOGICAL_ID=REASON"),
        (["@old-bucket=why"], "got '@old-bucket=why', allowed is LOGICAL_ID=REASON"),
        (["Data=a", "Data=b"], "got 'Data' twice"),
    ],
)
def test_wrong_approval_is_an_error(approvals: list[str], says: str) -> None:
    arguments = [text for approval in approvals for text in ("--approve", approval)]

    result = run(page(change(Replacement="True"), change("AWS::IAM::Role", "Remove", "Harmless")), *arguments)

    assert result.exit_code == 2
    assert says in result.stderr


def test_approval_is_an_error_when_nothing_is_lost() -> None:
    result = run(page(), "--approve", "Data=why")

    assert result.exit_code == 2
    assert "allowed is none: nothing stateful is replaced or deleted" in result.stderr


def test_approval_must_name_the_stack_when_two_stacks_have_the_id() -> None:
    pages = [page(change(Replacement="True")), page(change(Replacement="True"), StackName="other", ChangeSetId="two")]
    losses = judge(parse_change_sets(json.dumps(pages), source="test"))

    with pytest.raises(OpsError, match="in several stacks, allowed is milvus-dev-storage/Data, other/Data"):
        apply_approvals(losses, [parse_approval("Data=why")])
    refused, _ = apply_approvals(losses, [parse_approval("other/Data=why")])
    assert [loss.stack for loss in refused] == ["milvus-dev-storage"]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "it is empty"),
        ("[]", "it holds no change set"),
        ("nonsense", "it is not JSON (Expecting value, line 1)"),
        ("7", "page 1, the document"),
        ({"Nothing": []}, "page 1, Changes: Field required"),
        (page({"Type": "Resource"}), "Changes.0.ResourceChange: Field required"),
        (page({"ResourceChange": {"Action": "Modify"}}), "LogicalResourceId: Field required"),
        (page(change(action="")), "Action: String should have at least 1 character"),
        (page(NextToken="more"), "is not complete: it has a NextToken"),
        (page(Status="CREATE_IN_PROGRESS"), "has status CREATE_IN_PROGRESS, allowed is CREATE_COMPLETE"),
    ],
)
def test_malformed_input_is_an_error_that_says_where(document: Any, says: str) -> None:
    result = run(document)

    assert result.exit_code == 2
    assert says in result.stderr
    assert not result.stdout


def test_change_set_that_failed_is_a_failure() -> None:
    result = run({"StackName": "s", "Status": "FAILED", "StatusReason": "Template error: x"})

    assert result.exit_code == 1
    assert "could not create the change set of stack s: Template error: x" in result.stderr


def test_change_set_without_changes_passes() -> None:
    reason = "The submitted information didn't contain changes. Submit different information to create a change set."

    assert run({"StackName": "s", "Status": "FAILED", "StatusReason": reason, "Changes": []}).exit_code == 0


@pytest.mark.parametrize("form", ["list", "one after another"])
def test_all_pages_of_a_change_set_are_judged(form: str) -> None:
    # GIVEN a loss on the second page
    pages = [page(change("AWS::IAM::Role"), NextToken="2"), page(change(Replacement="True"))]
    text = json.dumps(pages) if form == "list" else "\n".join(json.dumps(each) for each in pages)

    assert run(text).exit_code == 3


def test_nested_change_set_is_refused_until_it_is_given() -> None:
    # GIVEN a nested stack that changes
    nested = "AWS::CloudFormation::Stack"
    parent = page(change(nested, logical_id="Nested", Replacement="False", ChangeSetId="arn:nested"))
    unread = page(change(nested, logical_id="Nested", Replacement="False"))

    # THEN nobody can tell without its own change set
    assert "add the description of arn:nested to the input" in run(parent).stdout
    assert "--include-nested-stacks" in run(unread).stdout
    assert "every resource of the nested stack" in run(page(change(nested, "Remove"))).stdout
    # AND with it, that one is judged
    harmless = page(change("AWS::IAM::Role", "Remove"), ChangeSetId="arn:nested", StackName="child")
    harmful = page(change(Replacement="True"), ChangeSetId="arn:nested", StackName="child")
    assert run([parent, harmless]).exit_code == 0
    assert "refused child/Data" in run([parent, harmful]).stdout


def test_verdict_as_json() -> None:
    result = run(
        page(change(Replacement="True"), change("AWS::KMS::Key", "Remove", "Key")), "--json", "--approve", "Key=x"
    )

    verdict = json.loads(result.stdout)
    assert result.exit_code == 3
    assert verdict["passes"] is False
    assert [loss["logical_id"] for loss in verdict["refused"]] == ["Data"]
    assert [(loss["logical_id"], loss["reason"]) for loss in verdict["approved"]] == [("Key", "x")]


def test_file_is_read_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    good, binary = tmp_path / "good.json", tmp_path / "binary.json"
    good.write_text(json.dumps(page()))
    binary.write_bytes(b"\xff\xfe\xfd")

    assert CliRunner().invoke(app, ["gate", "--change-set", str(good)]).exit_code == 0
    missing = CliRunner().invoke(app, ["gate", "--change-set", str(tmp_path / "missing.json")])
    assert missing.exit_code == 2
    assert "missing.json' (No such file or directory), allowed is a readable file or -" in missing.stderr
    unreadable = CliRunner().invoke(app, ["gate", "--change-set", str(binary)])
    assert unreadable.exit_code == 2
    assert "(not UTF-8)" in unreadable.stderr
