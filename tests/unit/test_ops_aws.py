from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.stub import Stubber
from typer.testing import CliRunner

from ops import aws
from ops import status as status_module
from ops.cli import app
from ops.endpoints import read_endpoints
from ops.environments import environment
from ops.errors import OpsError
from ops.kubernetes import KubernetesUnreachableError
from ops.milvus.address import address_and_secret
from ops.protection import protect
from ops.stacks import read_stacks
from ops.status import read_status
from ops.tables import stacks_table, workloads_table
from ops.workloads import Workload
from settings import Environment, SettingsError, load_environment, loader, parse_environment
from settings.parts import parts, stack_name
from tests.unit.settings_files import file_with

WHEN = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
ROOT_SECRET = "arn:aws:secretsmanager:us-east-2:111122223333:secret:milvus-root-AbCdEf"
ARN = "arn:aws:kafka:us-east-2:111122223333:cluster/milvus-test/abcd-1"
OUTPUTS: dict[str, dict[str, str]] = {
    "storage": {"DataBucketName": "data", "BackupBucketName": "backup"},
    "streaming": {"MskClusterArn": ARN, "KafkaSecretArn": "arn:kafka-secret", "BootstrapBrokersSaslScram": "b1:9096"},
    "eks": {"ClusterName": "milvus-test", "KubeconfigCommand": "aws eks update-kubeconfig --name milvus-test"},
    "milvus": {
        "Namespace": "milvus",
        "MilvusEndpoint": "nlb.test:19530",
        "MilvusUri": "https://nlb.test:19530",
        "RootSecretArn": ROOT_SECRET,
    },
}


def env_with(*changes: tuple[str, Any]) -> Environment:
    return parse_environment(file_with(*changes), source="test.yaml", today=date(2026, 11, 23))


class Account:
    """boto3 clients with canned answers; nothing leaves the process."""

    def __init__(self, env: Environment) -> None:
        self._stubs: dict[str, Stubber] = {}
        self.env = env

    def client(self, service: str) -> Any:
        return self.stub(service).client

    def stub(self, service: str) -> Stubber:
        if service not in self._stubs:
            made = boto3.client(
                service, region_name="us-east-2", aws_access_key_id="test", aws_secret_access_key="test"
            )
            self._stubs[service] = Stubber(made)
            self._stubs[service].activate()
        return self._stubs[service]

    def deployed(
        self, *, states: dict[str, str] | None = None, absent: tuple[str, ...] = (), protected: tuple[str, ...] = ()
    ) -> Account:
        for part in parts(self.env):
            name = stack_name(self.env, part)
            if part in absent:
                self.stub("cloudformation").add_client_error(
                    "describe_stacks", "ValidationError", f"Stack with id {name} does not exist"
                )
                continue
            stack = {
                "StackName": name,
                "CreationTime": WHEN,
                "StackStatus": (states or {}).get(part, "CREATE_COMPLETE"),
                "StackStatusReason": "because [red]:secret:",
                "EnableTerminationProtection": part in protected,
                "Outputs": [{"OutputKey": key, "OutputValue": text} for key, text in OUTPUTS.get(part, {}).items()],
            }
            self.stub("cloudformation").add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": name})
        return self

    def msk(self, state: str = "ACTIVE") -> Account:
        info = {
            "ClusterName": "milvus-test",
            "State": state,
            "Provisioned": {
                "BrokerNodeGroupInfo": {"InstanceType": "kafka.m7g.large", "ClientSubnets": []},
                "CurrentBrokerSoftwareInfo": {"KafkaVersion": "3.9.x.kraft"},
                "NumberOfBrokerNodes": 3,
            },
        }
        self.stub("kafka").add_response("describe_cluster_v2", {"ClusterInfo": info}, {"ClusterArn": ARN})
        return self

    def eks(self, *, public: bool = True, group_state: str = "ACTIVE", **more: Any) -> Account:
        cluster = {
            "name": "milvus-test",
            "status": "ACTIVE",
            "version": "1.36",
            "endpoint": "https://eks.test",
            "certificateAuthority": {"data": "Y2E="},
            "resourcesVpcConfig": {"endpointPublicAccess": public},
            **more,
        }
        group = {
            "nodegroupName": "milvus",
            "status": group_state,
            "health": {"issues": [{"message": "no capacity"}] if group_state == "DEGRADED" else []},
            "scalingConfig": {"desiredSize": 3},
            "instanceTypes": ["m7g.2xlarge"],
        }
        stub = self.stub("eks")
        stub.add_response("describe_cluster", {"cluster": cluster})
        stub.add_response("list_nodegroups", {"nodegroups": ["milvus"]})
        stub.add_response("describe_nodegroup", {"nodegroup": group})
        return self


