"""The regions of AWS and their partitions, as the pinned botocore knows them without a network."""

from __future__ import annotations

import difflib
import functools
import json
from pathlib import Path
from typing import Annotated

import botocore
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


@functools.cache
def partitions() -> dict[str, str]:
    """Return the partition of each region, such as ``aws-cn`` of ``cn-north-1``."""
    # The file alone: botocore's own reader would also look into ~/.aws, and takes longer.
    data = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text(encoding="utf-8"))
    return {region: each["id"] for each in data["partitions"] for region in each["regions"] if "global" not in region}


# An account sees a zone by a letter of its own; these are the letters that new accounts get.
# https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html; what EKS does not take:
# https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
ZONE_LETTERS = {
    "ap-northeast-1": ("a", "c", "d"),
    "ca-central-1": ("a", "b", "d"),
    "cn-north-1": ("a", "b"),
    "us-west-1": ("a", "c"),
}
"""Zones of the regions in which a, b and c are not what an account has, or not where EKS makes clusters."""

TWO_ZONES = ("us-west-1",)
"""Regions that show an account two zones, and where MSK takes exactly two subnets.

Source: https://docs.aws.amazon.com/msk/1.0/apireference/clusters.html (clientSubnets)
"""

ZONE_WITHOUT_EKS = {"us-east-1": "use1-az3"}
"""Regions with a zone in which EKS makes no cluster, and which any letter may stand for; by its id."""


def _known(region: str) -> str:
    if region not in partitions():
        close = difflib.get_close_matches(region, partitions(), n=2)
        hint = f" (did you mean {' or '.join(close)}?)" if close else ""
        text = f"{region} is not an AWS region{hint}; if it is new, pin a botocore that knows it (`make lock`)"
        raise PydanticCustomError("written", "{text}", {"text": text})
    return region


Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$"), AfterValidator(_known)]
"""A region of AWS."""
