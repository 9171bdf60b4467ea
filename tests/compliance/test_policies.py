"""policies/*.json are exactly what the templates need, and nothing in them is open."""

from __future__ import annotations

import fnmatch
import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.assemblies import assembly
from tests.pipelines import pipeline_assembly
from tools.iam.policies import (
    POLICIES,
    actions_of,
    all_policies,
    bootstrap_template,
    read_assemblies,
    resource_types,
    service_principals,
    written,
)
from tools.iam.scopes import FILES, NOT_NEEDED, PREFIX

ALLOWING = sorted(
    [*FILES, "bootstrap.json", "cost.json", "deploy.json", "destroy.json", "diff-only.json", "doctor.json"]
)
LIMITING = ["boundary.json", "execution-bounded.json"]
"""They allow nothing by themselves, and have a test of their own: rehearsal/tests/unit/test_boundary.py."""
FILE_NAMES = sorted([*ALLOWING, *LIMITING])
every_allowing_policy = pytest.mark.parametrize("name", ALLOWING)
every_policy = pytest.mark.parametrize("name", FILE_NAMES)


@functools.cache
def everything() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return read_assemblies(folders())


def folders() -> list[Path]:
    # dev and prod are in the pipeline; synthesizing them once more would say nothing new.
    pipelines = [pipeline_assembly(kind) for kind in ("shipped", "codecommit", "s3")]
    return [assembly("guide"), assembly("existing-vpc"), *pipelines]


