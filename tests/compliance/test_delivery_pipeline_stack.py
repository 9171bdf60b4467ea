"""What each build of the shipped pipeline runs, on what, in which order, and by which right; and its proof, whole."""

from __future__ import annotations

import json
from typing import Any

from milvus_constructs.delivery.builds import CDK_CLI
from tests.pipelines import pipeline_assembly, pipeline_template, stages
from tests.references import Assembly, Found, assembly_of

STEPS = "delivery/Pipeline/Pipeline"
OPS = ["make setup-ops", 'export PATH="$PWD/.venv/bin:$PATH"']
MERGED = 'If you want to merge multiple artifacts, use a "cp" command.\'; exit 1; }'
"""CDK Pipelines' own words, where a step has a second input."""
PARTS = ("network", "storage", "eks", "streaming", "milvus", "verification")
LOOKUP = "cdk-hnb659fds-lookup-role-ACCOUNT-us-east-2"
DEPLOY = "cdk-hnb659fds-deploy-role-ACCOUNT-us-east-2"
PACKAGES = ".cache/packages"
VARIABLES = {
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CI": "true",
    "NO_COLOR": "1",
    "PIP_CACHE_DIR": f"{PACKAGES}/pip",
    "UV_CACHE_DIR": f"{PACKAGES}/uv",
    "npm_config_cache": f"{PACKAGES}/npm",
}
EVERY_BUILD: dict[str, Any] = {
    "ImagePullCredentialsType": "CODEBUILD",
    "Image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
    "PrivilegedMode": False,
    "Type": "LINUX_CONTAINER",
    "EnvironmentVariables": [{"Name": name, "Type": "PLAINTEXT", "Value": value} for name, value in VARIABLES.items()],
}


def graph() -> Assembly:
    return assembly_of(pipeline_assembly("shipped"))


def proof() -> Assembly:
    return assembly_of(pipeline_assembly("shipped") / "assembly-milvus-delivery-milvus-dev")


def build_spec(project: Found) -> dict[str, Any]:
    text = project.properties["Source"]["BuildSpec"]
    if not text.startswith("{"):
        text = (pipeline_assembly("shipped") / text).read_text(encoding="utf-8")
    spec: dict[str, Any] = json.loads(text)
    return spec


def commands(project: Found) -> list[str]:
    phases = build_spec(project)["phases"]
    return [*phases["install"].get("commands", []), *phases["build"]["commands"]]


def expected_commands() -> dict[str, list[str]]:
    found = {f"{STEPS}/Build/Synth/CdkBuildProject": ["make check test synth CDK='cdk -c pipeline=pipeline'"]}
    for name, file in (("milvus-dev", "dev"), ("milvus-prod", "prod")):
        output = f"differences/{name}.txt"
        found[f"{STEPS}/{name}/Diff-{name}/Diff-{name}"] = [
            '[ ! -d "assembly" ] || { echo \'additionalInputs: "assembly" must not exist yet. '
            f'{MERGED} && ln -s -- "$CODEBUILD_SRC_DIR_Synth_Output" "assembly"',
            "make setup-cdk",
            'export PATH="$PWD/node_modules/.bin:$PATH"',
            "mkdir -p differences",
            f"cdk diff --app assembly --method template 'milvus-delivery/{name}/*' > {output} 2>&1 || "
            f"{{ cat {output}; exit 1; }}",
            f"cat {output}",
        ]
        for part in PARTS:
            found[f"{STEPS}/{name}/{part}.Gate/Gate"] = [
                *OPS,
                f"python -m ops gate --stack {name}-{part} --change-set-name PipelineChange --region us-east-2 "
                f"--role {LOOKUP}",
            ]
        found[f"{STEPS}/{name}/Protect/Protect"] = [
            *OPS,
            f"python -m ops protect --env {file} --region us-east-2 --role {DEPLOY}",
        ]
        found[f"{STEPS}/{name}/Verify/Verify"] = [
            *OPS,
            f"python -m ops verify --project {name}-verification --region us-east-2 "
            f"--role {name}-verify-us-east-2 --pipeline milvus-delivery --stage {name}",
        ]
    return found


