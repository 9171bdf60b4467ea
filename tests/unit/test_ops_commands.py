"""What each command hands on of its options, with those of another value than the default, and what it is doing."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from ops import aws
from ops.cli import app
from ops.console import working
from ops.environments import environment
from ops.errors import OpsError
from ops.program import NAME
from settings import Environment, loader

STOPPED = "stopped here"
DEV = loader.ENVIRONMENTS / "dev.yaml"


def run(*arguments: str | Path, **variables: str) -> Any:
    return CliRunner(env={"COLUMNS": "200", **variables}).invoke(app, [*map(str, arguments)])


def stop(*_: Any, **__: Any) -> Any:
    raise OpsError(STOPPED, remedy="")


class Asked:
    """Something that is called, and goes no further."""

    def __init__(self) -> None:
        self.with_: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.with_ = arguments, options
        stop()


# -- which environment

OF_AN_ENVIRONMENT = (
    "doctor",
    "plan",
    "status",
    "endpoints",
    "rebalance",
    "protect",
    "destroy",
    "smoke",
    "root-password",
)


@pytest.mark.parametrize("command", OF_AN_ENVIRONMENT)
@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (("--env", "prod"), (("prod",), {"file": None, "region": None})),
        (("--env-file", "a.yaml"), ((None,), {"file": Path("a.yaml"), "region": None})),
        (("--env", "dev", "--region", "eu-west-1"), (("dev",), {"file": None, "region": "eu-west-1"})),
    ],
)
def test_command_is_about_the_environment_that_its_options_name(
    monkeypatch: pytest.MonkeyPatch, command: str, options: tuple[str, ...], asked: Any
) -> None:
    environment = Asked()
    monkeypatch.setattr("ops.environments.environment", environment)

    result = run(command, *options)

    assert (result.exit_code, result.stderr) == (1, f"error {STOPPED}\n")
    assert environment.with_ == asked


@pytest.mark.parametrize("command", ["smoke", "root-password"])
def test_command_goes_on_with_the_settings_of_that_environment(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    address = Asked()
    monkeypatch.setattr("ops.milvus.address.address_and_secret", address)

    run(command, "--env", "dev", "--region", "eu-west-1")

    ((settings,), options) = address.with_
    assert (settings.name, settings.region, options) == ("milvus-dev", "eu-west-1", {})


# -- what is going on, and where


class Calls:
    """Sessions and clients that are asked for; a client is only its name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sessions: list[dict[str, Any]] = []
        self.clients: list[tuple[str, dict[str, Any]]] = []
        monkeypatch.setattr(aws, "session", self.session)
        monkeypatch.setattr(aws, "client", self.client)

    def session(self, **options: Any) -> str:
        self.sessions.append(options)
        return "the session"

    def client(self, service: str, **options: Any) -> str:
        self.clients.append((service, options))
        return service


@pytest.mark.parametrize(
    ("command", "module", "work", "text"),
    [
        ("doctor", "doctor", "ops.doctor.run.examine", "Looking whether eu-west-1 takes milvus-dev"),
        ("plan", "plan", "ops.plan.read_deployed", "Reading milvus-dev in eu-west-1"),
        ("status", "status", "ops.status.read_status", "Reading milvus-dev in eu-west-1"),
        ("endpoints", "endpoints", "ops.endpoints.read_endpoints", "Reading the stacks of milvus-dev in eu-west-1"),
        ("rebalance", "rebalance", "ops.rebalance.read_login", "Reading the stacks of milvus-dev in eu-west-1"),
        ("protect", "protect", "ops.protection.protect", "Reading the stacks of milvus-dev in eu-west-1"),
        ("destroy", "destroy", "ops.destroy.look", "Reading milvus-dev in eu-west-1"),
    ],
)
def test_command_says_what_it_reads_and_reads_the_named_environment(
    monkeypatch: pytest.MonkeyPatch, command: str, module: str, work: str, text: str
) -> None:
    # GIVEN a command whose work ends at once
    Calls(monkeypatch)
    said: list[str] = []

    @contextlib.contextmanager
    def working(what: str) -> Iterator[None]:
        said.append(what)
        yield

    asked = Asked()
    monkeypatch.setattr(f"ops.commands.{module}.working", working)
    monkeypatch.setattr(work, asked)

    # WHEN it is called
    result = run(command, "--env", "dev", "--region", "eu-west-1")

    # THEN it says what it does, and does it to this environment
    assert (result.exit_code, said) == (1, [text])
    settings: Environment = asked.with_[0][0]
    assert (settings.name, settings.region) == ("milvus-dev", "eu-west-1")