def statements(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((POLICIES / name).read_text(encoding="utf-8"))["Statement"]
    return found


def test_every_policy_is_here_and_no_other() -> None:
    assert sorted(path.name for path in POLICIES.glob("*.json")) == FILE_NAMES


@every_policy
def test_policy_is_what_the_resource_types_of_the_templates_need(name: str) -> None:
    # WHEN this fails after a change of the templates: `python -m tools.iam.policies`, and read the difference
    assert (POLICIES / name).read_text(encoding="utf-8") == written(all_policies(*everything())[name])


@every_allowing_policy
def test_no_policy_allows_whole_services_or_families_of_actions(name: str) -> None:
    for statement in statements(name):
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        assert "NotAction" not in statement
        assert "NotResource" not in statement


@every_allowing_policy
def test_roles_may_be_changed_and_passed_only_within_the_prefix(name: str) -> None:
    for statement in statements(name):
        if any(action.startswith(("iam:", "sts:")) for action in statement["Action"]):
            assert "*" not in statement["Resource"]
            for resource in statement["Resource"]:
                assert re.fullmatch(
                    rf"arn:aws:iam::\*:(role/({PREFIX}|cdk-hnb659fds-|aws-service-role/)|instance-profile/eks-"
                    r"|oidc-provider/oidc\.eks\.).*",
                    resource,
                )


@every_allowing_policy
def test_roles_are_passed_only_to_services_that_the_templates_make_roles_for(name: str) -> None:
    templates = [bootstrap_template()] if name == "bootstrap.json" else everything()[0]
    for statement in statements(name):
        if "iam:PassRole" in statement["Action"]:
            assert statement["Action"] == ["iam:PassRole"]
            assert statement["Condition"]["StringEquals"]["iam:PassedToService"] == service_principals(templates)


def test_pipeline_of_codecommit_may_make_and_pass_what_starts_it() -> None:
    types = resource_types(read_assemblies([pipeline_assembly("codecommit")])[0])
    assert "AWS::Events::Rule" in types
    allowed = [statement for name in FILES for statement in statements(name)]
    assert {"events:PutRule", "events:PutTargets", "events:DeleteRule"} <= {
        a for each in allowed for a in each["Action"]
    }
    (passed,) = [each for each in allowed if each["Action"] == ["iam:PassRole"]]
    assert "events.amazonaws.com" in passed["Condition"]["StringEquals"]["iam:PassedToService"]


def test_eks_may_look_whether_the_roles_that_it_links_are_there() -> None:
    # https://github.com/terraform-aws-modules/terraform-aws-eks/issues/823
    linked = {
        resource
        for statement in statements("execution-cluster.json")
        if "iam:GetRole" in statement["Action"]
        for resource in statement["Resource"]
    }
    for service in ("eks.amazonaws.com", "eks-nodegroup.amazonaws.com"):
        assert f"arn:aws:iam::*:role/aws-service-role/{service}/*" in linked


def test_what_no_schema_lists_is_allowed_too() -> None:
    allowed = [
        (action, resource)
        for name in FILES
        for each in statements(name)
        for action in each["Action"]
        for resource in each["Resource"]
    ]
    # THEN an interface endpoint may have private names: a dependent action of ec2:CreateVpcEndpoint in
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    assert ("route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/*") in allowed
    # AND MSK may complete its linked role, as AWS's own AmazonMSKFullAccess allows it
    linked = "arn:aws:iam::*:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka*"
    assert {("iam:AttachRolePolicy", linked), ("iam:PutRolePolicy", linked)} <= set(allowed)


# Why each may have no narrower resource than "*". A service that is not here has its resources by name.
ANY_RESOURCE = {
    "application-autoscaling": "targets have an id, and describing them knows no resource",
    "autoscaling": "describes only",
    "cloudformation": "describes only",
    "cloudwatch": "reading metrics knows no resource; an alarm holds nothing",
    "codeconnections": "the connection is the user's own, and passed on only",
    "codestar-connections": "the same, by its older name",
    "ec2": "ids that AWS makes up",
    "ecr": "a token to log in",
    "kafka": "what is not made yet, and operations, have no name",
    "kms": "ids that AWS makes up; see CONDITIONS in tools/iam/scopes.py",
    "logs": "log deliveries and resource policies know no resource",
    "secretsmanager": "a random password is nothing that exists",
}

# The same of what `ops doctor` and `ops destroy` read.
READ_ONLY = {
    "eks": "versions are of everybody",
    "elasticloadbalancing": "describes only",
    "lambda": "the limits of the account",
    "servicequotas": "the limits of the account",
}


@every_allowing_policy
def test_only_services_with_a_reason_have_every_resource(name: str) -> None:
    allowed = {*ANY_RESOURCE, *(READ_ONLY if name in {"doctor.json", "destroy.json"} else ())}
    if name == "cost.json":
        allowed = {"pricing"}  # prices are of everybody
    for statement in statements(name):
        if "*" in statement["Resource"]:
            assert {action.split(":")[0] for action in statement["Action"]} <= allowed


def test_doctor_only_reads() -> None:
    for statement in statements("doctor.json"):
        assert not [each for each in statement["Action"] if not re.match(r"[a-z0-9]+:(Describe|Get|List)", each)]


def test_destroy_touches_what_has_our_name_or_a_tag_of_ours_only() -> None:
    for statement in statements("destroy.json"):
        changing = [each for each in statement["Action"] if not re.match(r"[a-z0-9]+:(Describe|Get|List)", each)]
        if changing and changing != ["kms:ScheduleKeyDeletion"]:  # a key's name is an id; it waits for 30 days
            named = all(PREFIX in each or ":RootPassword" in each for each in statement["Resource"])
            assert named or set(statement["Condition"]) == {"StringLike"}, changing


def test_what_holds_data_is_deleted_read_and_changed_by_name_only() -> None:
    data = re.compile(r"secretsmanager:(?!GetRandomPassword)|ssm:|states:|events:|s3:|kafka:(Delete|Update)")
    for statement in (each for name in FILES for each in statements(name)):
        if any(data.match(action) for action in statement["Action"]):
            assert not [each for each in statement["Resource"] if re.fullmatch(r"\*|.*:(secret:|parameter/)?\*", each)]


def test_keys_are_used_through_the_service_that_needs_them_only() -> None:
    limits = {
        action: statement.get("Condition", {})
        for statement in statements("execution-data.json")
        for action in statement["Action"]
    }
    assert "kms:Encrypt" not in limits
    assert limits["kms:CreateGrant"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        assert limits[action] == {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}


# Type -> property that names it, and what CloudFormation makes of the logical id where the template gives no name.
NAMED_BY_SCOPE = {
    "AWS::MSK::Cluster": ("ClusterName", "arn:aws:kafka:*:*:cluster/{}/id"),
    "AWS::MSK::Configuration": ("Name", "arn:aws:kafka:*:*:configuration/{}/id"),
    "AWS::SecretsManager::Secret": ("Name", "arn:aws:secretsmanager:*:*:secret:{}-suffix"),
    "AWS::SSM::Parameter": ("Name", "arn:aws:ssm:*:*:parameter/CFN-{}-suffix"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "arn:aws:states:*:*:stateMachine:{}-suffix"),
}


def test_every_named_resource_of_the_templates_is_within_the_names_of_the_policies() -> None:
    allowed = [resource for name in FILES for statement in statements(name) for resource in statement["Resource"]]
    seen = set()
    for template in everything()[0]:
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] in NAMED_BY_SCOPE:
                property_name, arn = NAMED_BY_SCOPE[resource["Type"]]
                given = resource.get("Properties", {}).get(property_name, logical_id)
                text = given if isinstance(given, str) else "".join(map(str, given["Fn::Join"][1]))
                assert any(fnmatch.fnmatchcase(arn.format(text), each) for each in allowed if each != "*"), logical_id
                seen.add(resource["Type"])
    assert seen == set(NAMED_BY_SCOPE)


@every_policy
def test_policy_fits_into_a_managed_policy(name: str) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: blanks do not count
    text = (POLICIES / name).read_text(encoding="utf-8")
    assert len(re.sub(r"\s", "", text)) <= 6144


def test_comparing_may_assume_the_role_that_reads_and_nothing_else() -> None:
    assert statements("diff-only.json") == [
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Resource": ["arn:aws:iam::*:role/cdk-hnb659fds-lookup-role-*"],
        }
    ]


