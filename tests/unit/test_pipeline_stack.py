"""The pipeline as it would be deployed: one account, and three accounts in two regions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from _paths import ROOT
from ops.cost.kinds import BY_USE, FREE, FREE_PREFIX, PRICED
from settings.rules.pipeline import actions_of_wave
from settings.waves import parse_pipeline, place
from tests.pipelines import (
    DEV_ACCOUNT,
    PIPELINE_ACCOUNT,
    PROD_ACCOUNT,
    action_named,
    build_spec,
    commands,
    file_with,
    pipeline_assembly,
    pipeline_file,
    pipeline_template,
    project_of,
    resources,
    stage_template,
    stages,
    synthesize,
)

KINDS = ("shipped", "three")
every_kind = pytest.mark.parametrize("kind", KINDS)
OWN_STAGES = ["Source", "Build", "UpdatePipeline", "Assets"]


def names(actions: list[dict[str, Any]]) -> list[str]:
    return [action["Name"] for action in actions]


def test_one_account_deploys_wave_after_wave() -> None:
    assert list(stages(pipeline_template("shipped"))) == [*OWN_STAGES, "milvus-dev", "milvus-prod"]


def test_several_environments_of_a_wave_share_its_stage() -> None:
    assert list(stages(pipeline_template("three"))) == [*OWN_STAGES, "milvus-dev", "prod"]


def test_each_environment_is_deployed_to_its_account_and_region() -> None:
    # GIVEN every action that makes or executes a change set
    found = set()
    for name, actions in stages(pipeline_template("three")).items():
        for action in (each for each in actions if each["ActionTypeId"]["Provider"] == "CloudFormation"):
            role = json.dumps(action["RoleArn"])
            account = next(each for each in (DEV_ACCOUNT, PROD_ACCOUNT) if each in role)
            found.add((name, account, action.get("Region", "us-east-2")))
    assert found == {
        ("milvus-dev", DEV_ACCOUNT, "us-east-2"),
        ("prod", PROD_ACCOUNT, "us-east-2"),
        ("prod", PROD_ACCOUNT, "eu-west-1"),
    }


def test_artifacts_for_a_second_region_have_a_bucket_with_a_key_there() -> None:
    template = json.loads(
        (pipeline_assembly("three") / f"cross-region-stack-{PIPELINE_ACCOUNT}_eu-west-1.template.json").read_text(
            "utf-8"
        )
    )
    (bucket,) = resources(template, "AWS::S3::Bucket")
    rule = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert resources(template, "AWS::KMS::Key")[0]["Properties"]["EnableKeyRotation"] is True


def test_actions_of_a_wave_are_counted_as_they_are_made() -> None:
    waves = place(parse_pipeline(pipeline_file("three"), source="x"), source="x")
    counted = [
        actions_of_wave(wave, [each.env for each in placed])
        for wave, placed in zip(parse_pipeline(pipeline_file("three"), source="x").waves, waves, strict=True)
    ]
    made = [len(actions) for name, actions in stages(pipeline_template("three")).items() if name not in OWN_STAGES]
    assert counted == made == [23, 47]


@every_kind
def test_pipeline_is_of_the_second_type_and_queues_executions(kind: str) -> None:
    (pipeline,) = resources(pipeline_template(kind), "AWS::CodePipeline::Pipeline")
    assert pipeline["Properties"]["PipelineType"] == "V2"
    assert pipeline["Properties"]["ExecutionMode"] == "QUEUED"


@every_kind
def test_stacks_have_the_names_that_cdk_deploy_gives_them(kind: str) -> None:
    # THEN the pipeline takes over what was deployed by hand, instead of deploying a second one beside it
    configured = {
        action["Configuration"]["StackName"]
        for actions in stages(pipeline_template(kind)).values()
        for action in actions
        if action["ActionTypeId"]["Provider"] == "CloudFormation"
    }
    parts = ("network", "storage", "streaming", "eks", "milvus", "verification")
    assert configured == {f"milvus-{env}-{part}" for env in ("dev", "prod") for part in parts}


@every_kind
def test_gate_stands_between_preparation_and_execution_of_every_stack(kind: str) -> None:
    for actions in stages(pipeline_template(kind)).values():
        order = {action["Name"]: action["RunOrder"] for action in actions}
        prepared = [name.removesuffix(".Prepare") for name in order if name.endswith(".Prepare")]
        for stack in prepared:
            assert order[f"{stack}.Prepare"] < order[f"{stack}.Gate"] < order[f"{stack}.Deploy"]


@every_kind
def test_gate_judges_the_change_set_that_is_executed(kind: str) -> None:
    template = pipeline_template(kind)
    for actions in stages(template).values():
        by_name = {action["Name"]: action for action in actions}
        for name, action in by_name.items():
            if not name.endswith(".Gate"):
                continue
            deploy = by_name[name.replace(".Gate", ".Deploy")]["Configuration"]
            (command,) = build_spec(project_of(template, action), pipeline_assembly(kind))["phases"]["build"][
                "commands"
            ]
            assert f"--stack {deploy['StackName']} --change-set-name {deploy['ChangeSetName']} " in command


@every_kind
def test_differences_are_published_before_anybody_is_asked(kind: str) -> None:
    *_, actions = stages(pipeline_template(kind)).values()
    order = {action["Name"]: action["RunOrder"] for action in actions}
    published = [action for action in actions if action["Name"].startswith("Diff-")]
    assert published
    assert all(action["OutputArtifacts"] for action in published)
    assert max(action["RunOrder"] for action in published) < order["Approve-prod"]
    assert order["Approve-prod"] < min(turn for name, turn in order.items() if name.endswith(".Prepare"))


@every_kind
def test_broader_permissions_wait_for_an_approval_before_anything_is_prepared(kind: str) -> None:
    for name, actions in list(stages(pipeline_template(kind)).items())[len(OWN_STAGES) :]:
        order = {action["Name"]: action["RunOrder"] for action in actions}
        confirm = [turn for action, turn in order.items() if action.endswith("Permissions.Confirm")]
        assert confirm, name
        assert max(confirm) < min(turn for action, turn in order.items() if action.endswith(".Prepare"))


@every_kind
def test_environment_is_verified_after_its_last_stack(kind: str) -> None:
    for actions in list(stages(pipeline_template(kind)).values())[len(OWN_STAGES) :]:
        last = max(action["RunOrder"] for action in actions if action["Name"].endswith(".Deploy"))
        verified = [action["RunOrder"] for action in actions if action["Name"].split(".")[-1] == "Verify"]
        assert verified
        assert min(verified) > last


@every_kind
def test_stacks_are_protected_when_all_are_there_and_before_they_are_verified(kind: str) -> None:
    template = pipeline_template(kind)
    for actions in list(stages(template).values())[len(OWN_STAGES) :]:
        order = {each["Name"]: each["RunOrder"] for each in actions}
        protecting = [each for each in actions if each["Name"].split(".")[-1] == "Protect"]
        assert len(protecting) == len([name for name in order if name.split(".")[-1] == "Verify"])
        for action in protecting:
            beginning = action["Name"].rpartition("Protect")[0]
            last = max(turn for name, turn in order.items() if name.startswith(beginning) and ".Deploy" in f".{name}")
            assert last < action["RunOrder"] < order[f"{beginning}Verify"]
            # AND by the role that deploys, which alone of the bootstrap's may
            command = commands(build_spec(project_of(template, action), pipeline_assembly(kind)))[-1]
            assert re.fullmatch(
                r"python -m ops protect --env (dev|prod) --region [a-z0-9-]+( --account \d{12})? "
                r"--role cdk-hnb659fds-deploy-role-(ACCOUNT|\d{12})-[a-z0-9-]+",
                command,
            )


@every_kind
def test_step_that_protects_may_assume_the_deploy_role_of_its_environment_and_nothing_else(kind: str) -> None:
    found = 0
    for logical_id, policy in pipeline_template(kind)["Resources"].items():
        if policy["Type"] == "AWS::IAM::Policy" and re.search(r"Protect\w*RoleDefaultPolicy", logical_id):
            statements = policy["Properties"]["PolicyDocument"]["Statement"]
            (assumed,) = [json.dumps(each["Resource"]) for each in statements if "sts:AssumeRole" in each["Action"]]
            assert assumed.count(":role/") == assumed.count("role/cdk-hnb659fds-deploy-role-") == 1
            assert "cloudformation:" not in json.dumps(statements)
            found += 1
    assert found


@every_kind
def test_verification_names_the_stage_that_can_be_rolled_back(kind: str) -> None:
    template = pipeline_template(kind)
    for stage, actions in stages(template).items():
        for action in (each for each in actions if each["Name"].split(".")[-1] == "Verify"):
            command = commands(build_spec(project_of(template, action), pipeline_assembly(kind)))[-1]
            assert command.endswith(f" --pipeline milvus-delivery --stage {stage}")


def test_long_stacks_of_an_environment_are_created_side_by_side() -> None:
    order = {each["Name"]: each["RunOrder"] for each in stages(pipeline_template("shipped"))["milvus-dev"]}
    assert order["streaming.Deploy"] == order["eks.Deploy"]


@every_kind
def test_synth_step_checks_tests_and_synthesizes_the_pipeline_itself(kind: str) -> None:
    template = pipeline_template(kind)
    project = project_of(template, action_named(template, "Synth"))
    assert commands(build_spec(project, pipeline_assembly(kind))) == [
        "make check test synth CDK='cdk -c pipeline=pipeline'"
    ]


@every_kind
def test_image_and_tools_are_pinned_in_every_project(kind: str) -> None:
    for project in resources(pipeline_template(kind), "AWS::CodeBuild::Project"):
        assert project["Properties"]["Environment"]["Image"] == "aws/codebuild/amazonlinux-x86_64-standard:5.0"
        assert project["Properties"]["Environment"]["PrivilegedMode"] is False
        assert project["Properties"]["Environment"]["Type"] == "LINUX_CONTAINER"
        for command in commands(build_spec(project, pipeline_assembly(kind))):
            for installed in re.findall(r"npm install -g (\S+)", command):
                assert re.fullmatch(r"[a-z-]+@\d+\.\d+\.\d+", installed), command


@every_kind
def test_logs_of_every_build_have_an_end_and_go_with_the_pipeline(kind: str) -> None:
    template = pipeline_template(kind)
    # GIVEN the one group that every project names
    [group] = {
        json.dumps(project["Properties"]["LogsConfig"]["CloudWatchLogs"], sort_keys=True)
        for project in resources(template, "AWS::CodeBuild::Project")
    }
    name = json.loads(group)["GroupName"]["Ref"]
    # THEN it ends, and its project's role may write to it
    found = template["Resources"][name]
    assert (found["Properties"]["RetentionInDays"], found["DeletionPolicy"]) == (30, "Delete")
    writers = [
        policy["Properties"]["Roles"][0]["Ref"]
        for policy in resources(template, "AWS::IAM::Policy")
        if any(
            "logs:PutLogEvents" in statement["Action"] and name in json.dumps(statement["Resource"])
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        )
    ]
    for project in resources(template, "AWS::CodeBuild::Project"):
        assert project["Properties"]["ServiceRole"]["Fn::GetAtt"][0] in writers


def test_every_project_runs_on_the_processor_of_its_image(tmp_path: Path) -> None:
    synthesize(file_with(("build.image", "aws/codebuild/amazonlinux-aarch64-standard:3.0"), kind="shipped"), tmp_path)
    template = json.loads((tmp_path / "milvus-delivery.template.json").read_text(encoding="utf-8"))
    environments = [each["Properties"]["Environment"] for each in resources(template, "AWS::CodeBuild::Project")]
    assert {(each["Image"], each["Type"]) for each in environments} == {
        ("aws/codebuild/amazonlinux-aarch64-standard:3.0", "ARM_CONTAINER")
    }


@every_kind
def test_assets_are_published_by_the_program_that_reads_this_assembly(kind: str) -> None:
    template = pipeline_template(kind)
    (action,) = stages(template)["Assets"]
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert commands(build_spec(project_of(template, action), pipeline_assembly(kind))) == [
        f"npm install -g aws-cdk@{package['devDependencies']['aws-cdk']}",
        "cdk publish-assets --unstable=publish-assets --app . 'milvus-delivery/*/*'",
    ]


@every_kind
def test_step_that_publishes_may_assume_every_role_that_the_assembly_names_and_no_other(kind: str) -> None:
    # GIVEN the roles with which the CDK publishes the assets of every environment's stacks, and reads their bootstrap
    wanted = set()
    for folder in pipeline_assembly(kind).glob("assembly-milvus-delivery-*"):
        artifacts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"].values()
        wanted |= {each["properties"]["assumeRoleArn"] for each in artifacts if each["type"].endswith(":stack")}
        for manifest in folder.glob("*.assets.json"):
            files = json.loads(manifest.read_text(encoding="utf-8"))["files"].values()
            wanted |= {place["assumeRoleArn"] for file in files for place in file["destinations"].values()}
    # WHEN
    policies = pipeline_template(kind)["Resources"]
    (policy,) = [policies[name] for name in policies if name.startswith("PipelineAssetsFileRoleDefaultPolicy")]
    granted = {
        role_name(resource)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "sts:AssumeRole"
        for resource in statement["Resource"]
    }
    # THEN
    assert granted == {role_name(arn) for arn in wanted}


def role_name(arn: Any) -> str:
    """Return the name of a role, the account `ACCOUNT` where only AWS knows it."""
    text = json.dumps(arn).replace('{"Ref": "AWS::AccountId"}', '"ACCOUNT"').replace("${AWS::AccountId}", "ACCOUNT")
    (name,) = re.findall(r"role/([^\]}]+)", text)
    return re.sub(r'[", ]', "", name)


@every_kind
def test_own_steps_install_no_more_of_the_lock_files_than_they_need_and_cache_it(kind: str) -> None:
    template = pipeline_template(kind)
    for actions in stages(template).values():
        for action in actions:
            kind_of_step = action["Name"].split(".")[-1].partition("-")[0]
            if kind_of_step not in {"Gate", "Verify", "Protect", "Diff"}:
                continue
            project = project_of(template, action)
            spec = build_spec(project, pipeline_assembly(kind))
            setups = [command for command in commands(spec) if command.startswith("make ")]
            assert setups == ["make setup-cdk" if kind_of_step == "Diff" else "make setup-ops"]
            assert spec["cache"]["paths"] == [".cache/packages/**/*"]
            assert project["Properties"]["Cache"]["Type"] == "S3"


@every_kind
def test_steps_of_ours_may_assume_one_role_and_it_only_reads(kind: str) -> None:
    # GIVEN the policies of the steps that reach into environments
    for logical_id, policy in pipeline_template(kind)["Resources"].items():
        if policy["Type"] != "AWS::IAM::Policy" or not re.search(r"(Gate|Verify|Diff)\w*RoleDefaultPolicy", logical_id):
            continue
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        assumed = [json.dumps(each["Resource"]) for each in statements if "sts:AssumeRole" in each["Action"]]
        assert len(assumed) == 1
        assert re.search(r"role/cdk-hnb659fds-lookup-role-|role/milvus-(dev|prod)-verify-", assumed[0])
        # THEN they cannot touch a stack themselves
        assert "cloudformation:" not in json.dumps(statements)


@every_kind
def test_nothing_of_an_environment_is_in_the_stack_of_the_pipeline(kind: str) -> None:
    types = {resource["Type"] for resource in pipeline_template(kind)["Resources"].values()}
    assert not types & {"AWS::EC2::VPC", "AWS::MSK::Cluster", "AWS::EKS::Cluster"}


@every_kind
def test_artifacts_are_encrypted_expire_and_refuse_plain_http(kind: str) -> None:
    template = pipeline_template(kind)
    buckets = resources(template, "AWS::S3::Bucket")
    assert len(buckets) == 2
    for bucket in buckets:
        properties = bucket["Properties"]
        assert properties["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] in {30, 90}
        assert all(properties["PublicAccessBlockConfiguration"].values())
        rule = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    for policy in resources(template, "AWS::S3::BucketPolicy"):
        assert '"aws:SecureTransport": "false"' in json.dumps(policy)


def test_verification_is_started_by_roles_of_this_pipeline_only() -> None:
    template = stage_template("three", "milvus-dev", "verification")
    (starter,) = [each for each in resources(template, "AWS::IAM::Role") if "RoleName" in each["Properties"]]
    (statement,) = starter["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    principal = f"arn:aws:iam::{PIPELINE_ACCOUNT}:role/milvus-delivery-*"
    assert starter["Properties"]["RoleName"] == "milvus-dev-verify-us-east-2"
    assert json.dumps(statement["Principal"]).count(PIPELINE_ACCOUNT) == 1
    assert statement["Condition"] == {"ArnLike": {"aws:PrincipalArn": principal}}


def test_verification_asks_in_the_region_of_its_stage_whatever_the_file_says() -> None:
    template = stage_template("three", "milvus-prod-eu-west-1", "verification")
    (project,) = resources(template, "AWS::CodeBuild::Project")
    commands = json.loads(project["Properties"]["Source"]["BuildSpec"])["phases"]["build"]["commands"]
    assert commands == [
        "python -m ops status --env prod --region eu-west-1",
        "python -m ops smoke --env prod --region eu-west-1 --timeout 180",
    ]


def test_verification_runs_in_the_private_subnets_and_reaches_milvus_and_https_only() -> None:
    template = stage_template("three", "milvus-dev", "verification")
    (project,) = resources(template, "AWS::CodeBuild::Project")
    assert len(project["Properties"]["VpcConfig"]["Subnets"]) == 3
    (group,) = resources(template, "AWS::EC2::SecurityGroup")
    assert {rule["FromPort"] for rule in group["Properties"]["SecurityGroupEgress"]} == {443, 19530}
    assert "SecurityGroupIngress" not in group["Properties"]


def test_verification_reaches_the_kubernetes_api_as_every_client_in_the_vpc_does() -> None:
    # GIVEN the ranges of the VPC in the Eks stack
    (eks,) = resources(stage_template("three", "milvus-dev", "eks"), "AWS::EKS::Cluster")
    assert eks["Properties"]["ResourcesVpcConfig"]["EndpointPrivateAccess"] is True
    admitted = [
        rule["CidrIp"]
        for group in resources(stage_template("three", "milvus-dev", "eks"), "AWS::EC2::SecurityGroup")
        for rule in group["Properties"].get("SecurityGroupIngress", [])
        if rule["FromPort"] <= 443 <= rule["ToPort"]
    ]
    assert "10.0.0.0/16" in admitted
    # THEN the verification opens nothing by itself
    verification = stage_template("three", "milvus-dev", "verification")["Resources"].values()
    assert "AWS::EC2::SecurityGroupIngress" not in {each["Type"] for each in verification}


def test_verification_may_change_nothing() -> None:
    template = stage_template("three", "milvus-prod-eu-west-1", "verification")
    (policy,) = [
        each
        for logical_id, each in template["Resources"].items()
        if each["Type"] == "AWS::IAM::Policy" and "ProjectRoleDefaultPolicy" in logical_id
    ]
    own = {"logs", "codebuild", "ec2"}
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for action in (each for each in actions if each.split(":")[0] not in own):
            assert re.match(r"\w+:(Describe|List|Get)|kms:Decrypt$", action), action


def test_verification_reads_no_secret_but_those_of_the_milvus_stack() -> None:
    template = stage_template("three", "milvus-dev", "verification")
    found = [
        statement
        for policy in resources(template, "AWS::IAM::Policy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "secretsmanager" in json.dumps(statement["Action"])
    ]
    assert [each["Condition"] for each in found] == [
        {"StringEquals": {"aws:ResourceTag/aws:cloudformation:stack-name": "milvus-dev-milvus"}}
    ]


def test_verification_decrypts_nothing_but_what_it_reads_in_secrets_manager() -> None:
    # GIVEN root's password under a key whose ARN the verification may not name
    template = stage_template("three", "milvus-prod-eu-west-1", "verification")
    found = [
        statement
        for policy in resources(template, "AWS::IAM::Policy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "key/*" in json.dumps(statement["Resource"])
    ]
    # THEN only requests of Secrets Manager, which judges what is read, may use a key
    assert [(statement["Action"], list(statement["Condition"]["StringEquals"])) for statement in found] == [
        ("kms:Decrypt", ["kms:ViaService"])
    ]


def test_verification_holds_nothing_of_the_stack_that_changes_most() -> None:
    # THEN Milvus can drop whatever it has: nothing imports it
    imported = re.findall(
        r'"Fn::ImportValue": "([\w-]+):', json.dumps(stage_template("three", "milvus-dev", "verification"))
    )
    assert set(imported) == {"milvus-dev-network", "milvus-dev-eks"}


def test_verification_sees_one_namespace_of_the_cluster() -> None:
    (entry,) = resources(stage_template("three", "milvus-dev", "verification"), "AWS::EKS::AccessEntry")
    (policy,) = entry["Properties"]["AccessPolicies"]
    assert "AmazonEKSViewPolicy" in json.dumps(policy["PolicyArn"])
    assert policy["AccessScope"] == {"Namespaces": ["milvus"], "Type": "namespace"}


def test_verification_program_is_what_ops_needs_and_nothing_else() -> None:
    template = stage_template("three", "milvus-dev", "verification")
    key = json.dumps(resources(template, "AWS::CodeBuild::Project")[0]["Properties"]["Source"]["Location"])
    found = re.search(r"/([0-9a-f]{64})\.zip", key)
    assert found
    folder = pipeline_assembly("three") / f"asset.{found[1]}"
    assert sorted(path.name for path in folder.iterdir()) == [
        "Makefile",
        "environments",
        "ops",
        "requirements",
        "settings",
    ]
    assert [path.name for path in (folder / "requirements").iterdir()] == ["ops.txt"]
    assert not list(folder.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("source", "provider", "configuration"),
    [
        (
            {"codecommit": {"repository": "milvus", "branch": "release"}},
            "CodeCommit",
            {"RepositoryName": "milvus", "BranchName": "release"},
        ),
        (
            {"s3": {"bucket": "sources-of-ours", "key": "milvus.zip"}},
            "S3",
            {"S3Bucket": "sources-of-ours", "S3ObjectKey": "milvus.zip"},
        ),
    ],
)
def test_source_is_what_the_settings_name(
    source: dict[str, Any], provider: str, configuration: dict[str, str], tmp_path: Path
) -> None:
    # GIVEN another source, and neither proof nor approvals nor a check of permissions
    wave = {
        "name": "dev",
        "environments": [{"environment": "dev"}],
        "smoke": False,
        "confirm_permissions": False,
    }
    synthesize(file_with(("source", source), ("waves", [wave]), kind="shipped"), tmp_path)
    template = json.loads((tmp_path / "milvus-delivery.template.json").read_text(encoding="utf-8"))
    (action,) = stages(template)["Source"]
    assert action["ActionTypeId"]["Provider"] == provider
    assert configuration.items() <= action["Configuration"].items()
    # THEN the bill knows all that it takes
    types = {each["Type"] for each in template["Resources"].values() if not each["Type"].startswith(FREE_PREFIX)}
    assert types - {*FREE, *PRICED, *BY_USE} == set()
    # AND the wave has neither
    assert not [name for name in names(stages(template)["milvus-dev"]) if "Verify" in name or "Permissions" in name]


def test_approval_of_a_loss_reaches_the_gate_of_its_stack_and_no_other(tmp_path: Path) -> None:
    # GIVEN an approval for a bucket of dev
    approvals = {"storage": {"StorageData6BB23F4E@milvus-dev-data-1a2b3c": "moved to the new bucket, ticket OPS-17"}}
    data = file_with(("waves.0.environments.0.approvals", approvals), kind="shipped")
    synthesize({**data, "waves": data["waves"][:1]}, tmp_path)
    template = json.loads((tmp_path / "milvus-delivery.template.json").read_text(encoding="utf-8"))
    approved = [
        action["Name"]
        for action in stages(template)["milvus-dev"]
        if action["Name"].endswith(".Gate")
        and "--approve 'StorageData6BB23F4E@milvus-dev-data-1a2b3c=moved to the new bucket, ticket OPS-17'"
        in commands(build_spec(project_of(template, action), tmp_path))[-1]
    ]
    assert approved == ["storage.Gate"]


def test_only_keys_of_other_regions_are_not_named_in_the_role_of_the_pipeline() -> None:
    # GIVEN a stage in another region, whose key has no ARN yet
    for logical_id, policy in pipeline_template("three")["Resources"].items():
        if policy["Type"] != "AWS::IAM::Policy" or not logical_id.startswith("PipelineRoleDefaultPolicy"):
            continue
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "*" in statement["Resource"]:
                assert all(action.startswith("kms:") for action in statement["Action"])


def test_source_may_use_its_connection_by_both_names_of_the_service() -> None:
    # GIVEN a connection whose ARN begins with the newer name
    template = pipeline_template("shipped")
    arn = pipeline_file("shipped")["source"]["connection"]["arn"]
    assert ":codeconnections:" in arn
    role = action_named(template, "Source")["RoleArn"]["Fn::GetAtt"][0]
    # THEN the source action's role may use it by whichever name the service judges it
    allowed = {
        action
        for policy in resources(template, "AWS::IAM::Policy")
        if {"Ref": role} in policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Resource"] == arn
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert allowed == {"codeconnections:UseConnection", "codestar-connections:UseConnection"}


def test_bootstrap_of_another_qualifier_is_the_one_that_every_step_asks(tmp_path: Path) -> None:
    # GIVEN `cdk deploy -c pipeline=pipeline -c @aws-cdk/core:bootstrapQualifier=acme`
    synthesize(pipeline_file("s3"), tmp_path, **{"@aws-cdk/core:bootstrapQualifier": "acme"})
    # THEN nothing that is deployed or run names the standard bootstrap
    found = [path for path in tmp_path.rglob("*.json") if "hnb659fds" in path.read_text(encoding="utf-8")]
    assert found == []
    # AND the pipeline's own synthesis says the same
    template = (tmp_path / "milvus-delivery.template.json").read_text(encoding="utf-8")
    assert "make check test synth CDK='cdk -c pipeline=pipeline -c @aws-cdk/core:bootstrapQualifier=acme'" in template
    assert "--role cdk-acme-lookup-role-" in template
