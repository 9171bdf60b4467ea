"""One page for a browser that needs nothing else: bars of components, what fills the nodes, every line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from ops.cost.bill import IDLE, Bill
from ops.cost.show import amount, headline, in_order, quantity, sureness, warning
from ops.errors import OpsError, usage_error

_STYLE = """
:root { color-scheme: light dark; --bar: #2563eb; --idle: #d97706; --line: #8884; --dim: #888; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: var(--dim); font-weight: 500; }
th, td { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { width: 45%; } .bar span { display: block; height: .9rem; border-radius: 2px; background: var(--bar); }
.idle span { background: var(--idle); } .mark { color: var(--idle); font-size: .85em; } .dim { color: var(--dim); }
.stack { display: flex; height: 1.6rem; border-radius: 3px; overflow: hidden; margin: .3rem 0 .2rem; }
.stack span { border-right: 1px solid canvas; background: var(--bar); } .stack span:nth-child(even) { opacity: .75; }
.stack .rest { background: var(--idle); opacity: 1 !important; }
.scroll { overflow-x: auto; }
"""


def page(bills: Sequence[Bill]) -> str:
    """Return the page of some bills."""
    return document("What it costs a month", "\n".join(_bill(bill) for bill in bills))


def document(title: str, body: str) -> str:
    """Return a whole page with its style; what is in the body is HTML already."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def write(path: Path, text: str) -> None:
    """Write a page.

    Raises:
        OpsError: The file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error


def check_folder(path: Path) -> None:
    """Raise the error for a page in a folder that is not there, before anything is counted for it."""
    if not path.parent.is_dir():
        raise _unwritable(path, "No such file or directory")


def _unwritable(path: Path, reason: str) -> OpsError:
    return usage_error(
        setting="--html",
        value=f"'{path}' ({reason})",
        allowed="a file that can be written",
        remedy="Make its folder, or choose another one",
    )


def bars(rows: Mapping[str, float], total: float) -> str:
    """Return a table of bars, each as long as its part of the largest."""
    largest = max(rows.values(), default=0.0) or 1.0
    return _table(
        "",
        (
            f'<td>{escape(name)}</td><td class="n">{value:,.2f}</td>'
            f'<td class="n dim">{value / total if total else 0:.1%}</td>'
            f'<td class="bar{" idle" if name == IDLE else ""}">'
            f'<span style="width:{100 * value / largest:.1f}%"></span></td>'
            for name, value in rows.items()
        ),
    )


def _bill(bill: Bill) -> str:
    old = warning(bill)
    lines = [
        f"<h1>{escape(headline(bill))}</h1>",
        f'<p class="mark">{escape(old)}</p>' if old else "",
        "<h2>By component, USD a month</h2>",
        bars(bill.components, bill.total),
        "<h2>By service, USD a month</h2>",
        bars(bill.services, bill.total),
        "<h2>What fills the nodes, by the larger of the CPU and memory that pods request</h2>" if bill.shares else "",
        *(_group(bill, group) for group in dict.fromkeys(share.group for share in bill.shares)),
        "<h2>Every line</h2>",
        _lines(bill),
        f'<p class="dim">{escape(sureness(bill))}</p><p>{escape(bill.summary)}</p>',
    ]
    return "\n".join(line for line in lines if line)


def _group(bill: Bill, group: str) -> str:
    shares = [share for share in bill.shares if share.group == group and share.monthly]
    total = sum(share.monthly for share in shares)
    parts = "".join(
        f'<span{" class=rest" if share.component == IDLE else ""} style="width:{100 * share.monthly / total:.2f}%" '
        f'title="{escape(share.component)}: {share.monthly:,.2f} USD"></span>'
        for share in shares
    )
    words = ", ".join(f"{share.component} {share.monthly / total:.0%}" for share in shares)
    return f'<p>{escape(group)}: {total:,.2f} USD</p><div class="stack">{parts}</div><p class="dim">{escape(words)}</p>'


def _lines(bill: Bill) -> str:
    heads = ("Service", "What", "Quantity", "Each, USD", "Grade", "USD a month")
    rows = []
    for line in in_order(bill):
        marks = "; ".join(text for text in ("by use" if line.by_use else "", line.mark) if text)
        mark = f' <span class="mark">{escape(marks)}</span>' if marks else ""
        price = "-" if line.price.amount is None else f"{line.price.amount:.10g}"
        rows.append(
            f"<td>{escape(line.service)}</td><td>{escape(line.what)}{mark}</td>"
            f'<td class="n">{escape(quantity(line))}</td><td class="n">{price}</td>'
            f'<td title="{escape(line.price.source)}">{line.price.grade}</td><td class="n">{amount(line)}</td>'
        )
    head = "".join(f"<th{' class=n' if index in {2, 3, 5} else ''}>{name}</th>" for index, name in enumerate(heads))
    return f'<div class="scroll">{_table(head, rows)}</div>'


def _table(head: str, rows: Iterable[str]) -> str:
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"