def test_no_image_is_published_so_the_role_for_images_is_not_needed() -> None:
    for folder in folders():
        for path in folder.rglob("*.assets.json"):
            assert json.loads(path.read_text(encoding="utf-8"))["dockerImages"] == {}
    assert "image-publishing" not in (POLICIES / "deploy.json").read_text(encoding="utf-8")


def test_what_is_left_out_is_listed_by_the_schemas_and_so_still_a_decision() -> None:
    from tools.iam.policies import _permissions

    types = resource_types([*everything()[0], bootstrap_template()])
    listed = {action for each in types for action in _permissions(each)}
    assert [prefix for prefix in NOT_NEEDED if not any(action.startswith(prefix) for action in listed)] == []


def test_type_that_nobody_knows_is_an_error_and_not_an_empty_policy() -> None:
    with pytest.raises(LookupError, match=r"AWS::Made::Up: cfn-lint's schemas list no permissions for it; add them to"):
        actions_of("AWS::Made::Up")


def test_workflows_use_actions_by_full_commit_and_name_no_key() -> None:
    for path in (POLICIES.parent / ".github/workflows").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        for used in re.findall(r"uses: (.+)", text):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used
        assert not re.search(r"aws-(access|secret)-|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)|pull_request_target", text)


def test_only_the_job_that_comments_may_write() -> None:
    workflow = yaml.safe_load((POLICIES.parent / ".github/workflows/pull-request.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    rights = {name: job.get("permissions", {}) for name, job in workflow["jobs"].items()}
    assert rights == {
        "check": {},
        "preview": {"contents": "read", "id-token": "write", "pull-requests": "write"},
    }
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            # What a contributor writes (a title, a branch) must not become a command.
            assert "${{" not in step.get("run", "")


def test_gitlab_job_has_an_identity_and_no_key() -> None:
    text = (POLICIES.parent / ".gitlab-ci.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)
    assert jobs["preview"]["id_tokens"]["AWS_TOKEN"]["aud"] == "https://sts.amazonaws.com"
    assert not re.search(r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)", text)
    assert re.search(r":\d+\.\d+\.\d+-", jobs["default"]["image"])
