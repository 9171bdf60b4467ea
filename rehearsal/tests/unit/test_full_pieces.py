"""Pieces of the full rehearsal that need no server: report, charts, layers, tokens, variants."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from rehearsal.full import charts, tools
from rehearsal.full.account_simulators import NodeSimulator
from rehearsal.full.changes import BROKEN_IMAGE, broken, next_patch, upgrade
from rehearsal.full.charts import Found, Wanted, find, stand_in
from rehearsal.full.data_path import broker_properties
from rehearsal.full.sequence import SECRETS, beside, charts_of
from rehearsal.full.steps import Steps, write
from rehearsal.full.token_webhook import TokenWebhook
from rehearsal.run import PROJECT, Run
from rehearsal.servers.external_secrets import version
from rehearsal.servers.process import ServerError
from rehearsal.variants import Variant
from settings import load_environment

WANTED = Wanted(name="some-controller", version="1.2.3", repository="https://charts.example.com")


def _steps() -> Steps:
    return Steps(console=Console(quiet=True))


def _fail() -> str:
    raise ServerError("the server ended")


def _chart(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"name": WANTED.name, "version": version}))
    return folder


def test_report_passes_only_when_nothing_failed_or_was_left_out(tmp_path: Path) -> None:
    # GIVEN
    steps = _steps()
    assert steps.run("first", "real", lambda: "seen")
    assert steps.report("dev").result == "passed"
    # WHEN a step is left out THEN the whole is incomplete
    steps.leave_out("chart", "real", "no chart")
    assert steps.report("dev").result == "incomplete"
    # WHEN one fails THEN the whole failed, and what needs it is left out by name
    assert not steps.run("second", "simulated", _fail)
    assert not steps.run("third", "real", lambda: "never", needs=["first", "second"])
    written = json.loads(write(steps.report("dev"), tmp_path).read_text())
    assert written["environment"] == "dev"
    assert written["result"] == "failed"
    assert [(step["result"], step["detail"]) for step in written["steps"]] == [
        ("passed", "seen"),
        ("left out", "no chart"),
        ("failed", "the server ended"),
        ("left out", "needs: second"),
    ]
    assert set(written["steps"][0]) == {"name", "kind", "result", "seconds", "detail"}


def test_what_runs_beside_the_steps_gives_its_outcome_when_asked() -> None:
    assert beside(lambda: "seen")() == "seen"
    with pytest.raises(ServerError, match="the server ended"):
        beside(_fail)()


def test_chart_is_taken_from_the_folder_of_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN another version beside the wanted one
    monkeypatch.setenv(charts.FOLDER_VARIABLE, str(tmp_path))
    _chart(tmp_path / WANTED.name / "9.9.9", "9.9.9")
    path = _chart(tmp_path / WANTED.name / "1.2.3", "1.2.3")
    # WHEN
    found = find(WANTED, scratch=tmp_path)
    # THEN
    assert found == Found(wanted=WANTED, path=path, source=charts.FOLDER_VARIABLE)


def test_chart_of_another_version_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a folder with an older chart, and no network's help
    monkeypatch.setenv(charts.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("MILVUS_REHEARSAL_CACHE", str(tmp_path / "cache"))
    _chart(tmp_path / WANTED.name, "1.2.2")
    # WHEN
    reason = find(WANTED, scratch=tmp_path)
    # THEN the reason says what to do
    assert isinstance(reason, str)
    assert "some-controller 1.2.3 could not be pulled" in reason
    assert charts.FOLDER_VARIABLE in reason


def test_helm_takes_the_chart_at_hand_instead_of_its_repository(tmp_path: Path) -> None:
    # GIVEN layers whose helm prints its arguments
    assembly = tmp_path / "cdk.out"
    assembly.mkdir()
    with zipfile.ZipFile(assembly / "asset.1.zip", "w") as layer:
        layer.writestr("helm/helm", '#!/bin/sh\necho "$@"\n')
        layer.writestr("kubectl/kubectl", "")
        layer.writestr("awscli/aws", "")
    folder = tools.unpack_layers(assembly, tmp_path / "opt")
    tools.give_charts(folder, [stand_in(WANTED, tmp_path / "charts")])
    for path in (folder / "helm" / "helm-of-the-layer",):
        path.chmod(0o755)

    def helm(*arguments: str) -> str:
        done = subprocess.run([folder / "helm" / "helm", *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    # WHEN THEN
    given = ("upgrade", "name", WANTED.name, "--install", "--repo", WANTED.repository, "--version", "1.2.3", "--wait")
    assert helm(*given) == "upgrade name /opt/charts/some-controller-1.2.3 --install --wait"
    other = ("upgrade", "name", "other", "--repo", "https://x", "--version", "1.2.3")
    assert helm(*other) == " ".join(other)
    assert helm("uninstall", "name", "--namespace", "x") == "uninstall name --namespace x"


def test_assembly_without_layers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"no layer in .* holds helm, kubectl, aws"):
        tools.unpack_layers(tmp_path, tmp_path / "opt")


def test_operator_that_runs_here_brings_its_own_chart_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN templates that ask for a newer operator, whose chart is even at hand
    wanted = Wanted(name=charts.OPERATOR, version="99.0.0", repository="https://charts.example.com")
    given = tmp_path / "given" / charts.OPERATOR
    given.mkdir(parents=True)
    (given / "Chart.yaml").write_text("name: external-secrets\nversion: 99.0.0\n")
    monkeypatch.setenv(charts.FOLDER_VARIABLE, str(given.parent))
    # AND what the module of the controller holds
    module = tmp_path / "module"
    (module / "templates" / "crds").mkdir(parents=True)
    (module / "Chart.yaml").write_text("name: external-secrets\nversion: 0.1.0\ndependencies: [{name: other}]\n")
    monkeypatch.setattr(charts, "chart_folder", lambda: module)
    monkeypatch.setattr(charts, "custom_resource_definitions", lambda: [{"kind": "CustomResourceDefinition"}])
    # WHEN the chart is looked for
    found = find(wanted, scratch=tmp_path / "scratch")
    # THEN it is the controller's own
    assert isinstance(found, Found)
    chart = yaml.safe_load((found.path / "Chart.yaml").read_text())
    assert chart == {"name": "external-secrets", "version": version()}
    assert found.source == (
        f"chart and controller of {version()}, the newest that builds as a Go module, in place of the templates' 99.0.0"
        "; the objects are the same"
    )
    assert f"External Secrets Operator {version()} copies" in SECRETS
    page = (PROJECT / "rehearsal" / "README.md").read_text(encoding="utf-8")
    assert f"| External Secrets Operator {version()} |" in page


def test_charts_of_an_assembly_are_named_once(tmp_path: Path) -> None:
    release = {
        "Type": "Custom::AWSCDK-EKS-HelmChart",
        "Properties": {"Chart": WANTED.name, "Version": WANTED.version, "Repository": WANTED.repository},
    }
    for name in ("a", "b"):
        content = {"Resources": {"Release": release, "Other": {"Type": "AWS::S3::Bucket"}}}
        (tmp_path / f"{name}.template.json").write_text(json.dumps(content))
    assert charts_of(tmp_path) == [WANTED]


def test_broker_properties_are_the_templates(tmp_path: Path) -> None:
    template = tmp_path / "x.template.json"
    properties = {"ServerProperties": "num.partitions=1\nauto.create.topics.enable=true\n"}
    content = {"Resources": {"C": {"Type": "AWS::MSK::Configuration", "Properties": properties}}}
    template.write_text(json.dumps(content))
    assert broker_properties(template) == {"num.partitions": "1", "auto.create.topics.enable": "true"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, None),
        ({"X-Amz-Credential": "ASIA9/x/us-east-2/sts/aws4_request"}, "signed with a key of another account"),
        ({"Action": "AssumeRole"}, "signed for something else"),
        ({"X-Amz-Date": "20200101T000000Z"}, "expired"),
    ],
)
def test_only_tokens_of_the_account_are_admitted(tmp_path: Path, change: dict[str, str], error: str | None) -> None:
    # GIVEN
    webhook = TokenWebhook(
        run=Run(root=tmp_path, name="run"),
        account_id="000000000000",
        account_of={"ASIA1": "000000000000", "ASIA9": "9"}.__getitem__,
    )
    query = {
        "Action": "GetCallerIdentity",
        "X-Amz-Credential": "ASIA1/x/us-east-2/sts/aws4_request",
        "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
        **change,
    }
    url = "https://sts.us-east-2.amazonaws.com/?" + "&".join(f"{key}={value}" for key, value in query.items())
    token = "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    # WHEN
    status = webhook.review(token)
    # THEN
    assert status["authenticated"] is (error is None)
    assert status.get("error") == error


def test_token_of_another_kind_is_refused(tmp_path: Path) -> None:
    webhook = TokenWebhook(run=Run(root=tmp_path, name="run"), account_id="000000000000", account_of=str)
    assert webhook.review("abc") == {"authenticated": False, "error": "not an EKS token"}


@pytest.mark.parametrize("name", ["dev", "prod", "guide"])
def test_variants_are_valid_environments(tmp_path: Path, name: str) -> None:
    # GIVEN
    env = load_environment(name)
    # WHEN
    changes = upgrade(env)
    upgraded = Variant(name, changes, tmp_path / "upgrade").settings
    spoilt = Variant(name, {**changes, **broken()}, tmp_path / "broken").settings
    # THEN only what is named changes
    assert upgraded.milvus_version == next_patch(env.milvus_version)
    assert upgraded.components["proxy"].replicas == env.components["proxy"].replicas + 1
    assert upgraded.milvus.model_copy(update={"version": None, "components": None}) == env.milvus.model_copy(
        update={"version": None, "components": None}
    )
    assert spoilt.milvus.image_repository == BROKEN_IMAGE
    assert spoilt.milvus.ready_minutes == 1


class _Account:
    """Answers as the account's EKS and EC2 do."""

    def client(self, _service: str) -> _Account:
        return self

    def list_clusters(self) -> dict[str, list[str]]:
        return {"clusters": ["c"]}

    def list_nodegroups(self, **_: str) -> dict[str, list[str]]:
        return {"nodegroups": ["query-1234"]}

    def describe_nodegroup(self, **_: str) -> dict[str, object]:
        group = {
            "nodegroupName": "query-1234",
            "instanceTypes": ["r7g.2xlarge"],
            "labels": {"node-group": "query"},
            "taints": [{"key": "role", "value": "query", "effect": "NO_SCHEDULE"}],
            "scalingConfig": {"desiredSize": 4},
            "subnets": ["s1", "s2"],
            "launchTemplate": {"id": "lt-1", "version": "2"},
        }
        return {"nodegroup": group}

    def describe_launch_template_versions(self, **asked: object) -> dict[str, object]:
        assert asked == {"LaunchTemplateId": "lt-1", "Versions": ["2"]}
        data = {"BlockDeviceMappings": [{"Ebs": {"VolumeSize": 120}}]}
        return {"LaunchTemplateVersions": [{"LaunchTemplateData": data}]}

    def describe_subnets(self, **_: object) -> dict[str, object]:
        return {"Subnets": [{"AvailabilityZone": "us-east-2b"}, {"AvailabilityZone": "us-east-2a"}]}


def test_nodes_are_those_of_the_node_group(tmp_path: Path) -> None:
    # GIVEN
    simulator = NodeSimulator(run=Run(root=tmp_path, name="run"), api=None, account=_Account())  # type: ignore[arg-type]  # doubles
    # WHEN
    nodes = simulator._wanted()
    # THEN one for each, in the zones of its subnets in turn
    assert [(node.name, node.zone) for node in nodes] == [
        ("query-0", "us-east-2a"),
        ("query-1", "us-east-2b"),
        ("query-2", "us-east-2a"),
        ("query-3", "us-east-2b"),
    ]
    assert nodes[0].manifest()["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"
    assert nodes[0].taints[0].effect == "NoSchedule"
    assert (nodes[0].capacity["memory"], nodes[0].capacity["ephemeral-storage"]) == ("63138Mi", "120Gi")
