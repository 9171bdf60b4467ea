"""Removes what is left: what nobody wants, and what was kept where it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from ops import aws
from ops.destroy.items import Item, Kind, Stays
from ops.destroy.standing import ClientFactory
from ops.errors import OpsError, usage_error

# What holds others goes before them.
_ORDER = (
    Kind.LOAD_BALANCER,
    Kind.TARGET_GROUP,
    Kind.INTERFACE,
    Kind.SECURITY_GROUP,
    Kind.LOG_GROUP,
    Kind.VOLUME,
    Kind.BUCKET,
    Kind.SECRET,
    Kind.KEY,
)
# A load balancer lets go of its target groups, interfaces and groups some minutes after it was deleted.
_HELD = frozenset({"DependencyViolation", "ResourceInUse", "ResourceInUseException", "InvalidParameterValue"})
_TRIES, _PAUSE_SECONDS = 10, 15.0
_KEY_WAITS_DAYS = 30
_OBJECTS_AT_ONCE = 1000


def require_left(stays: Iterable[Item], named: Iterable[str]) -> None:
    """Refuse a name that is none of what stays.

    Raises:
        OpsError: Something is named that is not there.
    """
    kept = sorted({item.id for item in stays if item.stays is Stays.KEPT})
    if unknown := sorted(set(named) - set(kept)):
        raise usage_error(
            setting="--data",
            value=", ".join(f"'{each}'" for each in unknown),
            allowed=", ".join(kept) or "nothing, since nothing was kept",
            remedy="Name what the command lists as kept",
        )


def chosen(left: Sequence[Item], named: Iterable[str]) -> list[Item]:
    """Return what is to be removed: strays, secrets that wait, and what is named."""
    wanted = set(named)
    return [item for item in left if item.id in wanted or removable(item)]


def removable(item: Item) -> bool:
    """Whether something goes without being named: what waits for AWS is no use to anybody but as a name."""
    return item.stays is Stays.STRAY or (item.stays is Stays.WAITS and item.kind is Kind.SECRET)


def remove(items: Iterable[Item], *, clients: ClientFactory, pause: Callable[[float], None]) -> Iterator[Item]:
    """Remove items, what holds others first; yield each with what was done, or why it could not be."""
    for item in sorted(items, key=lambda item: _ORDER.index(item.kind) if item.kind in _ORDER else len(_ORDER)):
        yield item.model_copy(update={"done": _removed(item, clients, pause)})


def _removed(item: Item, clients: ClientFactory, pause: Callable[[float], None]) -> str:
    acts: dict[Kind, Callable[[], object]] = {
        Kind.LOAD_BALANCER: lambda: clients("elbv2").delete_load_balancer(LoadBalancerArn=item.id),
        Kind.TARGET_GROUP: lambda: clients("elbv2").delete_target_group(TargetGroupArn=item.id),
        Kind.INTERFACE: lambda: clients("ec2").delete_network_interface(NetworkInterfaceId=item.id),
        Kind.SECURITY_GROUP: lambda: clients("ec2").delete_security_group(GroupId=item.id),
        Kind.LOG_GROUP: lambda: clients("logs").delete_log_group(logGroupName=item.id),
        Kind.VOLUME: lambda: clients("ec2").delete_volume(VolumeId=item.id),
        Kind.BUCKET: partial(_empty_and_delete, clients, item.id),
        Kind.SECRET: lambda: clients("secretsmanager").delete_secret(SecretId=item.id, ForceDeleteWithoutRecovery=True),
        Kind.KEY: lambda: clients("kms").schedule_key_deletion(KeyId=item.id, PendingWindowInDays=_KEY_WAITS_DAYS),
    }
    act = acts.get(item.kind)
    if act is None:
        return "not removed: this command does not know how; delete it in the console"
    for tries_left in reversed(range(_TRIES)):
        try:
            with aws.reading(f"the {item.kind} {item.id}"):
                act()
        except OpsError as error:
            held = getattr(error.__cause__, "response", {}).get("Error", {}).get("Code") in _HELD
            if held and tries_left:
                pause(_PAUSE_SECONDS)
                continue
            return f"not removed: {error.problem}"
        if item.kind is Kind.KEY:
            return f"deleted in {_KEY_WAITS_DAYS} days, unless `aws kms cancel-key-deletion` keeps it"
        return "removed"
    raise AssertionError("the last try returns")


def _empty_and_delete(clients: ClientFactory, bucket: str) -> None:
    s3 = clients("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        every = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in every]
        for start in range(0, len(keys), _OBJECTS_AT_ONCE):
            some = {"Objects": keys[start : start + _OBJECTS_AT_ONCE], "Quiet": True}
            errors = s3.delete_objects(Bucket=bucket, Delete=some).get("Errors", [])
            if errors:
                raise OpsError(f"{errors[0]['Key']} in {bucket}: {errors[0]['Message']}", remedy="")
    s3.delete_bucket(Bucket=bucket)