def ours() -> dict[str, Found]:
    """Return the projects that are not CDK Pipelines' own."""
    return {each.name: each for each in graph().of_type("AWS::CodeBuild::Project") if each.name.startswith(f"{STEPS}/")}


def test_every_step_runs_these_commands() -> None:
    assert {name: commands(project) for name, project in ours().items()} == expected_commands()


def test_every_build_has_its_tools_its_cache_its_log_and_an_end() -> None:
    for name, project in ours().items():
        # The tests and the synthesis of all environments need more than what the others do.
        size = "MEDIUM" if name.endswith("CdkBuildProject") else "SMALL"
        assert project.at("Environment") == {**EVERY_BUILD, "ComputeType": f"BUILD_GENERAL1_{size}"}, name
        assert project.at("Cache") == {"Location": "${delivery/Artifacts/Caches}/packages", "Type": "S3"}, name
        assert project.at("LogsConfig.CloudWatchLogs") == {"GroupName": "${delivery/Builds}", "Status": "ENABLED"}, name
        spec = build_spec(project)
        assert spec["version"] == "0.2"
        assert spec["phases"]["install"]["runtime-versions"] == {"nodejs": "22", "python": "3.12"}
        assert spec["cache"] == {"paths": [f"{PACKAGES}/**/*"]}
        # The proof may wait for half an hour and run for 45 minutes; CodeBuild's own end is an hour.
        assert project.at("TimeoutInMinutes") == (90 if name.endswith("/Verify") else None), name


def test_assets_are_published_by_the_pinned_program() -> None:
    spec = build_spec(graph()["delivery/Pipeline/Assets/FileAsset"])
    assert spec == {
        "version": "0.2",
        "phases": {
            "install": {
                "runtime-versions": {"python": "3.12", "nodejs": "22"},
                "commands": [f"npm install -g aws-cdk@{CDK_CLI}"],
            },
            "build": {"commands": ["cdk publish-assets --unstable=publish-assets --app . 'milvus-delivery/*/*'"]},
        },
        "cache": {"paths": [f"{PACKAGES}/**/*"]},
    }


def test_only_differences_and_the_synthesis_hand_something_on() -> None:
    handed_on = {
        name: (spec["artifacts"]["base-directory"], spec["artifacts"]["files"])
        for name, project in ours().items()
        if "artifacts" in (spec := build_spec(project))
    }
    assert handed_on == {
        f"{STEPS}/Build/Synth/CdkBuildProject": ("cdk.out", ["**/*"]),
        f"{STEPS}/milvus-dev/Diff-milvus-dev/Diff-milvus-dev": ("differences", ["**/*"]),
        f"{STEPS}/milvus-prod/Diff-milvus-prod/Diff-milvus-prod": ("differences", ["**/*"]),
    }


def test_every_step_may_assume_the_one_role_that_its_command_names() -> None:
    # GIVEN what each role of a step may assume
    found = {}
    for policy in graph().of_type("AWS::IAM::Policy"):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            step = policy.name.removesuffix("/Role/DefaultPolicy")
            if statement["Action"] == "sts:AssumeRole" and step in ours():
                found[step] = statement["Resource"].rpartition("/")[2]
    # THEN it is the role of the last command, in the account of the build
    named = {
        name: each[-1].partition("--role ")[2].split(" ")[0].replace("ACCOUNT", "${AWS::AccountId}")
        for name, each in expected_commands().items()
    }
    for name in named:
        if "Diff-" in name:
            named[name] = LOOKUP.replace("ACCOUNT", "${AWS::AccountId}")
    assert found == {name: role for name, role in named.items() if role}


