"""Words that the messages of several rules share."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable

WIDEST_PREFIX = 8
"""Of a range of addresses that somebody may name: no organization has a wider one of its own."""
LIST_RANGES = f"list ranges, none wider than /{WIDEST_PREFIX}"


def for_everybody(cidrs: Iterable[str]) -> str:
    """Return the networks that admit half the world, alone or together (0.0.0.0/1 and 128.0.0.0/1); empty if none."""
    together = ipaddress.collapse_addresses(ipaddress.IPv4Network(cidr) for cidr in cidrs)
    return listed(str(network) for network in together if network.prefixlen < WIDEST_PREFIX)


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence holds them."""
    return ", ".join(names)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the question for a name that is close to a known one; empty if none is."""
    close = difflib.get_close_matches(name, list(known))
    return f" (did you mean {close[0]}?)" if close else ""
