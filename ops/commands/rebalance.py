"""`python -m ops rebalance`: gives new brokers their share of the partitions."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import Progress

from ops.commands.connection import CaOption
from ops.commands.options import EnvFileOption, EnvOption, RegionOption
from ops.console import err, note, out, print_json, working
from ops.errors import check_range


def rebalance(  # noqa: PLR0917 - the options of a command
    env: EnvOption = None,
    env_file: EnvFileOption = None,
    region: RegionOption = None,
    ca: CaOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Move; without it the command only says what would move.")] = False,
    throttle: Annotated[
        int, typer.Option(metavar="MIB", help="MiB in a second that each broker may send or fetch for it.")
    ] = 20,
    at_once: Annotated[int, typer.Option(metavar="N", help="Partitions that move at the same time.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print what moves as JSON.")] = False,
) -> None:
    """Move partitions onto brokers that were added with `queue.brokers`: MSK leaves those empty.

    Copies stay in their zone, and as few as possible move. It may be ended at any time and be started again. Run it in
    the VPC, or from a network that `queue.private_cidrs` names.
    """
    from ops import rebalance as room  # noqa: PLC0415 - boto3 costs half a second that --help must not
    from ops.environments import environment  # noqa: PLC0415 - the same
    from ops.tables import moves_table  # noqa: PLC0415 - the same

    check_range("--throttle", throttle, 1, 10_000)
    check_range("--at-once", at_once, 1, 100)
    settings = environment(env, file=env_file, region=region)
    with working(f"Reading the stacks of {settings.name} in {settings.region}"):
        login = room.read_login(settings)
    with room.connect(login.bootstrap, username=login.username, password=login.password, authority=ca) as brokers:
        zones = brokers.zones()
        planned = room.moves(brokers.partitions(), zones)
        if as_json:
            print_json(
                [
                    {
                        "topic": move.before.topic,
                        "partition": move.before.number,
                        "from": move.before.brokers,
                        "to": move.brokers,
                    }
                    for move in planned
                ]
            )
        elif planned:
            out().print(moves_table(planned))
        else:
            out().print(f"{len(zones)} brokers, nothing to move: they differ by one partition at most")
        if not yes:
            if planned:
                note("nothing was moved: add --yes")
            return
        with Progress(console=err(), transient=True) as bar:
            task = bar.add_task("moving", total=len(planned))
            room.rebalance(
                brokers,
                planned,
                mib_per_second=throttle,
                at_once=at_once,
                progress=lambda done, _all: bar.update(task, completed=done),
            )
    if not as_json and planned:
        out().print(f"{len(planned)} partitions moved")