@pytest.mark.parametrize(
    ("module", "arguments", "work", "text"),
    [
        ("ops.commands.cost", ("cost",), "ops.cost.report.bills_of", "looking at the templates"),
        ("ops.commands.smoke", ("smoke",), "ops.commands.smoke.run_smoke", "starting"),
        ("ops.cost.refresh", ("cost", "--refresh"), "ops.cost.refresh.refresh", "asking AWS for prices"),
        (
            "ops.commands.size",
            ("size", "--vectors", "1M", "--dim", "8", "--html", "a.html"),
            "ops.size.page.curves",
            "counting other indexes and numbers of vectors",
        ),
        (
            "ops.commands.size",
            ("size", "--vectors", "1M", "--dim", "8", "--write", "a.yaml"),
            "ops.size.file.whole_bill",
            "looking at its templates",
        ),
    ],
)
def test_command_says_what_takes_its_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, module: str, arguments: tuple[str, ...], work: str, text: str
) -> None:
    said: list[str] = []

    @contextlib.contextmanager
    def working(what: str) -> Iterator[None]:
        said.append(what)
        yield

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(aws, "session", lambda **_: SimpleNamespace(region_name=None))
    monkeypatch.setattr(aws, "client", lambda *_, **__: None)
    monkeypatch.setattr(f"{module}.working", working)
    monkeypatch.setattr("ops.size.file.write", lambda *_: None)
    monkeypatch.setattr(work, stop)

    assert (run(*arguments).exit_code, said) == (1, [text])


@pytest.mark.parametrize(
    ("command", "work"), [("plan", "ops.plan.read_deployed"), ("protect", "ops.protection.protect")]
)
def test_command_of_a_pipeline_reads_stacks_with_the_named_role(
    monkeypatch: pytest.MonkeyPatch, command: str, work: str
) -> None:
    calls, asked = Calls(monkeypatch), Asked()
    monkeypatch.setattr(work, asked)

    run(command, "--env", "dev", "--region", "eu-west-1", "--role", "r", "--account", "111122223333")

    assert calls.sessions == [{"role": "r", "account": "111122223333", "region": "eu-west-1"}]
    assert calls.clients == [("cloudformation", {"region": "eu-west-1", "session": "the session"})]
    assert asked.with_[1] == {"client": "cloudformation"}


