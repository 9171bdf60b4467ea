"""The availability zones of each region; the emulator gives every region a, b and c."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from rehearsal.account.base import Request
from rehearsal.account.refusals import service_fault
from settings.regions import ZONE_LETTERS

# https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
_MORE = {"ap-northeast-2": "abcd", "us-east-1": "abcdef", "us-west-2": "abcd"}


class Zones:
    """Which zones a region has for this account.

    Args:
        letters: of the options' region, where the account sees others than a new one.
        home: that region.
    """

    def __init__(self, letters: Iterable[str] | None, home: str) -> None:
        self._own = {home: tuple(letters)} if letters else {}

    def of(self, region: str) -> list[str]:
        """Return the full names of a region's zones."""
        letters = self._own.get(region) or ZONE_LETTERS.get(region) or _MORE.get(region, "abc")
        return [f"{region}{letter}" for letter in letters]

    def install(self, ec2: ModuleType) -> None:
        """Answer DescribeAvailabilityZones, which the emulator does for a, b and c."""
        from ministack.core import responses  # noqa: PLC0415 - holds the request's region

        def described(_asked: Any) -> Any:
            region = responses.get_region()
            items = "".join(
                f"<item><zoneName>{name}</zoneName><zoneState>available</zoneState><regionName>{region}</regionName>"
                f"<zoneId>{ec2._az_id_for_zone_name(name)}</zoneId><groupName>{region}-zg-1</groupName>"
                f"<networkBorderGroup>{region}</networkBorderGroup><optInStatus>opt-in-not-required</optInStatus>"
                "<zoneType>availability-zone</zoneType></item>"
                for name in self.of(region)
            )
            answer = f"<availabilityZoneInfo>{items}</availabilityZoneInfo>"
            return ec2._xml(200, "DescribeAvailabilityZonesResponse", answer)

        ec2._ACTION_MAP["DescribeAvailabilityZones"] = described

    def check_subnet(self, request: Request) -> None:
        """Refuse a subnet in a zone that the region does not have."""
        zone = request.properties.get("AvailabilityZone")
        known = self.of(request.aws("ec2").meta.region_name)
        if zone and not request.previous and zone not in known:
            raise service_fault(
                "Ec2",
                f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in "
                f"the following availability zones: {', '.join(known)}.",
            )
