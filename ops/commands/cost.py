"""`python -m ops cost`: what an environment costs a month, and what a change of it would."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ops.console import out, print_json, working
from ops.cost.prices import Term
from ops.errors import usage_error

_CHANGE, _PRICES = "What a change costs", "Prices and assumptions"


def cost(  # noqa: PLR0917 - the options of a command
    env: Annotated[
        str | None, typer.Option(help="Name of the environment, synthesized in the checkout.", show_default="dev")
    ] = None,
    assembly: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A cloud assembly (`cdk.out`), also of a pipeline.")
    ] = None,
    term: Annotated[Term, typer.Option(help="How the nodes are bought.")] = "on-demand",
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, the base of a later --diff.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one page that needs nothing else.")] = None,
    diff: Annotated[
        str | None,
        typer.Option(metavar="BASE", help="Compare with an environment, or a file of --json.", rich_help_panel=_CHANGE),
    ] = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="With --diff: print what a pull request shows.", rich_help_panel=_CHANGE)
    ] = False,
    assumptions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own figures of what is billed by use.", rich_help_panel=_PRICES),
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another price table.", rich_help_panel=_PRICES)
    ] = None,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh",
            help="Write the price table anew from AWS's Price List API, all of it or nothing.",
            rich_help_panel=_PRICES,
        ),
    ] = False,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="With --refresh: this region alone. Repeatable.", rich_help_panel=_PRICES),
    ] = None,
) -> None:
    """Print what an environment costs a month.

    Made of the synthesized templates and what they send to the cluster, never of the settings, with the embedded list
    prices; no credentials are needed. What is billed **by use** rests on assumptions, and is marked. Nodes are divided
    among the components by what their pods request; what is idle stands apart.
    """
    _refuse_what_does_not_go_together(
        refresh=refresh,
        reading={"--env": env, "--assembly": assembly, "--diff": diff, "--html": html, "--json": as_json},
        region=region,
        markdown=as_markdown,
    )
    if refresh:
        from ops.cost.refresh import refresh_table  # noqa: PLC0415 - --help needs none of it

        for name, figures in refresh_table(prices, region or []).items():
            out().print(f"{name}: {figures} figures")
        return
    from ops.cost import difference, markdown, page, report, show  # noqa: PLC0415 - --help needs none of it

    source = report.Source.load(prices=prices, assumptions=assumptions, term=term)
    with working("looking at the templates"):
        bills = report.bills_of(source, environment=env, assembly=assembly)
        base = None if diff is None else report.read_base(source, diff)
    if html is not None:
        page.write(html, page.page(bills))
    differences = None if base is None else difference.compare(base, [bill.as_dict() for bill in bills])
    if as_json:
        print_json(difference.as_json(bills, differences))
    elif differences is None:
        show.show_all(bills)
    elif as_markdown:
        out().print(markdown.markdown(differences), end="", soft_wrap=True)
    else:
        show.show_differences(differences)


def _refuse_what_does_not_go_together(
    *, refresh: bool, reading: Mapping[str, object], region: list[str] | None, markdown: bool
) -> None:
    """Raise the error for options of which one would be passed over in silence."""
    given = [name for name, value in reading.items() if value]
    if refresh and given:
        raise usage_error(
            setting="--refresh", value=f"it and {given[0]}", allowed="one of them", remedy="Refresh first, then ask"
        )
    if region and not refresh:
        raise usage_error(
            setting="--region",
            value="it without --refresh",
            allowed="--refresh --region NAME",
            remedy="Drop it: an environment's region stands in its file",
        )
    if {"--env", "--assembly"} <= set(given):
        raise usage_error(
            setting="--env", value=f"{reading['--env']} and --assembly", allowed="one of them", remedy="Drop one"
        )
    if markdown and "--diff" not in given:
        raise usage_error(
            setting="--markdown", value="it without --diff", allowed="--diff BASE --markdown", remedy="Add --diff BASE"
        )
    if markdown and "--json" in given:
        raise usage_error(setting="--markdown", value="it and --json", allowed="one of them", remedy="Drop one")