def test_gate_reads_the_named_change_set_with_the_named_role(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, asked = Calls(monkeypatch), Asked()
    monkeypatch.setattr("ops.gate.reading.read_change_set", asked)
    where = ("--region", "eu-west-1", "--role", "r", "--account", "111122223333")

    run("gate", "--stack", "s", "--change-set-name", "c", *where)

    assert calls.sessions == [{"role": "r", "account": "111122223333", "region": "eu-west-1"}]
    assert calls.clients == [("cloudformation", {"region": "eu-west-1", "session": "the session"})]
    assert asked.with_ == (("cloudformation",), {"stack": "s", "name": "c"})


def test_verification_asks_each_service_with_the_named_role(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, asked = Calls(monkeypatch), Asked()
    monkeypatch.setattr("ops.verification.run_verification", asked)
    names = ("--project", "p", "--region", "eu-west-1", "--pipeline", "x", "--stage", "y")

    run("verify", *names, "--role", "r", "--account", "111122223333")

    ((client,), options) = asked.with_
    assert options["project"] == "p"
    assert client("logs") == "logs"
    assert calls.sessions == [{"role": "r", "account": "111122223333", "region": "eu-west-1"}]
    assert calls.clients == [("logs", {"region": "eu-west-1", "session": "the session"})]


@pytest.mark.parametrize(
    ("variables", "region", "commit"), [({}, "eu-west-1", "COMMIT"), ({"AWS_REGION": "a"}, "a", "b")]
)
def test_failed_verification_says_how_to_go_back_where_the_pipeline_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str, commit: str
) -> None:
    asked = Asked()
    for name in ("AWS_REGION", "CODEBUILD_RESOLVED_SOURCE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    more = {"CODEBUILD_RESOLVED_SOURCE_VERSION": commit} if variables else {}
    monkeypatch.setattr("ops.verification.run_verification", lambda *_, **__: False)
    monkeypatch.setattr("ops.verification.roll_back_text", asked)

    run("verify", "--project", "p", "--region", "eu-west-1", "--pipeline", "x", "--stage", "y", **variables, **more)

    assert asked.with_[1] == {
        "project": "p",
        "pipeline": "x",
        "stage": "y",
        "region": region,
        "commit": commit if variables else None,
    }


@pytest.mark.parametrize(
    ("options", "file", "qualifier"),
    [
        ((), "dev", "hnb659fds"),
        (("--env", "prod", "--qualifier", "mine"), "prod", "mine"),
        (("--env-file", str(loader.ENVIRONMENTS / "prod.yaml")), None, "hnb659fds"),
    ],
)
def test_doctor_looks_with_the_qualifier_for_the_file_of_the_pipeline(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], file: str | None, qualifier: str
) -> None:
    calls, asked = Calls(monkeypatch), Asked()
    monkeypatch.setattr("ops.doctor.run.examine", asked)

    run("doctor", *options, "--region", "eu-west-1")

    given = asked.with_[1]
    assert (given["file"], given["qualifier"]) == (file, qualifier)
    assert given["clients"]("kafka") == "kafka"
    assert calls.clients == [("kafka", {"region": "eu-west-1"})]


# -- doctor, protect, rebalance: what is shown


@pytest.mark.parametrize(("verdict", "code", "colour"), [("blocks", 1, "1;31"), ("ok", 0, "32")])
def test_summary_of_doctor_is_red_where_something_blocks(
    monkeypatch: pytest.MonkeyPatch, verdict: str, code: int, colour: str
) -> None:
    from ops.doctor.findings import Finding, Report, Verdict

    finding = Finding(check="zones", verdict=Verdict(verdict), what="w" * 10)
    report = Report(environment="mine", region="eu-west-1", account="", findings=(finding,))
    monkeypatch.setattr("ops.doctor.run.examine", lambda *_, **__: report)

    result = run("doctor", FORCE_COLOR="1", TERM="xterm", COLUMNS="20")

    assert result.exit_code == code
    assert result.stdout.splitlines()[-1] == f"\x1b[{colour}m{report.summary}\x1b[0m"
    as_json = run("doctor", "--json")
    assert json.loads(as_json.stdout) == {**report.model_dump(mode="json"), "blocks": verdict == "blocks"}


def test_protect_says_what_it_changed_of_each_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    from ops.stacks import Stack

    changed = [Stack(name="one", state="CREATE_COMPLETE", protected=True), Stack(name="two", state="CREATE_COMPLETE")]
    Calls(monkeypatch)
    monkeypatch.setattr("ops.protection.protect", lambda *_, **__: changed)

    assert run("protect").stdout == ("one: protected against deletion\ntwo: no longer protected against deletion\n")
    assert json.loads(run("protect", "--json").stdout) == {"one": True, "two": False}
    changed.clear()
    assert run("protect").stdout == "nothing to do: each stack is protected, or not, as the file says\n"
    assert run("protect", "--json").stdout == "{}\n"


class Moved:
    """A cluster of two brokers and one partition to move; what it is asked is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, balanced: bool = False) -> None:
        from ops import rebalance
        from ops.rebalance.login import Login

        self.partitions_ = [rebalance.Partition("t", 7, (1, 2))]
        self.planned = () if balanced else (rebalance.Move(self.partitions_[0], (3, 2)),)
        self.connected: Any = None
        self.moved: Any = None
        login = Login(bootstrap="b:9096", username="u", password="p")
        monkeypatch.setattr(rebalance, "read_login", lambda _: login)
        monkeypatch.setattr(rebalance, "connect", self.connect)
        monkeypatch.setattr(rebalance, "moves", self.moves)
        monkeypatch.setattr(rebalance, "rebalance", self.rebalance)

    @contextlib.contextmanager
    def connect(self, bootstrap: str, **options: Any) -> Iterator[Moved]:
        self.connected = (bootstrap, options)
        yield self

    def zones(self) -> dict[int, str]:
        return {1: "a", 2: "b", 3: "a"}

    def partitions(self) -> Any:
        return self.partitions_

    def moves(self, partitions: Any, zones: Any) -> Any:
        assert (partitions, zones) == (self.partitions_, self.zones())
        return self.planned

    def rebalance(self, brokers: Any, planned: Any, *, progress: Any, **options: Any) -> None:
        progress(1, 1)
        self.moved = (brokers, planned, options)


def test_rebalance_connects_as_its_login_says_and_moves_as_its_options_say(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Moved(monkeypatch)

    shown = run("rebalance", "--ca", "a.pem")
    assert cluster.connected == ("b:9096", {"username": "u", "password": "p", "authority": Path("a.pem")})
    assert (cluster.moved, shown.stderr) == (None, "note  nothing was moved: add --yes\n")
    # AND with --yes it moves, by default 5 at once and 20 MiB a second
    done = run("rebalance", "--yes")
    assert cluster.moved == (cluster, cluster.planned, {"mib_per_second": 20, "at_once": 5})
    assert done.stdout.splitlines()[-1] == "1 partitions moved"
    run("rebalance", "--yes", "--throttle", "10000", "--at-once", "100")
    assert cluster.moved[2] == {"mib_per_second": 10000, "at_once": 100}
    run("rebalance", "--yes", "--throttle", "1", "--at-once", "1")
    assert cluster.moved[2] == {"mib_per_second": 1, "at_once": 1}


def test_rebalance_shows_on_standard_error_how_far_it_is_and_leaves_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    class Bar:
        def __init__(self, *, console: Any, transient: bool) -> None:
            told.append((console.stderr, transient))

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            told.append("gone")

        def add_task(self, what: str, *, total: int) -> int:
            told.append((what, total))
            return 7

        def update(self, task: int, *, completed: int) -> None:
            told.append((task, completed))

    Moved(monkeypatch)
    monkeypatch.setattr("ops.commands.rebalance.Progress", Bar)

    run("rebalance", "--yes")

    assert told == [(True, True), ("moving", 1), (7, 1), "gone"]


def test_rebalance_as_json_is_the_moves_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    Moved(monkeypatch)

    for options in ((), ("--yes",)):
        assert json.loads(run("rebalance", "--json", *options).stdout) == [
            {"topic": "t", "partition": 7, "from": [1, 2], "to": [3, 2]}
        ]


def test_rebalance_of_what_is_balanced_says_so_and_takes_away_a_throttle_that_was_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Moved(monkeypatch, balanced=True)
    said = "3 brokers, nothing to move: they differ by one partition at most\n"

    shown = run("rebalance")
    assert (shown.stdout, shown.stderr, cluster.moved) == (said, "", None)
    done = run("rebalance", "--yes")
    assert (done.stdout, done.stderr.strip()) == (said, "")
    assert cluster.moved == (cluster, (), {"mib_per_second": 20, "at_once": 5})
    assert run("rebalance", "--json").stdout == "[]\n"


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        (("--throttle", "0"), "--throttle: got 0, allowed is 1 to 10000"),
        (("--throttle", "10001"), "--throttle: got 10001, allowed is 1 to 10000"),
        (("--at-once", "0"), "--at-once: got 0, allowed is 1 to 100"),
        (("--at-once", "101"), "--at-once: got 101, allowed is 1 to 100"),
    ],
)
def test_rebalance_refuses_what_is_out_of_range(options: tuple[str, ...], allowed: str) -> None:
    result = run("rebalance", *options)

    assert (result.exit_code, result.stderr) == (2, f"error {allowed}\n   do Choose a value in that range\n")


# -- size, smoke, root-password: every option


SIZES: dict[str, tuple[Any, str, Any]] = {
    # field: what it is without the option, the option with another value, and what it is then
    "scalar_bytes": (0, "--scalar-bytes=64", 64),
    "segment_mib": (1024, "--segment-mib=2048", 2048),
    "growth": (0, "--growth=20", 20),
    "headroom": (0, "--headroom=10", 10),
    "copies": (1, "--copies=2", 2),
    "survive": ("zone", "--survive=node", "node"),
    "cores_per_gib": (0.25, "--cores-per-gib=0.5", 0.5),
    "qps": (None, "--qps=100", 100.0),
    "qps_per_core": (50, "--qps-per-core=70", 70.0),
    "queue": ("msk", "--queue=woodpecker", "woodpecker"),
    "broker_type": ("kafka.m7g.large", "--broker-type=kafka.m7g.xlarge", "kafka.m7g.xlarge"),
    "rows_per_second": (50, "--rows-per-second=70", 70.0),
    "line": ("2.6", "--line=3.0", "3.0"),
    "region": ("us-east-2", "--region=eu-west-1", "eu-west-1"),
    "generation": (7, "--generation=6", 6),
    "spot": (False, "--spot", True),
    "term": ("on-demand", "--term=1-year", "1-year"),
}


def test_size_hands_every_option_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    monkeypatch.setattr("ops.size.plan.plan_for", asked)
    given = ("--vectors", "10M", "--dim", "768", "--index", "HNSW")

    run("size", *given)
    plain = asked.with_[0][0]
    run("size", *given, "--param", "M=16", *(option for _, option, _ in SIZES.values()))
    full = asked.with_[0][0]

    for work in (plain, full):
        assert (work.vectors, work.dim, work.index.name) == (10_000_000, 768, "HNSW")
    assert full.parameters["M"] == 16
    assert {name: getattr(plain, name) for name in SIZES} == {name: each[0] for name, each in SIZES.items()}
    assert {name: getattr(full, name) for name in SIZES} == {name: each[2] for name, each in SIZES.items()}


def test_smoke_hands_every_option_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, target = Asked(), Asked()
    monkeypatch.setattr("ops.commands.smoke.run_smoke", asked)
    monkeypatch.delenv("MILVUS_TOKEN", raising=False)

    run("smoke")
    given = asked.with_[1]
    assert (given["rows"], given["timeout"], given["connect_timeout"]) == (3000, 60, 10)
    assert (given["target"].uri, given["target"].token) == (None, None)
    run("smoke", "--rows", "7", "--timeout", "8", "--connect-timeout", "9")
    given = asked.with_[1]
    assert (given["rows"], given["timeout"], given["connect_timeout"]) == (7, 8, 9)
    # AND of the connection, too
    monkeypatch.setattr("ops.commands.smoke.parse_target", target)
    run("smoke", "--uri", "u", "--token", "a:b", "--no-tls", "--ca", "c", "--server-name", "s")
    assert target.with_ == (
        (),
        {"uri": "u", "token": "a:b", "tls": False, "ca": Path("c"), "server_name": "s"},
    )
    run("smoke", "--uri", "u")
    assert target.with_[1] == {"uri": "u", "token": None, "tls": None, "ca": None, "server_name": None}


def test_root_password_hands_every_option_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, target = Asked(), Asked()
    monkeypatch.setattr("ops.commands.root_password.set_root_password", asked)

    run("root-password", "--uri", "http://h:1", "--secret-arn", "arn")
    given = asked.with_[1]
    assert {**given, "target": str(given["target"])} == {
        "target": "http://h:1",
        "secret": "arn",
        "given": None,
        "timeout": 10,
    }
    options = ("--timeout", "9", "--old-password-env", "OLD")
    run("root-password", "--uri", "http://h:1", "--secret-arn", "arn", *options, OLD="old")
    assert (asked.with_[1]["given"], asked.with_[1]["timeout"]) == ("old", 9)
    monkeypatch.setattr("ops.commands.root_password.parse_target", target)
    run("root-password", "--uri", "u", "--no-tls", "--ca", "c", "--server-name", "s")
    assert target.with_ == ((), {"uri": "u", "tls": False, "ca": Path("c"), "server_name": "s"})


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ("smoke", "--uri", "h", "--token", "a", "--token-env", "B"),
            ["error the login: got --token and --token-env, allowed is one of them", "   do Drop all but one"],
        ),
        (
            ("smoke", "--token-env", "NO_SUCH"),
            [
                "error --token-env: got NO_SUCH, which is not set, allowed is the name of a variable that holds "
                "user:password",
                "   do Set NO_SUCH, or drop the option",
            ],
        ),
        (
            ("smoke", "--region", "eu-west-1"),
            [
                "error --region: got eu-west-1, allowed is with --env or --env-file",
                "   do Add one, or drop it",
            ],
        ),
        (
            ("smoke", "--uri", "h", "--env", "dev"),
            ["error --env: got dev and --uri, allowed is one of them", "   do Drop one"],
        ),
        (
            ("smoke", "--uri", "h", "--env-file", "f"),
            ["error --env-file: got f and --uri, allowed is one of them", "   do Drop one"],
        ),
        (
            ("root-password",),
            [
                "error --uri: got neither --uri nor --env, allowed is http(s)://HOST:19530, or --env NAME",
                "   do Say which Milvus; Milvus Lite has no users",
            ],
        ),
        (
            ("root-password", "--uri", "http://h:1"),
            [
                "error --secret-arn: got nothing, allowed is the ARN of root's secret",
                f"   do `{NAME} endpoints --env NAME` shows it as RootSecretArn",
            ],
        ),
        (
            ("root-password", "--uri", "http://h:1", "--secret-arn", "arn", "--old-password-env", "NO_SUCH"),
            [
                "error --old-password-env: got NO_SUCH, which is not set, allowed is the name of a variable that "
                "holds root's password",
                "   do Set NO_SUCH, or drop the option",
            ],
        ),
        (
            ("size", "--vectors", "1M", "--dim", "8", "--param", "M"),
            ["error --param: got M, allowed is NAME=VALUE", "   do Give --param M=16"],
        ),
        (
            ("gate",),
            [
                "error the change set: got nothing, allowed is --change-set FILE, or --stack NAME with "
                "--change-set-name NAME",
                "   do Give one of the two",
            ],
        ),
        (
            ("gate", "--change-set", "f", "--stack", "s", "--change-set-name", "c"),
            [
                "error the change set: got --change-set and --stack and --change-set-name, allowed is "
                "--change-set FILE, or --stack NAME with --change-set-name NAME",
                "   do Give one of the two",
            ],
        ),
        (
            ("gate", "--stack", "s"),
            [
                "error the change set: got --stack, allowed is --change-set FILE, or --stack NAME with "
                "--change-set-name NAME",
                "   do Give one of the two",
            ],
        ),
        (
            ("gate", "--change-set", "no/such"),
            [
                "error --change-set: got 'no/such' (No such file or directory), allowed is a readable file or -",
                "   do Check it",
            ],
        ),
        (
            ("destroy", "--confirm", "other"),
            [
                "error --confirm: got 'other', allowed is 'milvus-dev', the name in the file",
                "   do Look again which environment you mean",
            ],
        ),
        (
            ("destroy", "--confirm", "milvus-dev", "--data", "x"),
            ["error --data: got it without --leftovers, allowed is both", "   do Add --leftovers, or drop --data"],
        ),
        (
            ("status", "--env", "dev", "--env-file", "f"),
            ["error --env: got dev and --env-file, allowed is one of them", "   do Drop one"],
        ),
        (
            ("status", "--region", "eu-west"),
            ["error --region: got 'eu-west', allowed is an AWS region such as eu-central-1", "   do Correct it"],
        ),
        (
            ("cost", "--refresh", "--assembly", "d"),
            ["error --refresh: got it and --assembly, allowed is one of them", "   do Refresh first, then ask"],
        ),
        (
            ("cost", "--refresh", "--diff", "d"),
            ["error --refresh: got it and --diff, allowed is one of them", "   do Refresh first, then ask"],
        ),
        (
            ("cost", "--refresh", "--html", "d"),
            ["error --refresh: got it and --html, allowed is one of them", "   do Refresh first, then ask"],
        ),
        (
            ("cost", "--region", "eu-west-1"),
            [
                "error --region: got it without --refresh, allowed is --refresh --region NAME",
                "   do Drop it: an environment's region stands in its file",
            ],
        ),
        (
            ("cost", "--markdown", "--json", "--diff", "d"),
            ["error --markdown: got it and --json, allowed is one of them", "   do Drop one"],
        ),
    ],
)
def test_options_that_contradict_one_another_are_one_error(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], lines: list[str]
) -> None:
    # GIVEN work that would end with another error, if it were begun
    for work in (
        "ops.cost.report.bills_of",
        "ops.cost.refresh.refresh_table",
        "ops.destroy.look",
        "ops.size.plan.plan_for",
    ):
        monkeypatch.setattr(work, stop)
    monkeypatch.setattr("ops.commands.smoke.run_smoke", stop)
    monkeypatch.setattr("ops.commands.root_password.set_root_password", stop)

    result = run(*arguments)

    assert (result.exit_code, result.stderr.splitlines()) == (2, lines)


# -- destroy


class Destroyed:
    """An environment with one stack and one log group that stays; what is asked of it is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from ops import destroy
        from ops.destroy.items import Item, Kind, Plan, Stands, Stays

        self.calls = Calls(monkeypatch)
        self.item = Item(kind=Kind.LOG_GROUP, id="/a", stays=Stays.KEPT)
        stack = Stands(name="mine-eks", id="arn", state="CREATE_COMPLETE", protected=False, goes={}, stays=())
        self.plan = Plan(
            environment="mine", region="eu-west-1", account="1", stacks=(stack,), left=(self.item,), notes=("odd",)
        )
        self.outcome = destroy.Outcome(deleted=("mine-eks",), removed=(), left=(self.item,), notes=("done",))
        self.worked: Any = None
        monkeypatch.setattr(destroy, "look", self.look)
        monkeypatch.setattr(destroy, "work", self.work)

    def look(self, settings: Environment, *, clients: Any) -> Any:
        assert clients("eks") == "eks"
        assert self.calls.clients[-1] == ("eks", {"region": settings.region})
        return self.plan

    def work(self, settings: Environment, plan: Any, *, clients: Any, say: Any, **options: Any) -> Any:
        assert (settings.name, plan, clients("s3")) == ("milvus-dev", self.plan, "s3")
        say("deletes [mine] now")
        self.worked = options
        return self.outcome


def test_destroy_shows_what_would_go_and_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Destroyed(monkeypatch)

    shown = run("destroy", "--env", "dev")
    assert (shown.exit_code, shown.stderr) == (0, "note  odd\nnote  nothing was touched: add --confirm milvus-dev\n")
    assert "Goes, in this order (eu-west-1)" in shown.stdout
    as_json = run("destroy", "--env", "dev", "--json")
    assert json.loads(as_json.stdout) == {**there.plan.model_dump(mode="json"), "deleted": [], "removed": []}
    # AND where no stack is left, what is left is removed by another option, and where nothing is, by none
    there.plan = there.plan.model_copy(update={"stacks": (), "notes": ()})
    again = run("destroy", "--env", "dev")
    assert again.stderr == "note  nothing was touched: add --confirm milvus-dev and --leftovers\n"
    there.plan = there.plan.model_copy(update={"left": ()})
    assert run("destroy", "--env", "dev").stderr == ""
    assert there.worked is None


@pytest.mark.parametrize(
    ("options", "worked"),
    [
        (("--env", "dev"), {"file": "environments/dev.yaml", "leftovers": False, "data": ()}),
        ((), {"file": "environments/dev.yaml", "leftovers": False, "data": ()}),
        (("--env-file", str(DEV)), {"file": str(DEV), "leftovers": False, "data": ()}),
        (
            ("--leftovers", "--data", "a", "--data", "b"),
            {"file": "environments/dev.yaml", "leftovers": True, "data": ["a", "b"]},
        ),
    ],
)
def test_destroy_does_what_its_options_say_and_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], worked: dict[str, Any]
) -> None:
    there = Destroyed(monkeypatch)

    done = run("destroy", "--confirm", "milvus-dev", *options)

    assert there.worked == worked
    assert (done.exit_code, done.stderr) == (0, "note  done\n")
    assert "deletes [mine] now" in done.stdout.splitlines()
    assert "/a" in done.stdout
    # AND as JSON, what is said goes beside it
    as_json = run("destroy", "--confirm", "milvus-dev", "--json", *options)
    whole = {**there.plan.model_dump(mode="json"), **there.outcome.model_dump(mode="json")}
    assert json.loads(as_json.stdout) == whole
    assert as_json.stderr == "note  deletes [mine] now\nnote  done\n"
    # AND it fails where something that was to be removed is not
    kept = there.item.model_copy(update={"done": "not removed"})
    there.outcome = there.outcome.model_copy(update={"removed": (kept,)})
    assert run("destroy", "--confirm", "milvus-dev", *options).exit_code == 1