def test_actions_of_a_stage_come_in_this_order() -> None:
    together = (("network", "storage"), ("eks", "streaming"), ("milvus",), ("verification",))

    def deployed(first: int) -> list[tuple[str, int]]:
        rows = []
        for group in together:
            for number, action in enumerate(("Prepare", "Gate", "Deploy")):
                rows += [(f"{part}.{action}", first + number) for part in group]
            first += 3
        return [*rows, ("Protect", first), ("Verify", first + 1)]

    confirmed = ("Permissions.Check", "Permissions.Confirm")
    found = {
        name: [(action["Name"], action["RunOrder"]) for action in actions]
        for name, actions in stages(pipeline_template("shipped")).items()
    }
    assert found == {
        "Source": [("Source", 1)],
        "Build": [("Synth", 1)],
        "UpdatePipeline": [("SelfMutate", 1)],
        "Assets": [("FileAssets", 1)],
        "milvus-dev": [("Diff-milvus-dev", 1), (confirmed[0], 2), (confirmed[1], 3), *deployed(4)],
        "milvus-prod": [
            ("Diff-milvus-prod", 1),
            ("Approve-prod", 2),
            (confirmed[0], 3),
            (confirmed[1], 4),
            *deployed(5),
        ],
    }
    [approval] = [
        each for each in stages(pipeline_template("shipped"))["milvus-prod"] if each["Name"] == "Approve-prod"
    ]
    assert approval["Configuration"] == {"CustomData": "Read what Diff-milvus-prod published before you approve."}


