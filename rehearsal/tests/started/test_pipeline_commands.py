"""The pipeline runs against the embedded account: the commands are those of the build projects, word for word."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.account.options import AccountOptions
from rehearsal.account.server import EmbeddedAccount
from rehearsal.cdk import Cdk
from rehearsal.targets import raised_quotas
from rehearsal.tests.started.pipeline_runner import Runner
from tests.assemblies import environment
from tests.pipelines import build_spec, commands, pipeline_assembly, pipeline_template, resources, stage_template
from tests.source_copies import needs_tools
from tools.preview.text import read_previews

ACCOUNT, REGION, STAGE = "111111111111", "us-east-2", "milvus-dev"
DEPLOYED = ("network", "storage", "streaming", "eks", "milvus", "verification")


pytestmark = [needs_tools, pytest.mark.printed]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A bootstrapped account, and the shipped pipeline."""
    folder = tmp_path_factory.mktemp("pipeline")
    assembly = pipeline_assembly("shipped")
    quotas = raised_quotas(environment("dev"))
    options = AccountOptions(run_dir=folder / "account", region=REGION, account_id=ACCOUNT, quotas=quotas)
    with EmbeddedAccount(options) as account:
        cdk = Cdk(
            env="pipeline",
            environment=account.environment(),
            log=folder / "cdk.log",
            on_event=lambda _event: None,
            assembly=assembly,
        )
        cdk.bootstrap(ACCOUNT, REGION)
        yield Runner(account=account, folder=folder / "steps", assembly=assembly, template=pipeline_template("shipped"))


@pytest.fixture(scope="module")
def source(runner: Runner) -> Path:
    return runner.source("source")


@pytest.fixture(scope="module")
def deployed(runner: Runner, source: Path) -> dict[str, str]:
    """The stacks of dev, deployed as the pipeline does; what each gate said."""
    runner.build(runner.action("Assets", "FileAssets"), directory=runner.assembly)
    said = {}
    for part in DEPLOYED:
        runner.prepare(runner.action(STAGE, f"{part}.Prepare"))
        outcome = runner.build(runner.action(STAGE, f"{part}.Gate"), directory=source)
        said[part] = outcome.output
        assert outcome.code == 0, outcome.output
        assert runner.execute(runner.action(STAGE, f"{part}.Deploy")) == "CREATE_COMPLETE"
    return said


def logical_id(template: dict[str, Any], resource_type: str, beginning: str = "") -> str:
    names: dict[str, Any] = template["Resources"]
    (found,) = [name for name, each in names.items() if each["Type"] == resource_type and name.startswith(beginning)]
    return found