def test_many_errors_of_a_file_are_said_to_the_last_but_not_for_ever(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    texts = []
    for number in (12, 200):
        wrong = "".join(f"unknown_{each}: 1\n" for each in range(number))
        file.write_text(f"name: milvus-dev\nregion: us-east-2\n{wrong}", encoding="utf-8")
        with pytest.raises(OpsError) as caught:
            environment(file=file)
        texts.append(str(caught.value.remedy))

    assert "unknown_11" in texts[0]
    assert len(texts[0]) > 400
    assert (len(texts[1]), texts[1][-1]) == (2000, "…")


def test_change_set_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "binary.json"
    file.write_bytes(b"\xff\xfe\xfd")

    result = run("gate", "--change-set", file)

    assert result.stderr.splitlines() == [
        f"error --change-set: got '{file}' (not UTF-8), allowed is JSON text in UTF-8",
        "   do Give the output of `aws cloudformation describe-change-set --output json`",
    ]


@pytest.mark.parametrize("source", ["-", "file"])
def test_change_set_that_cannot_be_read_is_named_by_where_it_came_from(tmp_path: Path, source: str) -> None:
    file = tmp_path / "set.json"
    file.write_text("{", encoding="utf-8")

    result = CliRunner().invoke(app, ["gate", "--change-set", "-" if source == "-" else str(file)], input="{")

    assert ("standard input" if source == "-" else str(file)) in result.stderr


# -- settings, whatever the day is


@pytest.mark.parametrize("by", ["name", "file"])
def test_environment_past_its_support_is_looked_after_by_name_and_by_file(
    monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setenv("MILVUS_TODAY", "2040-01-01")

    found = environment("dev", region="eu-west-1") if by == "name" else environment(file=DEV, region="eu-west-1")

    assert (found.name, found.region) == ("milvus-dev", "eu-west-1")


@pytest.mark.parametrize(
    "region", ["us-gov-west-1", "ap-southeast-1", "eusc-de-east-1", "eu", "eu-west-1a", "EU-west-1"]
)
def test_region_is_one_by_its_form(region: str) -> None:
    if region in {"us-gov-west-1", "ap-southeast-1"}:
        assert environment("dev", region=region).region == region
    else:
        with pytest.raises(OpsError, match=re.escape(f"--region: got '{region}', allowed is an AWS region such as")):
            environment("dev", region=region)


def test_nothing_spins_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with working("Reading") as spinner:
        assert spinner is None
    assert capsys.readouterr().err == ""


# -- what smoke, root-password, gate and size print

NARROW = {"COLUMNS": "40"}
LONG = "a b " * 20 + ".yaml"


def smoked(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """Let a smoke run be two steps, one of which says much, with this report."""
    from ops.smoke import SmokeReport, StepResult

    steps = (
        StepResult(name="connect", title="connect", seconds=0.25),
        StepResult(name="search", title="search [x]", lines=("hit: :secret: " + "y" * 40, "[z]"), seconds=12.3456),
    )
    given = {"ok": True, "target": "http://milvus.test:19530", "collection": "hello", "rows": 3, "seconds": 12.56}

    def smoke(*, listener: Any, **_: Any) -> Any:
        for step in steps:
            listener(step.title, None)
            listener(step.title, step)
        return SmokeReport(**{**given, "steps": steps, "server_version": "2.6", "index_type": "HNSW", **more})

    monkeypatch.setattr("ops.commands.smoke.run_smoke", smoke)


def test_smoke_prints_each_step_and_that_it_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    smoked(monkeypatch)

    wide, narrow = run("smoke"), run("smoke", **NARROW)

    last = "passed 2 steps in 12.6 s on http://milvus.test:19530, Milvus 2.6, index HNSW"
    assert (wide.exit_code, wide.stderr) == (0, "")
    assert wide.stdout.splitlines() == [
        f"=== {'connect':<52} ===   0.250 s",
        f"=== {'search [x]':<52} ===  12.346 s",
        "hit: :secret: " + "y" * 40,
        "[z]",
        last,
    ]
    # AND what a script may look for is not cut into lines
    assert narrow.stdout.splitlines()[-1] == last
    assert "hit: :secret: " + "y" * 40 in narrow.stdout.splitlines()
    # AND as JSON, the report alone
    as_json = run("smoke", "--json")
    assert as_json.stdout.startswith('{\n  "ok": true,\n  "target": "http://milvus.test:19530",\n')
    assert json.loads(as_json.stdout)["steps"][1]["seconds"] == 12.3456


def test_smoke_that_failed_says_where_why_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    from ops.smoke.report import SmokeFailure

    failure = SmokeFailure(step="search", reason="no hit [x]", remedy="Look")
    smoked(monkeypatch, ok=False, failure=failure, left_behind="hello_1")

    for options in ((), ("--json",)):
        result = run("smoke", *options, **NARROW)
        assert result.exit_code == 1
        assert "passed" not in result.stdout
        assert result.stderr.splitlines() == [
            "error smoke failed at search: no hit [x]",
            "   do Look",
            "note  the collection hello_1 may still exist: drop it when Milvus answers again",
        ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            True,
            "changed root's password is now what the secret says; it was the well-known default "
            "(http://h:1, Milvus 2.6)",
        ),
        (False, "nothing to do root's password is what the secret says (http://h:1, Milvus 2.6)"),
    ],
)
def test_root_password_says_in_one_line_what_it_did(monkeypatch: pytest.MonkeyPatch, changed: bool, said: str) -> None:
    from ops.root_password import RootPasswordReport

    report = RootPasswordReport(
        target="http://h:1", secret="arn", server_version="2.6", changed=changed, before="default"
    )
    working_on: list[str] = []

    @contextlib.contextmanager
    def working(what: str) -> Iterator[None]:
        working_on.append(what)
        yield

    monkeypatch.setattr("ops.commands.root_password.working", working)
    monkeypatch.setattr("ops.commands.root_password.set_root_password", lambda **_: report)

    result = run("root-password", "--uri", "http://h:1", "--secret-arn", "arn", **NARROW)

    assert result.stdout == f"{said}\n"
    assert working_on == ["Logging in to http://h:1"]
    as_json = run("root-password", "--uri", "http://h:1", "--secret-arn", "arn", "--json")
    assert json.loads(as_json.stdout) == report.model_dump()


def gated(*changes: dict[str, Any], options: tuple[str, ...] = ()) -> Any:
    page = {
        "StackName": "s",
        "ChangeSetName": "c",
        "ChangeSetId": "arn",
        "Status": "CREATE_COMPLETE",
        "Changes": [{"Type": "Resource", "ResourceChange": each} for each in changes],
    }
    runner = CliRunner(env=NARROW)
    return runner.invoke(app, ["gate", "--change-set", "-", *options], input=json.dumps(page))


def removed(name: str) -> dict[str, Any]:
    return {
        "Action": "Remove",
        "LogicalResourceId": name,
        "PhysicalResourceId": f"p-{name}",
        "ResourceType": "AWS::KMS::Key",
    }


def test_gate_prints_each_loss_on_its_line_and_how_to_approve_all() -> None:
    refused = gated(removed("A"), removed("B"), removed("C"), options=("--approve", "C=we [know] it"))

    lines = refused.stdout.splitlines()
    assert refused.exit_code == 3
    assert [line.split(":")[0] for line in lines] == ["approved s/C (AWS", "refused s/A (AWS", "refused s/B (AWS"]
    assert lines[0].endswith(" [approved: we [know] it]")
    assert lines[1].startswith("refused s/A (AWS::KMS::Key p-A) ")
    assert refused.stderr == (
        "The gate refuses this change. If each loss is wanted: --approve A@p-A=REASON --approve B@p-B=REASON\n"
    )


def test_gate_says_why_a_change_set_passes() -> None:
    role = {"Action": "Remove", "LogicalResourceId": "R", "ResourceType": "AWS::IAM::Role"}

    def passes(*changes: dict[str, Any], options: tuple[str, ...] = ()) -> str:
        result = gated(*changes, options=options)
        assert result.exit_code == 0
        last: str = result.stdout.splitlines()[-1]
        return last

    assert passes(role) == "passed nothing stateful is replaced or deleted (1 change)"
    assert passes(role, role) == "passed nothing stateful is replaced or deleted (2 changes)"
    assert passes(removed("A"), options=("--approve", "A=x")) == "passed only approved losses (1 change)"


def test_gate_of_a_change_set_that_is_not_there_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    Calls(monkeypatch)
    monkeypatch.setattr("ops.gate.reading.read_change_set", lambda *_, **__: ())

    # AND an approval, which then names nothing, is no error
    result = run("gate", "--stack", "s", "--change-set-name", "c", "--approve", "A=x")

    assert (result.exit_code, result.stdout) == (0, "passed there is no such change set: nothing will be executed\n")


@pytest.mark.parametrize(
    ("whole", "last", "said"),
    [
        (1234.5, "1,234.50 USD a month by `milvus-ops cost`, with what is billed by use", ""),
        (
            None,
            None,
            f"note  {LONG} is not in environments/ of a checkout: nothing synthesizes it, and the sum stays an "
            "estimate\n",
        ),
    ],
)
def test_size_prints_its_sum_its_notes_and_what_it_wrote(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, whole: float | None, last: str | None, said: str
) -> None:
    # GIVEN a plan of which everything is a line, wider than the terminal
    step, total = "a [x] " + "y" * 60, "the sum of " + "z" * 60
    plan = SimpleNamespace(work=SimpleNamespace(load=SimpleNamespace(explained=(step,))), notes=("odd",))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ops.size.plan.plan_for", lambda *_: plan)
    monkeypatch.setattr("ops.size.report.tables", lambda _: ["a table"])
    monkeypatch.setattr("ops.size.report.summary", lambda _: total)
    monkeypatch.setattr("ops.size.report.as_data", lambda _, whole: {"whole": whole})
    monkeypatch.setattr("ops.size.file.write", lambda *_: None)
    monkeypatch.setattr("ops.size.file.whole_bill", lambda *_: whole)
    given = ("size", "--vectors", "1M", "--dim", "8")

    # THEN without more it prints the tables, the notes and the sum
    plain = run(*given, **NARROW)
    assert (plain.stdout.splitlines(), plain.stderr) == (["a table", total], "note  odd\n")
    # AND the steps before them, and what it wrote after them, each on one line
    more = run(*given, "--explain", "--write", LONG, **NARROW)
    lines = [step, "a table", total, f"written: {LONG}", *([last] if last else [])]
    assert (more.stdout.splitlines(), more.stderr) == (lines, f"note  odd\n{said}")
    as_json = run(*given, "--json", "--explain", "--write", "a.yaml")
    assert (json.loads(as_json.stdout), as_json.stderr) == ({"whole": whole}, "")


@pytest.mark.parametrize("healthy", [True, False])
def test_status_shows_the_tables_that_there_are_and_ends_as_it_is(
    monkeypatch: pytest.MonkeyPatch, healthy: bool
) -> None:
    from ops.stacks import Stack
    from ops.status import ManagedService

    stack = Stack(name="one", state="CREATE_COMPLETE")
    service = ManagedService(kind="MSK cluster", name="m", state="ACTIVE")
    state = SimpleNamespace(
        stacks=(stack,), services=(), workloads=(), workloads_from="", notes=("odd",), healthy=healthy
    )
    monkeypatch.setattr("ops.status.read_status", lambda _: state)

    def titles() -> list[str]:
        result = run("status")
        assert (result.exit_code, result.stderr) == (0 if healthy else 1, "note  odd\n")
        return [line.strip() for line in result.stdout.splitlines() if line[:1] not in {"", " "}]

    assert titles() == ["Stacks"]
    state.services, state.workloads_from = (service,), "namespace n"
    assert titles() == ["Stacks", "Services", "Deployments (namespace n)"]


def test_endpoints_as_json_are_their_keys_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    from ops.endpoints import Endpoint

    found = (Endpoint(key="A", label="a", value="x" * 200), Endpoint(key="B", label="b", value=None, why_absent="off"))
    monkeypatch.setattr("ops.endpoints.read_endpoints", lambda _: found)

    assert json.loads(run("endpoints", "--json", **NARROW).stdout) == {"A": "x" * 200, "B": None}
    assert "- off" in run("endpoints").stdout


def test_verification_prints_each_line_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "[x] :secret: " + "y" * 60

    def verified(_: Any, *, say: Any, **__: Any) -> bool:
        say(line)
        return True

    monkeypatch.setattr("ops.verification.run_verification", verified)

    result = run("verify", "--project", "p", "--region", "r", "--pipeline", "x", "--stage", "y", **NARROW)

    assert (result.exit_code, result.stdout) == (0, f"{line}\n")
