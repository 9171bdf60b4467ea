from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from _paths import ROOT
from ops import console
from ops.cli import app
from ops.errors import OpsError, check_range, one_line, usage_error
from settings.version import version

COMMANDS = (
    "doctor",
    "size",
    "plan",
    "smoke",
    "status",
    "endpoints",
    "root-password",
    "cost",
    "rebalance",
    "protect",
    "destroy",
    "gate",
    "verify",
)
EXIT_CODES = (
    "Exit codes: 0 done and healthy, 1 something failed, 2 wrong options or input, 3 a change is refused, "
    "130 interrupted."
)


def test_help_lists_the_commands_in_order_and_exit_codes() -> None:
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "TERM": "dumb"})

    assert result.exit_code == 0
    assert tuple(re.findall(r"^│ ([a-z][a-z-]+)  ", result.stdout, re.MULTILINE)) == COMMANDS
    assert EXIT_CODES in result.stdout
    # AND what it reads and changes comes first
    text = " ".join(result.stdout.split())
    assert (
        "Look after a Milvus: would the account take it, is it there, does it answer, and what would a change do? "
        "Reads AWS with your usual credentials (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL); only protect and "
        "destroy --confirm change something there. root-password alone changes something in Milvus that stays, and "
        "rebalance where Kafka keeps its partitions. No command prints a secret."
    ) in text
    assert re.search(r"│ --help +-h +", result.stdout)
    # AND it has no options of its own but these
    assert re.findall(r"^│ (--[a-z-]+)", result.stdout, re.MULTILINE) == ["--version", "--help"]


def test_call_without_a_command_shows_the_help_and_is_wrong() -> None:
    runner = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"})

    result = runner.invoke(app, [])

    assert (result.exit_code, result.output.strip()) == (2, runner.invoke(app, ["-h"]).output.strip())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_no_stray_markup(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})

    assert result.exit_code == 0
    assert EXIT_CODES in result.stdout
    assert "**" not in result.stdout
    assert "[bold]" not in result.stdout


# A second copy of every option, so that nobody changes one by mistake: scripts and pipelines call them.
OPTIONS = {
    "doctor": """
--env =dev
--env-file PATH
--region
--qualifier NAME =hnb659fds [In AWS]
--json
""",
    "size": """
--vectors NUMBER required
--dim required
--index =HNSW
--param NAME=VALUE repeatable
--scalar-bytes [Load]
--segment-mib =1024 [Load]
--growth [Load]
--headroom [Load]
--copies =1 [Load]
--survive =zone [Load]
--cores-per-gib =0.25 [Load]
--qps [Load]
--qps-per-core =50 [Load]
--queue =msk [Where and how]
--broker-type =kafka.m7g.large [Where and how]
--rows-per-second =50 [Load]
--line =2.6 [Where and how]
--region =us-east-2 [Where and how]
--generation =7 [Where and how]
--spot [Where and how]
--term =on-demand [Where and how]
--explain
--write PATH
--json
--html PATH
""",
    "plan": """
--env =dev
--env-file PATH
--region
--account ID [In AWS]
--role NAME [In AWS]
--json
--markdown
""",
    "smoke": """
--uri [Connection]
--env [Connection]
--env-file PATH [Connection]
--region [Connection]
--timeout SECONDS =60 [Connection]
--connect-timeout SECONDS =10 [Connection]
--token [Login (one of them)]
--token-env VARIABLE [Login (one of them)]
--secret-arn ARN [Login (one of them)]
--tls/--no-tls [TLS]
--ca FILE [TLS]
--server-name NAME [TLS]
--rows =3000
--json
""",
    "status": """
--env =dev
--env-file PATH
--region
--json
""",
    "endpoints": """
--env =dev
--env-file PATH
--region
--json
""",
    "root-password": """
--env [Connection]
--env-file PATH [Connection]
--region [Connection]
--uri [Connection]
--secret-arn ARN [Connection]
--timeout SECONDS =10 [Connection]
--tls/--no-tls [TLS]
--ca FILE [TLS]
--server-name NAME [TLS]
--old-password-env VARIABLE
--json
""",
    "cost": """
--env =dev
--assembly DIR
--term =on-demand
--json
--html FILE
--diff BASE [What a change costs]
--markdown [What a change costs]
--assumptions FILE [Prices and assumptions]
--prices FILE [Prices and assumptions]
--refresh [Prices and assumptions]
--region NAME repeatable [Prices and assumptions]
""",
    "rebalance": """
--env =dev
--env-file PATH
--region
--ca FILE [TLS]
--yes
--throttle MIB =20
--at-once N =5
--json
""",
    "protect": """
--env =dev
--env-file PATH
--region
--account ID [In AWS]
--role NAME [In AWS]
--json
""",
    "destroy": """
--env =dev
--env-file PATH
--region
--confirm NAME
--leftovers [What is left]
--data ID repeatable [What is left]
--json
""",
    "gate": """
--change-set FILE
--stack NAME [In AWS]
--change-set-name NAME [In AWS]
--region [In AWS]
--account ID [In AWS]
--role NAME [In AWS]
--approve LOGICAL_ID=REASON repeatable
--json
""",
    "verify": """
--project required
--region required [In AWS]
--pipeline required
--stage required
--account ID [In AWS]
--role NAME [In AWS]
""",
}