@pytest.fixture
def env() -> Environment:
    return env_with()


@pytest.fixture
def account(env: Environment, monkeypatch: pytest.MonkeyPatch) -> Account:
    made = Account(env)
    monkeypatch.setattr(status_module, "cluster_token", lambda *_, **__: "k8s-aws-v1.test")
    monkeypatch.setattr(status_module, "read_workloads", lambda *_, **__: (PROXY,))
    return made


PROXY = Workload(
    kind="Deployment",
    namespace="milvus",
    name="milvus-proxy",
    wanted=2,
    ready=2,
    rolled_out=True,
    image="milvus:v2.6.22",
)


def test_status_of_a_healthy_environment(account: Account) -> None:
    account.deployed().msk().eks()

    status = read_status(account.env, clients=account.client)

    assert status.healthy
    assert [stack.name for stack in status.stacks] == [f"milvus-test-{part}" for part in parts(account.env)]
    assert [(service.kind, service.state, service.detail) for service in status.services] == [
        ("MSK cluster", "ACTIVE", "Kafka 3.9.x.kraft, 3 x kafka.m7g.large"),
        ("EKS cluster", "ACTIVE", "Kubernetes 1.36, public endpoint"),
        ("node group", "ACTIVE", "3 x m7g.2xlarge"),
    ]
    assert status.workloads == (PROXY,)
    assert status.notes == ()


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"])
def test_stack_that_did_not_go_through_is_unhealthy(account: Account, state: str) -> None:
    account.deployed(states={"network": state}).msk().eks()

    status = read_status(account.env, clients=account.client)

    assert not status.healthy
    assert status.stacks[0].reason == "because [red]:secret:"
    assert status.stacks[0].busy is state.endswith("PROGRESS")


def test_stack_that_is_missing_is_unhealthy_and_the_rest_is_shown(account: Account) -> None:
    account.deployed(absent=("streaming", "eks", "milvus"))

    status = read_status(account.env, clients=account.client)

    assert not status.healthy
    assert [stack.state for stack in status.stacks][-3:] == ["NOT_DEPLOYED"] * 3
    assert status.services == ()


def test_stack_without_the_protection_that_the_settings_ask_for_is_unhealthy(account: Account) -> None:
    # GIVEN a file that asks for it, and stacks as a pipeline makes them, of which one was protected since
    account.env = env_with(("termination_protection", True))
    account.deployed(protected=("storage",)).msk().eks()

    status = read_status(account.env, clients=account.client)

    # THEN it fails, and says which, and what to do
    assert status.healthy is False
    lacking = ["milvus-test-network", "milvus-test-streaming", "milvus-test-eks"]
    assert [stack.name for stack in status.stacks if stack.unprotected] == lacking
    assert status.notes == (
        f"not protected against deletion, as termination_protection asks: {', '.join(lacking)}. Do "
        "`python -m ops protect` with the options of this command",
    )
    # AND the stack of Milvus is never among them: it is what gets replaced
    cells = list(stacks_table(status.stacks).columns[2].cells)
    assert [str(cell) for cell in cells] == ["no, but asked for", "yes", "no, but asked for", "no, but asked for", "no"]


def test_protected_stacks_are_healthy_also_where_nobody_asks_for_it(account: Account) -> None:
    account.deployed(protected=("eks",)).msk().eks()

    status = read_status(account.env, clients=account.client)

    assert (status.healthy, status.notes) == (True, ())
    cells = list(stacks_table(status.stacks).columns[2].cells)
    assert [str(cell) for cell in cells] == ["no", "no", "no", "yes, not asked for", "no"]


