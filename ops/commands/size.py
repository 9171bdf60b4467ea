"""`python -m ops size`: from a workload to nodes, with what they cost."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ops.console import note, out, print_json, working
from ops.errors import usage_error


class Survive(StrEnum):
    """What the deployment has to go on through."""

    NONE = "none"
    NODE = "node"
    ZONE = "zone"


class Queue(StrEnum):
    """Kinds of the log."""

    MSK = "msk"
    WOODPECKER = "woodpecker"


class Term(StrEnum):
    """How instances are paid."""

    ON_DEMAND = "on-demand"
    ONE_YEAR = "1-year"


_LOAD = "Load"
_PLACE = "Where and how"


def size(
    *,
    vectors: Annotated[str, typer.Option(metavar="NUMBER", help="Vectors, such as 300000, 50M or 1.5B.")],
    dim: Annotated[int, typer.Option(help="Dimensions of a vector.")],
    index: Annotated[
        str, typer.Option(help="FLAT, IVF_FLAT, IVF_SQ8, IVF_RABITQ, SCANN, HNSW, DISKANN or AISAQ.")
    ] = "HNSW",
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the index, such as M=16; repeatable.")
    ] = None,
    scalar_bytes: Annotated[int, typer.Option(help="Bytes of scalar fields of a row.", rich_help_panel=_LOAD)] = 0,
    segment_mib: Annotated[int, typer.Option(help="Segment size in MiB.", rich_help_panel=_LOAD)] = 1024,
    growth: Annotated[int, typer.Option(help="Percent by which the vectors will grow.", rich_help_panel=_LOAD)] = 0,
    headroom: Annotated[
        int, typer.Option(help="Percent of memory more than the formulae say.", rich_help_panel=_LOAD)
    ] = 0,
    copies: Annotated[int, typer.Option(help="Copies in memory (replica_number).", rich_help_panel=_LOAD)] = 1,
    survive: Annotated[
        Survive, typer.Option(help="What may be lost while all is served.", rich_help_panel=_LOAD)
    ] = Survive.ZONE,
    cores_per_gib: Annotated[
        float, typer.Option(help="Cores of a query node for each GiB of its memory.", rich_help_panel=_LOAD)
    ] = 0.25,
    qps: Annotated[
        float | None, typer.Option(help="Searches a second, instead of --cores-per-gib.", rich_help_panel=_LOAD)
    ] = None,
    qps_per_core: Annotated[
        float, typer.Option(help="Searches a second that a core answers: measure it.", rich_help_panel=_LOAD)
    ] = 50,
    queue: Annotated[Queue, typer.Option(help="The log.", rich_help_panel=_PLACE)] = Queue.MSK,
    broker_type: Annotated[
        str, typer.Option(help="Type of the three brokers.", rich_help_panel=_PLACE)
    ] = "kafka.m7g.large",
    rows_per_second: Annotated[
        float, typer.Option(help="Rows written, on average over a week: the brokers keep them.", rich_help_panel=_LOAD)
    ] = 50,
    line: Annotated[str, typer.Option(help="Milvus line: 2.5, 2.6 or 3.0.", rich_help_panel=_PLACE)] = "2.6",
    region: Annotated[str, typer.Option(help="AWS region.", rich_help_panel=_PLACE)] = "us-east-2",
    generation: Annotated[int, typer.Option(help="Oldest generation of processors.", rich_help_panel=_PLACE)] = 7,
    spot: Annotated[bool, typer.Option("--spot", help="Query nodes on spot capacity.", rich_help_panel=_PLACE)] = False,
    term: Annotated[Term, typer.Option(help="How instances are paid.", rich_help_panel=_PLACE)] = Term.ON_DEMAND,
    explain: Annotated[bool, typer.Option("--explain", help="Print the sum of the memory, step by step.")] = False,
    write: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write the settings file, such as environments/NAME.yaml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write one page that needs nothing else.")] = None,
) -> None:
    """Find the **cheapest nodes** that hold so many vectors, start every pod, and go on when something is lost.

    Memory follows the formulae of the public sizing tool of Milvus; where the recommendation differs from the tool, it
    says so. Reads no account and changes nothing: prices are the list prices of the table in this program.
    """
    from ops.cost import page as pages  # noqa: PLC0415 - --help must not pay for it
    from ops.cost.prices import Prices  # noqa: PLC0415 - the same
    from ops.size import file, indexes, page, report, workload  # noqa: PLC0415 - the same
    from ops.size.plan import plan_for  # noqa: PLC0415 - the same

    if write:
        file.refuse_existing(write)
    if html:
        pages.check_folder(html)
    found = indexes.find(index)
    prices = Prices.load()
    plan = plan_for(
        workload.Workload(
            vectors=workload.count(vectors),
            dim=dim,
            index=found,
            parameters=found.parameters(_pairs(param or [])),
            scalar_bytes=scalar_bytes,
            segment_mib=segment_mib,
            growth=growth,
            headroom=headroom,
            copies=copies,
            survive=survive.value,
            cores_per_gib=cores_per_gib,
            qps=qps,
            qps_per_core=qps_per_core,
            queue=queue.value,
            broker_type=broker_type,
            rows_per_second=rows_per_second,
            line=workload.line(line),
            region=region,
            generation=generation,
            spot=spot,
            term=term.value,
        ),
        prices,
    )
    whole = None
    if write:
        file.write(plan, write)
        with working("looking at its templates"):
            whole = file.whole_bill(plan, write)
    if html:
        with working("counting other indexes and numbers of vectors"):
            pages.write(html, page.page(plan, page.curves(plan, prices)))
    if as_json:
        print_json(report.as_data(plan, whole))
        return
    for step in plan.work.load.explained if explain else ():
        out().print(Text(step), soft_wrap=True)
    for table in report.tables(plan):
        out().print(table)
    for text in plan.notes:
        note(text)
    out().print(Text(report.summary(plan), style="bold"), soft_wrap=True)
    if write:
        _written(write, whole)


def _written(path: Path, whole: float | None) -> None:
    out().print(Text(f"written: {path}"), soft_wrap=True)
    if whole is None:
        note(f"{path} is not in environments/ of a checkout: nothing synthesizes it, and the sum stays an estimate")
    else:
        out().print(Text(f"{whole:,.2f} USD a month by `milvus-ops cost`, with what is billed by use"), soft_wrap=True)


def _pairs(given: list[str]) -> dict[str, str]:
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise usage_error(setting="--param", value=each, allowed="NAME=VALUE", remedy="Give --param M=16")
        found[name.strip()] = value.strip()
    return found