def changed(part: str, resource_type: str, beginning: str = "") -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Return a copy of a stack's template, and one of its resources' id and properties to change."""
    template = copy.deepcopy(stage_template("shipped", STAGE, part))
    name = logical_id(template, resource_type, beginning)
    return template, name, template["Resources"][name]["Properties"]


def gate_says(runner: Runner, source: Path, part: str, template: dict[str, Any]) -> tuple[int, str]:
    runner.prepare(runner.action(STAGE, f"{part}.Prepare"), template)
    outcome = runner.build(runner.action(STAGE, f"{part}.Gate"), directory=source)
    return outcome.code, outcome.output


def test_pipeline_deploys_itself_by_its_own_step(runner: Runner) -> None:
    outcome = runner.build(runner.action("UpdatePipeline", "SelfMutate"), directory=runner.assembly)
    assert outcome.code == 0, outcome.output
    stacks = runner.account.client("cloudformation").describe_stacks(StackName="milvus-delivery")["Stacks"]
    assert stacks[0]["StackStatus"] == "CREATE_COMPLETE"
    projects = runner.account.client("codebuild").list_projects()["projects"]
    assert len(projects) == len(resources(runner.template, "AWS::CodeBuild::Project"))


def test_assets_of_every_environment_are_published(runner: Runner) -> None:
    outcome = runner.build(runner.action("Assets", "FileAssets"), directory=runner.assembly)
    assert outcome.code == 0, outcome.output
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    published = {each["Key"] for each in runner.account.client("s3").list_objects_v2(Bucket=bucket)["Contents"]}
    for stage in ("milvus-dev", "milvus-prod"):
        for manifest in (runner.assembly / f"assembly-milvus-delivery-{stage}").glob("*.assets.json"):
            files = json.loads(manifest.read_text(encoding="utf-8"))["files"].values()
            wanted = {place["objectKey"] for file in files for place in file["destinations"].values()}
            assert wanted <= published


def test_differences_are_published_as_a_file_and_in_the_log(runner: Runner) -> None:
    tree = runner.source("diff")
    outcome = runner.build(runner.action(STAGE, "Diff-milvus-dev"), directory=tree)
    assert outcome.code == 0, outcome.output
    # GIVEN what the buildspec hands on as artifact
    published = (tree / "differences" / "milvus-dev.txt").read_text(encoding="utf-8")
    assert "Number of stacks with differences: 6" in published
    assert published in outcome.output


def test_first_deployment_passes_every_gate(deployed: dict[str, str]) -> None:
    assert all("nothing stateful is replaced or deleted" in said for said in deployed.values())


@pytest.mark.usefixtures("deployed")
def test_deployment_without_a_change_passes(runner: Runner, source: Path) -> None:
    code, said = gate_says(runner, source, "storage", stage_template("shipped", STAGE, "storage"))
    assert code == 0, said


@pytest.mark.usefixtures("deployed")
def test_harmless_change_passes(runner: Runner, source: Path) -> None:
    template, _, properties = changed("storage", "AWS::S3::Bucket", "StorageData")
    properties["LifecycleConfiguration"]["Rules"][0]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] = 3
    code, said = gate_says(runner, source, "storage", template)
    assert code == 0, said


@pytest.mark.usefixtures("deployed")
def test_renamed_bucket_is_stopped_by_the_gate(runner: Runner, source: Path) -> None:
    template, name, properties = changed("storage", "AWS::S3::Bucket", "StorageData")
    properties["BucketName"] = "milvus-dev-better-name"
    code, said = gate_says(runner, source, "storage", template)
    assert code == 3, said
    assert f"milvus-dev-storage/{name} (AWS::S3::Bucket" in said
    assert "every object in it: the vectors, indexes and backups of Milvus" in said


@pytest.mark.usefixtures("deployed")
def test_removed_bucket_is_stopped_by_the_gate(runner: Runner, source: Path) -> None:
    template, name, _ = changed("storage", "AWS::S3::Bucket", "StorageBackup")
    kept = {key: value for key, value in template["Resources"].items() if name not in json.dumps({key: value})}
    template = {**template, "Resources": kept, "Outputs": {}}
    code, said = gate_says(runner, source, "storage", template)
    assert code == 3, said
    assert name in said


@pytest.mark.usefixtures("deployed")
def test_changed_broker_type_is_stopped_by_the_gate(runner: Runner, source: Path) -> None:
    template, name, properties = changed("streaming", "AWS::MSK::Cluster")
    properties["BrokerNodeGroupInfo"]["InstanceType"] = "kafka.m7g.xlarge"
    code, said = gate_says(runner, source, "streaming", template)
    assert code == 3, said
    assert f"milvus-dev-streaming/{name} (AWS::MSK::Cluster" in said


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("name", ["ClusterName", "ClientSubnets"])
def test_replaced_brokers_are_stopped_by_the_gate(runner: Runner, source: Path, name: str) -> None:
    # GIVEN what AWS replaces a cluster for, whatever an account on this machine makes of the broker type
    template, logical, properties = changed("streaming", "AWS::MSK::Cluster")
    if name == "ClusterName":
        properties[name] = "milvus-dev-better-name"
    else:
        properties["BrokerNodeGroupInfo"][name] = properties["BrokerNodeGroupInfo"][name][:-1]
    code, said = gate_says(runner, source, "streaming", template)
    assert code == 3, said
    assert f"milvus-dev-streaming/{logical} (AWS::MSK::Cluster" in said
    assert "be replaced" in said
    assert "all topics" in said


@pytest.mark.usefixtures("deployed")
def test_approved_loss_passes_and_an_approval_for_another_resource_does_not(runner: Runner, source: Path) -> None:
    # GIVEN the command of the gate with the approval that the settings file would add
    template, name, properties = changed("storage", "AWS::S3::Bucket", "StorageData")
    properties["BucketName"] = "milvus-dev-better-name"
    action = runner.action(STAGE, "storage.Gate")
    *setup, command = commands(build_spec(runner_project(runner, action), runner.assembly))
    runner.prepare(runner.action(STAGE, "storage.Prepare"), template)
    passed = runner.run([*setup, f"{command} --approve '{name}=moved to the new bucket'"], directory=source)
    refused = runner.run([*setup, f"{command} --approve 'Other1=moved to the new bucket'"], directory=source)
    assert passed.code == 0, passed.output
    assert refused.code == 2, refused.output


def runner_project(runner: Runner, action: dict[str, Any]) -> dict[str, Any]:
    project: dict[str, Any] = runner.template["Resources"][action["Configuration"]["ProjectName"]["Ref"]]
    return project


@pytest.mark.usefixtures("deployed")
def test_pull_request_compares_each_environment_where_the_pipeline_deploys_it(runner: Runner) -> None:
    # GIVEN a change of the pipeline's file: dev in a second region, where nothing is deployed yet
    tree = runner.source("preview")
    path = tree / "environments/pipeline.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    dev = {"environment": "dev", "account": ACCOUNT}
    second = {**dev, "region": "us-west-2"}
    data |= {"account": ACCOUNT, "waves": [{"name": "dev", "environments": [dev, second]}]}
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    # WHEN the job of the pull request synthesizes and compares
    outcome = runner.run(["tools/preview/preview.sh synth", "tools/preview/preview.sh diff"], directory=tree)
    # THEN each is compared in its own region: what is deployed there is not called new elsewhere
    previews = read_previews(tree / "dist/preview/differences", tree / "dist/preview/assembly")
    assert [preview.environment for preview in previews] == ["milvus-dev-us-east-2", "milvus-dev-us-west-2"]
    here, there = (preview.differences for preview in previews)
    assert "[+] AWS::MSK::Cluster" not in here
    assert "[+] AWS::MSK::Cluster" in there
    assert [preview.findings for preview in previews] == [(), ()]
    # AND the step fails with the place that nobody has bootstrapped yet, where no role can be asked
    assert outcome.code == 1, outcome.output
    said = [line for line in outcome.output.splitlines() if line.startswith("plan: ")]
    assert len(said) == 1
    role = "cdk-hnb659fds-lookup-role-ACCOUNT-us-west-2"
    assert said[0].startswith(f"plan: milvus-dev-us-west-2: cannot read AWS with the role {role}: ")


def test_pull_request_without_an_assembly_is_not_called_equal(runner: Runner) -> None:
    tree = runner.source("preview-without-assembly")
    outcome = runner.run(["tools/preview/preview.sh diff"], directory=tree)
    assert outcome.code == 1, outcome.output
    assert "holds no environment to compare" in outcome.output


@pytest.mark.usefixtures("deployed")
def test_wildcard_role_waits_for_an_approval(runner: Runner, tmp_path: Path) -> None:
    # GIVEN an assembly in which a role of a deployed stack may do everything
    assembly = tmp_path / "assembly"
    shutil.copytree(runner.assembly, assembly)
    folder = assembly / "assembly-milvus-delivery-milvus-dev"
    path = folder / Path(runner.action(STAGE, "network.Prepare")["Configuration"]["TemplatePath"]).name
    template = json.loads(path.read_text(encoding="utf-8"))
    name = next(each for each, value in template["Resources"].items() if value["Type"] == "AWS::IAM::Policy")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    template["Resources"][name]["Properties"]["PolicyDocument"]["Statement"].append(everything)
    path.write_text(json.dumps(template), encoding="utf-8")
    # WHEN the step asks whether permissions become broader
    runner.aws_calls.write_text("", encoding="utf-8")
    outcome = runner.build(runner.action(STAGE, "Permissions.Check"), directory=assembly, assembly=assembly)
    # THEN nobody approves in its place, and the person who must is told so
    assert outcome.code == 0, outcome.output
    assert "MESSAGE=Deployment would make security-impacting changes." in outcome.output
    assert "lambda invoke" not in runner.aws_calls.read_text(encoding="utf-8")


@pytest.mark.usefixtures("deployed")
def test_protection_step_does_what_the_file_says_as_the_deploy_role(runner: Runner) -> None:
    # GIVEN a pipeline whose deployed environment asks for protection now
    tree = runner.source("protect")
    path = tree / "environments/dev.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"termination_protection: true\n{text}", encoding="utf-8")
    role = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-deploy-role-{ACCOUNT}-{REGION}"
    # WHEN a role that may assume nothing but the deploy role runs the step, THEN the stacks that last are protected
    runner.act_as("milvus-delivery-protect", {"Action": "sts:AssumeRole", "Resource": role})
    outcome = runner.build(runner.action(STAGE, "Protect"), directory=tree)
    assert outcome.code == 0, outcome.output
    lasting = ["eks", "network", "storage", "streaming"]
    assert protected(runner) == [f"milvus-dev-{part}" for part in lasting]
    # AND with the file as it was they are no longer
    path.write_text(text, encoding="utf-8")
    outcome = runner.build(runner.action(STAGE, "Protect"), directory=tree)
    runner.act_as_administrator()
    assert outcome.code == 0, outcome.output
    assert protected(runner) == []


def protected(runner: Runner) -> list[str]:
    stacks = runner.account.client("cloudformation").describe_stacks()["Stacks"]
    return sorted(stack["StackName"] for stack in stacks if stack.get("EnableTerminationProtection"))


@pytest.mark.usefixtures("deployed")
def test_verification_step_starts_the_project_of_the_environment(runner: Runner, source: Path) -> None:
    # GIVEN what the role's trust policy admits: a role of this pipeline, and nobody else of its account
    verify = f"arn:aws:iam::{ACCOUNT}:role/milvus-dev-verify-{REGION}"
    stranger = runner.build(runner.action(STAGE, "Verify"), directory=source)
    assert stranger.code == 1
    assert f"is not authorized to perform: sts:AssumeRole on resource: {verify}" in stranger.output
    # WHEN one of the pipeline's roles runs it, THEN it starts the project
    runner.act_as("milvus-delivery-step", {"Action": "sts:AssumeRole", "Resource": verify})
    outcome = runner.build(runner.action(STAGE, "Verify"), directory=source)
    runner.act_as_administrator()
    assert outcome.code == 0, outcome.output
    builds = runner.account.client("codebuild").list_builds_for_project(projectName="milvus-dev-verification")["ids"]
    assert len(builds) == 1


@pytest.mark.usefixtures("deployed")
def test_verification_reads_the_environment_and_asks_its_milvus(runner: Runner) -> None:
    # GIVEN the commands of the project in the VPC, and its program, which is a part of the source only
    template = stage_template("shipped", STAGE, "verification")
    (project,) = resources(template, "AWS::CodeBuild::Project")
    lines = commands(build_spec(project, runner.assembly))
    assert lines[-2:] == [
        "python -m ops status --env dev --region us-east-2",
        "python -m ops smoke --env dev --region us-east-2 --timeout 180",
    ]
    program = runner.program(project)
    # WHEN all but the last are run
    status = runner.run(lines[:-1], directory=program)
    # THEN every stack and service is well
    assert status.code == 0, status.output
    assert "milvus-dev-verification" not in status.output
    assert "milvus-dev-milvus" in status.output
    # WHEN the last is run where the address in the stack's output leads nowhere
    smoke = runner.run(lines, directory=program)
    # THEN it fails, and says which address it asked: that of this environment
    host = outputs(runner, "milvus-dev-milvus")["MilvusEndpoint"].split(":")[0]
    assert smoke.code == 1, smoke.output
    assert host in smoke.output.replace("\n", "")


def outputs(runner: Runner, stack: str) -> dict[str, str]:
    (found,) = runner.account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}