def listed(command: Any) -> list[str]:
    """The options of a command as --help has them: with their placeholder, what they are without, and their heading."""
    rows = []
    for option in command.params:
        if option.name == "help":
            continue
        default = option.show_default if isinstance(option.show_default, str) else option.default
        words = [
            "/".join([*option.opts, *option.secondary_opts]),
            option.metavar or "",
            "" if default in {None, False} else f"={getattr(default, 'value', default)}",
            "required" * bool(option.required),
            "repeatable" * bool(option.multiple),
            f"[{option.rich_help_panel}]" if option.rich_help_panel else "",
        ]
        assert option.help, option.name
        rows.append(" ".join(word for word in words if word))
    return rows


def test_options_are_called_as_they_are() -> None:
    commands: Any = get_command(app)

    assert {name: listed(each) for name, each in commands.commands.items()} == {
        name: text.strip().splitlines() for name, text in OPTIONS.items()
    }


def test_help_loads_neither_boto3_nor_pymilvus() -> None:
    # They cost seconds: nobody waits that long for a list of options.
    program = "import ops.cli, sys; print([name for name in ('boto3', 'pymilvus', 'numpy') if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("during", ["typer", "pydantic"])
def test_interrupted_start_is_no_stack_trace(during: str) -> None:
    # GIVEN a person who presses Ctrl-C while a command still imports its libraries
    program = f"""
import runpy, sys
class Finder:
    def find_spec(self, name, *_):
        if name == {during!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
sys.argv = ["command", "--help"]
runpy.run_module("ops", run_name="__main__", alter_sys=True)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_wrong_option_ends_with_2() -> None:
    assert CliRunner().invoke(app, ["gate"]).exit_code == 2
    assert CliRunner().invoke(app, ["nonsense"]).exit_code == 2


def test_usage_error_names_setting_value_allowed_and_remedy() -> None:
    error = usage_error(setting="--rows", value="7", allowed="100 or more", remedy="Choose more")

    assert str(error) == "--rows: got 7, allowed is 100 or more. Choose more"
    assert error.code == 2


def test_range_of_an_option_has_both_its_ends() -> None:
    for inside in (1, 65535):
        check_range("--port", inside, 1, 65535)
    for outside in (0, 65536):
        with pytest.raises(OpsError) as raised:
            check_range("--port", outside, 1, 65535)
        assert str(raised.value) == f"--port: got {outside}, allowed is 1 to 65535. Choose a value in that range"


def test_error_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_error(OpsError("arn:aws:secretsmanager:eu-west-1:1:secret:x [red] is bad", remedy="Change it"))
    console.print_error(OpsError("alone", remedy=""))

    assert capsys.readouterr().err.splitlines() == [
        "error arn:aws:secretsmanager:eu-west-1:1:secret:x [red] is bad",
        "   do Change it",
        "error alone",
    ]


@pytest.mark.parametrize(
    ("variables", "width"),
    [({}, 160), ({"COLUMNS": "50"}, 50), ({"COLUMNS": "50", "FORCE_COLOR": "1"}, 50), ({"FORCE_COLOR": "1"}, 80)],
)
def test_log_is_wide_unless_somebody_says_how_wide_it_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], width: int
) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    # A terminal that does not tell its width has 80 columns.
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((80, 25)))

    assert [each.width for each in (console.out(), console.err())] == [width, width]
    assert [each.stderr for each in (console.out(), console.err())] == [False, True]


def test_what_is_printed_is_neither_markup_nor_a_picture_nor_coloured_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    console.out().print("[red]a[/red] :secret: 12 'b' http://x")
    console.err().print("[red]a[/red] :secret: 12 'b' http://x")
    console.note("c [x]")
    console.print_error(OpsError("d [x]", remedy="e :secret:"))

    said = capsys.readouterr()
    assert said.out == "[red]a[/red] :secret: 12 'b' http://x\n"
    assert said.err == (
        "[red]a[/red] :secret: 12 'b' http://x\n"
        "\x1b[33mnote  \x1b[0mc [x]\n\x1b[1;31merror \x1b[0md [x]\n\x1b[1m   do \x1b[0me :secret:\n"
    )


def test_note_and_error_are_a_line_each_whatever_the_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")

    console.note("a " * 30 + "b")
    console.print_error(OpsError("c " * 30 + "d", remedy="e " * 30 + "f"))

    assert capsys.readouterr().err.splitlines() == [
        "note  " + "a " * 30 + "b",
        "error " + "c " * 30 + "d",
        "   do " + "e " * 30 + "f",
    ]


def test_json_is_printed_as_it_is_whatever_the_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")

    console.print_json({"arn": ":secret:" * 20, "umlaut": "ü [x]"})

    assert capsys.readouterr().out == '{\n  "arn": "' + ":secret:" * 20 + '",\n  "umlaut": "ü [x]"\n}\n'


def test_message_of_a_library_becomes_one_short_line() -> None:
    assert one_line("a\n  b\tc") == "a b c"
    assert one_line("x" * 500) == "x" * 399 + "…"


@pytest.mark.parametrize("terminal", [True, False])
def test_spinner_appears_only_where_a_person_looks(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    stream = Stream()
    monkeypatch.setattr(sys, "stderr", stream)
    # Colours forced into a log must not bring the spinner with them.
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    with console.working("Reading") as status:
        shown: Any = status

    assert (shown is not None) is terminal
    assert ("Reading …" in stream.getvalue()) is terminal


def test_version_in_a_checkout_is_that_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(app, ["--version"])

    assert (result.exit_code, result.stdout) == (0, f"milvus-ops {version()}\n")
    assert f'version = "{version()}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    # AND where the package is installed, that of the package
    monkeypatch.setattr("importlib.metadata.version", lambda name: f"{name} 9.9.9")
    assert version.__wrapped__() == "milvus-on-eks 9.9.9"


def test_interrupt_says_what_may_be_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN Ctrl-C in the middle of a run that could not clean up
    interrupt = KeyboardInterrupt()
    interrupt.add_note("the collection hello may still exist: drop it by hand")

    def run(*_: Any, **__: Any) -> Any:
        raise interrupt

    monkeypatch.setattr("ops.commands.smoke.run_smoke", run)

    result = CliRunner().invoke(app, ["smoke"])

    assert result.exit_code == 130
    assert result.stderr.splitlines() == ["interrupted", "note  the collection hello may still exist: drop it by hand"]