@pytest.mark.parametrize("wanted", [True, False])
def test_protect_gives_each_stack_what_the_settings_ask_for_and_leaves_milvus_alone(
    account: Account, wanted: bool
) -> None:
    # GIVEN stacks of which some are not as the file says, and one that is not there
    account.env = env_with(("termination_protection", wanted))
    account.deployed(absent=("streaming",), protected=("storage", "milvus") if wanted else ("network", "eks", "milvus"))
    cloudformation = account.stub("cloudformation")
    for part in ("network", "eks"):
        name = f"milvus-test-{part}"
        asked = {"StackName": name, "EnableTerminationProtection": wanted}
        cloudformation.add_response("update_termination_protection", {"StackId": name}, asked)
    # WHEN they are protected, or no longer
    changed = protect(account.env, client=account.client("cloudformation"))
    # THEN those alone are changed
    assert [(stack.name, stack.protected) for stack in changed] == [
        ("milvus-test-network", wanted),
        ("milvus-test-eks", wanted),
    ]
    cloudformation.assert_no_pending_responses()


def test_protect_command_says_what_it_changed(shipped: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped.env = env_with(("termination_protection", True))
    roles: list[Any] = []
    monkeypatch.setattr(aws, "session", lambda **asked: roles.append(asked))
    run = ["protect", "--env", "test", "--role", "deploy-ACCOUNT"]
    every = ("network", "storage", "streaming", "eks")

    def after(*protected: str) -> None:
        shipped.deployed(protected=protected)
        for part in every:
            if part not in protected:
                shipped.stub("cloudformation").add_response("update_termination_protection", {"StackId": part})

    after("network", "storage")
    said = CliRunner().invoke(app, run).stdout
    assert said.splitlines() == [
        "milvus-test-streaming: protected against deletion",
        "milvus-test-eks: protected against deletion",
    ]
    assert roles == [{"role": "deploy-ACCOUNT", "account": None, "region": "us-east-2"}]
    after("network", "storage", "streaming")
    assert json.loads(CliRunner().invoke(app, [*run, "--json"]).stdout) == {"milvus-test-eks": True}
    after(*every)
    said = CliRunner().invoke(app, run).stdout
    assert said == "nothing to do: each stack is protected, or not, as the file says\n"


def test_protect_refuses_an_environment_that_is_not_there(account: Account) -> None:
    account.deployed(absent=tuple(parts(account.env)))
    with pytest.raises(OpsError, match=r"^environment milvus-test is not deployed in us-east-2: there is no stack"):
        protect(account.env, client=account.client("cloudformation"))


def test_protection_of_a_stack_that_is_missing_is_nobodys_care(account: Account) -> None:
    account.env = env_with(("termination_protection", True))
    account.deployed(absent=tuple(parts(account.env)))

    status = read_status(account.env, clients=account.client)

    assert (status.healthy, status.notes) == (False, ())
    assert {str(cell) for cell in stacks_table(status.stacks).columns[2].cells} == {""}


@pytest.mark.parametrize(
    ("msk", "eks", "shown"),
    [
        ("CREATING", {}, ("MSK cluster", "CREATING", "Kafka 3.9.x.kraft, 3 x kafka.m7g.large")),
        ("ACTIVE", {"status": "UPDATING"}, ("EKS cluster", "UPDATING", "Kubernetes 1.36, public endpoint")),
        ("ACTIVE", {"group_state": "DEGRADED"}, ("node group", "DEGRADED", "3 x m7g.2xlarge, no capacity")),
    ],
)
def test_service_that_is_not_active_is_unhealthy_and_says_why(
    account: Account, msk: str, eks: dict[str, Any], shown: tuple[str, str, str]
) -> None:
    account.deployed().msk(msk).eks(**eks)

    status = read_status(account.env, clients=account.client)

    assert not status.healthy
    assert [(each.kind, each.state, each.detail) for each in status.services if not each.healthy] == [shown]


def test_workload_that_is_not_rolled_out_is_unhealthy(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN as many ready pods as wanted, but old ones: a roll that is stuck
    account.deployed().msk().eks()
    stuck = PROXY.model_copy(update={"rolled_out": False})
    monkeypatch.setattr(status_module, "read_workloads", lambda *_, **__: (stuck,))

    status = read_status(account.env, clients=account.client)

    assert not status.healthy
    # AND a person sees why 2 of 2 is not enough
    cells = list(workloads_table(status.workloads).columns[2].cells)
    assert [str(cell) for cell in cells] == ["2/2, some old"]


@pytest.mark.parametrize("left", [(), (PROXY.model_copy(update={"kind": "StatefulSet", "name": "milvus-etcd"}),)])
def test_release_that_is_gone_is_unhealthy(
    account: Account, monkeypatch: pytest.MonkeyPatch, left: tuple[Workload, ...]
) -> None:
    # GIVEN every stack and service in order, but no Deployment in the namespace
    account.deployed().msk().eks()
    monkeypatch.setattr(status_module, "read_workloads", lambda *_, **__: left)

    status = read_status(account.env, clients=account.client)

    assert not status.healthy
    assert "the stack of Milvus exists, but there is no Deployment" in status.notes[0]


def test_environment_without_milvus_yet_says_nothing_of_its_deployments(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.deployed(absent=("milvus",)).msk().eks()
    monkeypatch.setattr(status_module, "read_workloads", lambda *_, **__: ())

    status = read_status(account.env, clients=account.client)

    assert (status.healthy, status.notes) == (False, ())


def test_unreachable_kubernetes_is_a_note_and_no_failure(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.deployed().msk().eks(public=False)

    def refuse(*_: Any, **__: Any) -> None:
        raise KubernetesUnreachableError("the API cannot be reached", remedy="Go inside")

    monkeypatch.setattr(status_module, "read_workloads", refuse)

    status = read_status(account.env, clients=account.client)

    assert status.healthy
    assert status.notes == ("no deployments: the API cannot be reached. Go inside",)


def test_service_that_may_not_be_read_is_a_note_and_unhealthy(account: Account) -> None:
    account.deployed()
    account.stub("kafka").add_client_error("describe_cluster_v2", "AccessDeniedException", "not you")
    account.stub("eks").add_client_error("describe_cluster", "ResourceNotFoundException", "No cluster found")

    status = read_status(account.env, clients=account.client)

    assert not status.healthy
    assert status.notes == (
        "cannot read the MSK cluster milvus-test: not you. Use a role that may read it",
        "the EKS cluster milvus-test does not exist (No cluster found). Check the name, the account and the region",
    )


def test_cluster_without_its_authority_is_a_note(account: Account) -> None:
    account.deployed().msk().eks(certificateAuthority={"data": "?"})

    assert "has no readable certificate authority" in read_status(account.env, clients=account.client).notes[0]


def test_woodpecker_environment_has_no_streaming_stack() -> None:
    env = env_with(("queue.kind", "woodpecker"), ("milvus.line", "3.0"))
    account = Account(env).deployed()

    names = [stack.name for stack in read_stacks(env, client=account.client("cloudformation"))]

    assert "milvus-test-streaming" not in names


def test_endpoints_come_from_the_outputs(account: Account) -> None:
    account.deployed()

    found = {each.key: each for each in read_endpoints(account.env, client=account.client("cloudformation"))}

    assert found["MilvusUri"].value == "https://nlb.test:19530"
    assert found["KubeconfigCommand"].value == "aws eks update-kubeconfig --name milvus-test"
    assert found["RootSecretArn"].value == ROOT_SECRET
    assert found["KafkaSecretArn"].value == "arn:kafka-secret"
    assert found["AttuEndpoint"].value is None
    assert found["AttuEndpoint"].why_absent == "off (milvus.attu.exposure)"


def test_endpoints_that_are_absent_say_why() -> None:
    env = env_with(("queue.kind", "woodpecker"), ("milvus.line", "3.0"))
    account = Account(env).deployed(absent=("milvus",))

    found = {each.key: each.why_absent for each in read_endpoints(env, client=account.client("cloudformation"))}

    assert found["KafkaSecretArn"] == "the queue is woodpecker"
    assert found["MilvusUri"] == "its stack is not deployed"


def test_endpoints_of_an_environment_that_is_not_deployed_are_an_error(account: Account) -> None:
    account.deployed(absent=tuple(parts(account.env)))

    with pytest.raises(OpsError, match="environment milvus-test is not deployed in us-east-2: there is no stack"):
        read_endpoints(account.env, client=account.client("cloudformation"))


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, account: Account) -> Account:
    """The account behind the commands."""
    monkeypatch.setattr("ops.environments.environment", lambda _name, **_: account.env)
    monkeypatch.setattr(aws, "client", lambda service, **_: account.client(service))
    return account


def test_smoke_finds_address_and_secret(shipped: Account) -> None:
    shipped.deployed()

    assert address_and_secret(shipped.env) == ("https://nlb.test:19530", ROOT_SECRET)


def test_smoke_of_an_environment_without_milvus_is_an_error(shipped: Account) -> None:
    shipped.deployed(absent=("milvus",))

    with pytest.raises(OpsError, match="environment milvus-test has no Milvus yet: no stack has the output MilvusUri"):
        address_and_secret(shipped.env)


def test_status_command_prints_tables(shipped: Account) -> None:
    shipped.deployed().msk().eks()

    result = CliRunner().invoke(app, ["status", "--env", "test"], env={"COLUMNS": "200"})

    assert result.exit_code == 0
    for text in ("milvus-test-network", "CREATE_COMPLETE", "2026-11-23 15:30", "MSK cluster", "Kubernetes 1.36"):
        assert text in result.stdout
    assert "because [red]:secret:" in result.stdout
    assert "Deployments (namespace milvus)" in result.stdout
    assert "2/2" in result.stdout
    assert result.stderr == ""


def test_status_command_fails_when_something_is_missing(shipped: Account) -> None:
    shipped.deployed(absent=("eks",)).msk()

    result = CliRunner().invoke(app, ["status", "--env", "test", "--json"])

    state = json.loads(result.stdout)
    assert result.exit_code == 1
    assert state["healthy"] is False
    assert state["stacks"][0]["outputs"] == {}
    assert state["stacks"][0]["updated"] == "2026-11-23T15:30:00Z"


def test_status_command_fails_where_protection_is_missing(shipped: Account) -> None:
    shipped.env = env_with(("termination_protection", True))
    shipped.deployed().msk().eks()

    result = CliRunner().invoke(app, ["status", "--env", "test"], env={"COLUMNS": "200"})

    assert result.exit_code == 1
    assert "no, but asked for" in result.stdout
    assert "Do `python -m ops protect` with the options of this command" in result.stderr


def test_endpoints_command_prints_a_table_and_json(shipped: Account) -> None:
    table = (
        CliRunner().invoke(app, ["endpoints", "--env", "test"], env={"COLUMNS": "200"}) if shipped.deployed() else None
    )
    shipped.deployed()
    as_json = CliRunner().invoke(app, ["endpoints", "--env", "test", "--json"])

    assert table is not None
    assert table.exit_code == as_json.exit_code == 0
    assert "https://nlb.test:19530" in table.stdout
    assert "- off (milvus.attu.exposure)" in table.stdout
    assert ROOT_SECRET in table.stdout
    assert json.loads(as_json.stdout)["RootSecretArn"] == ROOT_SECRET
    assert json.loads(as_json.stdout)["MilvusEndpoint"] == "nlb.test:19530"


def test_unknown_environment_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(OpsError, match=r"--env: got 'prd'.*did you mean prod") as raised:
        environment("prd")

    assert raised.value.code == 2


def test_environment_is_found_by_its_file_wherever_that_is(tmp_path: Path) -> None:
    file = tmp_path / "far away.yaml"
    file.write_text((loader.ENVIRONMENTS / "dev.yaml").read_text())

    assert environment(file=file).name == "milvus-dev"
    with pytest.raises(OpsError, match=r"--env: got dev and --env-file, allowed is one of them"):
        environment("dev", file=file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "file: cannot be read: No such file or directory; give another path"),
        ("name: milvus-dev\nregion: 7\n", "region: must be a valid string, got 7"),
    ],
)
def test_unusable_file_is_an_error_that_says_why(tmp_path: Path, text: str | None, says: str) -> None:
    file = tmp_path / "mine.yaml"
    if text is not None:
        file.write_text(text)

    with pytest.raises(OpsError, match=re.escape(says)) as raised:
        environment(file=file)
    assert str(raised.value).startswith(f"--env-file: got '{file}', allowed is a valid settings file.")
    assert raised.value.code == 2


def test_environment_of_an_installation_without_settings_files_says_where_it_looked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(loader, "ENVIRONMENTS", tmp_path)

    with pytest.raises(OpsError, match=f"no environment prod; {tmp_path} holds no settings file"):
        environment("prod")


def test_environment_may_be_in_another_region_than_its_file_says() -> None:
    assert environment("dev", region="eu-central-1").region == "eu-central-1"
    with pytest.raises(OpsError, match="--region: got 'nowhere', allowed is an AWS region such as eu-central-1"):
        environment("dev", region="nowhere")


def test_environment_past_its_support_can_still_be_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILVUS_TODAY", "2040-01-01")

    with pytest.raises(SettingsError, match="out of support"):
        load_environment("dev")
    assert environment("dev").name == "milvus-dev"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("ExpiredToken", "the credentials have expired. Log in again"),
        ("InvalidClientTokenId", "AWS does not accept the credentials. Check AWS_PROFILE"),
        ("AccessDenied", "cannot read the stack milvus-test-network: message. Use a role that may read it"),
        ("Throttling", "cannot read the stack milvus-test-network: Throttling: message"),
    ],
)
def test_error_of_aws_says_what_to_do(account: Account, code: str, says: str) -> None:
    account.stub("cloudformation").add_client_error("describe_stacks", code, "message")

    with pytest.raises(OpsError) as raised:
        read_stacks(account.env, client=account.client("cloudformation"))

    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (exceptions.NoCredentialsError, "Unable to locate credentials. Log in"),
        (lambda: exceptions.ProfileNotFound(profile="x"), r"profile \(x\) could not be found. Log in"),
        (exceptions.NoRegionError, "no region is set. Set AWS_REGION"),
        (lambda: exceptions.EndpointConnectionError(endpoint_url="http://x"), "Check the network and AWS_ENDPOINT_URL"),
        (lambda: exceptions.InvalidConfigError(error_msg="bad"), "bad. Check the AWS configuration"),
    ],
)
def test_error_of_boto3_says_what_to_do(make: Callable[[], Exception], says: str) -> None:
    with pytest.raises(OpsError, match=f"cannot read it: .*{says}"), aws.reading("it"):
        raise make()