def test_stores_of_the_pipeline_expire_and_go_with_it() -> None:
    key = graph()["delivery/Artifacts/Key"]
    assert (key.at("EnableKeyRotation"), key.at("PendingWindowInDays")) == (True, 7)
    assert graph()["delivery/Artifacts/Key/Alias"].at("AliasName") == "alias/milvus-delivery-artifacts"
    for name, days in (("Bucket", 90), ("Caches", 30)):
        bucket = graph()[f"delivery/Artifacts/{name}"]
        assert bucket.at("LifecycleConfiguration.Rules") == [
            {
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                "ExpirationInDays": days,
                "Id": "expire",
                "Status": "Enabled",
            }
        ]
        assert bucket.at("OwnershipControls.Rules") == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert set(bucket.at("PublicAccessBlockConfiguration").values()) == {True}
        assert bucket.policies == {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
        assert bucket.at("BucketEncryption.ServerSideEncryptionConfiguration.0.BucketKeyEnabled") is True
    assert graph()["delivery/Builds"].at("RetentionInDays") == 30
    found = graph()[f"{STEPS}"]
    assert (found.at("PipelineType"), found.at("ExecutionMode"), found.at("Name")) == (
        "V2",
        "QUEUED",
        "milvus-delivery",
    )
    assert found.at("RestartExecutionOnUpdate") is True


def test_proof_of_an_environment_is_whole_as_it_was_decided() -> None:
    place = "us-east-2:${AWS::AccountId}"
    prefix = "verification/Verification"
    project = proof()[f"{prefix}/Project"]
    assert json.loads(project.properties["Source"]["BuildSpec"]) == {
        "version": "0.2",
        "phases": {
            "install": {"runtime-versions": {"nodejs": "22", "python": "3.12"}, "commands": OPS},
            "build": {
                "commands": [
                    "python -m ops status --env dev --region us-east-2",
                    "python -m ops smoke --env dev --region us-east-2 --timeout 180",
                ]
            },
        },
    }
    assert project.at("Environment") == {**EVERY_BUILD, "ComputeType": "BUILD_GENERAL1_SMALL"}
    ends = (project.at("Name"), project.at("TimeoutInMinutes"), project.at("QueuedTimeoutInMinutes"))
    assert ends == ("milvus-dev-verification", 45, 30)
    group = proof()[f"{prefix}/Logs"]
    assert group.properties["LogGroupName"] == "/milvus-dev/verification"
    assert group.at("RetentionInDays") == 30
    assert group.policies == {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
    assert proof()[f"{prefix}/SecurityGroup"].at("SecurityGroupEgress") == [
        {"CidrIp": "10.0.0.0/16", "Description": "Milvus", "FromPort": 19530, "IpProtocol": "tcp", "ToPort": 19530},
        {
            "CidrIp": "0.0.0.0/0",
            "Description": "AWS, Kubernetes and PyPI",
            "FromPort": 443,
            "IpProtocol": "tcp",
            "ToPort": 443,
        },
    ]
    entry = proof()[f"{prefix}/Deployments"]
    assert entry.at("AccessPolicies") == [
        {
            "AccessScope": {"Namespaces": ["milvus"], "Type": "namespace"},
            "PolicyArn": "arn:${AWS::Partition}:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        }
    ]
    # The last six statements are ours, the ones before them what CodeBuild needs.
    statements = proof()[f"{prefix}/Project/Role/DefaultPolicy"].at("PolicyDocument.Statement")
    assert [(each["Action"], each["Resource"], each.get("Condition")) for each in statements[-6:]] == [
        (
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{place}:secret:*",
            {"StringEquals": {"aws:ResourceTag/aws:cloudformation:stack-name": "milvus-dev-milvus"}},
        ),
        (
            "kms:Decrypt",
            f"arn:aws:kms:{place}:key/*",
            {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-2.${AWS::URLSuffix}"}},
        ),
        (
            "cloudformation:DescribeStacks",
            [
                f"arn:aws:cloudformation:{place}:stack/milvus-dev-{part}/*"
                for part in ("eks", "milvus", "network", "storage", "streaming")
            ],
            None,
        ),
        (["eks:DescribeCluster", "eks:ListNodegroups"], f"arn:aws:eks:{place}:cluster/milvus-dev", None),
        ("eks:DescribeNodegroup", f"arn:aws:eks:{place}:nodegroup/milvus-dev/*", None),
        ("kafka:DescribeClusterV2", f"arn:aws:kafka:{place}:cluster/milvus-dev*/*", None),
    ]


def test_proof_is_started_and_read_by_one_role() -> None:
    prefix = "verification/Verification"
    starter = proof()[f"{prefix}/Starter"]
    assert (starter.at("RoleName"), starter.at("MaxSessionDuration")) == ("milvus-dev-verify-us-east-2", 3600)
    [trust] = starter.properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${AWS::AccountId}:role/milvus-delivery-*"}
    }
    statements = proof()[f"{prefix}/Starter/DefaultPolicy"].at("PolicyDocument.Statement")
    assert [(each["Action"], each["Resource"]) for each in statements] == [
        (["codebuild:BatchGetBuilds", "codebuild:StartBuild"], f"${{{prefix}/Project.Arn}}"),
        ("logs:GetLogEvents", f"${{{prefix}/Logs.Arn}}"),
    ]
    [output] = proof().outputs("verification").values()
    assert output == f"${{{prefix}/Project}}"


def test_whoever_looks_into_the_account_reads_what_the_pipeline_and_the_proof_are_for() -> None:
    proven = "verification/Verification"
    found = [graph()["delivery/Artifacts/Key"], proof()[f"{proven}/Project"], proof()[f"{proven}/Starter"]]
    assert [each.name for each in found if not each.properties.get("Description")] == []
    assert proof()["verification/Verification/SecurityGroup"].at("GroupDescription") == (
        "Verification: Milvus and HTTPS only"
    )
    assert graph().templates["delivery"]["Description"] == "Milvus: delivery pipeline"
    template = proof().templates["verification"]
    assert template["Description"] == "Milvus milvus-dev: proof of the deployment"
    assert [output["Description"] for output in template["Outputs"].values()] == [
        "CodeBuild project that proves this environment."
    ]
