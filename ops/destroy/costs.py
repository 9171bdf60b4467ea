"""What is left costs: list prices of what `ops cost` knows, and a price by the GB where nobody knows how many."""

from __future__ import annotations

from functools import cached_property

from ops.cost.lines import HOURS
from ops.cost.prices import Prices
from ops.destroy.items import BY_GB, Kind
from ops.errors import OpsError

Cost = tuple[float | None, str]
NOTHING: Cost = (0.0, "nothing")
_UNKNOWN: Cost = (None, "no price is known")
_GIB = 1024**3
# What a gp3 volume has without being paid for.
_FREE_IOPS, _FREE_MIBPS = 3000, 125


class Costs:
    """What each kind costs a month in a region."""

    def __init__(self, region: str) -> None:
        self._region = region

    @cached_property
    def _prices(self) -> Prices:
        return Prices.load()

    def bucket(self) -> Cost:
        """Return the price of a bucket, by what is in it."""
        price = self._price("s3", "standard-first-50TB")
        return (None, f"{price:.4f} USD {BY_GB}") if price is not None else _UNKNOWN

    def key(self) -> Cost:
        """Return the price of a key; rotations are more keys: https://aws.amazon.com/kms/pricing/."""
        price = self._price("kms", "key")
        if price is None:
            return _UNKNOWN
        return price, f"{price:.2f} USD, and as much again for each of its first two yearly rotations"

    def secret(self) -> Cost:
        """Return the price of a secret."""
        return self._of("secretsmanager", "secret")

    def log_group(self, stored_bytes: int | None) -> Cost:
        """Return the price of what a log group holds; without its size, by the GB."""
        price = self._price("cloudwatch", "logs-storage")
        if price is None:
            return _UNKNOWN
        if stored_bytes is None:
            return None, f"{price:.4f} USD {BY_GB}"
        gib = stored_bytes / _GIB
        return _shown(gib * price, f"{gib:.1f} GB")

    def volume(self, gib: int, *, iops: int, mibps: int) -> Cost:
        """Return the price of a gp3 volume."""
        wanted = {
            "gp3-storage": gib,
            "gp3-iops-over-3000": max(0, iops - _FREE_IOPS),
            "gp3-throughput-over-125": max(0, mibps - _FREE_MIBPS),
        }
        amounts = [self._price("ebs", item) if number else 0.0 for item, number in wanted.items()]
        if None in amounts:
            return _UNKNOWN
        cost = sum(number * (amount or 0) for number, amount in zip(wanted.values(), amounts, strict=True))
        return _shown(cost, f"{gib} GiB")

    def load_balancer(self, kind: str) -> Cost:
        """Return the price of a load balancer that nobody uses."""
        return self._of("elb", "nlb-hour" if kind == "network" else "alb-hour", HOURS)

    def of(self, kind: Kind) -> Cost:
        """Return the price of what has no size."""
        known = {Kind.BUCKET: self.bucket, Kind.KEY: self.key, Kind.SECRET: self.secret}
        if kind in known:
            return known[kind]()
        return self.log_group(None) if kind is Kind.LOG_GROUP else _UNKNOWN

    def _of(self, service: str, item: str, times: float = 1) -> Cost:
        price = self._price(service, item)
        return _UNKNOWN if price is None else _shown(price * times)

    def _price(self, service: str, item: str) -> float | None:
        try:
            return self._prices.of(self._region, service, item).amount
        except OpsError:
            # A region without prices: what is left is listed all the same.
            return None


def _shown(amount: float, size: str = "") -> Cost:
    text = f"{amount:.2f} USD"
    return round(amount, 4), f"{text} ({size})" if size else text