@pytest.mark.parametrize("command", ["status", "endpoints", "smoke"])
def test_endpoint_that_is_no_address_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")

    result = CliRunner().invoke(app, [command, "--env", "dev"])

    assert result.exit_code == 2
    assert "AWS_ENDPOINT_URL: got 'nonsense', allowed is an address such as" in result.stderr
    assert "Correct or unset it" in result.stderr


def test_stack_that_cloudformation_lists_as_nothing_is_not_deployed(account: Account) -> None:
    for _ in parts(account.env):
        account.stub("cloudformation").add_response("describe_stacks", {"Stacks": []})

    assert {stack.state for stack in read_stacks(account.env, client=account.client("cloudformation"))} == {
        "NOT_DEPLOYED"
    }


def test_status_command_says_what_it_could_not_read(shipped: Account) -> None:
    # GIVEN stacks that exist, of which the services may not be read
    shipped.deployed().stub("kafka").add_client_error("describe_cluster_v2", "AccessDenied", "not you")
    shipped.stub("eks").add_client_error("describe_cluster", "AccessDenied", "nor you")

    result = CliRunner().invoke(app, ["status", "--env", "test"], env={"COLUMNS": "200"})

    # THEN the stacks are shown, the rest is a note, and nothing is called healthy
    assert result.exit_code == 1
    assert "Stacks" in result.stdout
    assert "Services" not in result.stdout
    assert "Deployments" not in result.stdout
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "note  cannot read the MSK cluster milvus-test",
        "note  cannot read the EKS cluster milvus-test",
    ]


def test_environment_whose_milvus_demands_no_login_has_no_secret_of_root() -> None:
    env = env_with(("milvus.authorization", False), ("milvus.acknowledge", ["CVE-2026-26190"]))
    account = Account(env).deployed(absent=("milvus",))

    found = {each.key: each.why_absent for each in read_endpoints(env, client=account.client("cloudformation"))}

    assert found["RootSecretArn"] == "Milvus demands no login (milvus.authorization)"
    assert found["MilvusUri"] == "its stack is not deployed"
