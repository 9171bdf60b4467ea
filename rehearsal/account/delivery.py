"""Types of the delivery pipeline and of alarms that the emulator has no service for: checked and kept as records."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from rehearsal.account.base import Created, Handler, Request
from rehearsal.account.state import Store

Describe = Callable[[Request, str], Created]


def _place(request: Request) -> str:
    client = request.aws("sts")
    return f"{client.meta.region_name}:{client.get_caller_identity()['Account']}"


def _arn(service: str, kind: str) -> Callable[[Request], str]:
    return lambda request: f"arn:aws:{service}:{_place(request)}:{kind}/{uuid.uuid4()}"


class Recorded(Handler):
    """A type whose properties are checked against the schema and of which nothing else happens."""

    def __init__(
        self, identify: Callable[[Request], str], attributes: Callable[[Request, str], dict[str, str]]
    ) -> None:
        self._identify = identify
        self._attributes = attributes
        self._records = Store()

    def create(self, request: Request) -> Created:
        """Keep the properties under what ``Ref`` returns."""
        return self._keep(request, self._identify(request))

    def update(self, request: Request) -> Created:
        """Replace the properties; the identity stays."""
        return self._keep(request, request.physical_id)

    def delete(self, request: Request) -> None:
        """Forgets the record."""
        self._records.drop(request.physical_id)

    def _keep(self, request: Request, physical_id: str) -> Created:
        self._records.put(physical_id, request.properties)
        return Created(physical_id, self._attributes(request, physical_id))


def _named(property_name: str) -> Callable[[Request], str]:
    return lambda request: str(request.properties.get(property_name) or request.name(length=100))


def handlers() -> dict[str, Handler]:
    """Return the recorded types with what ``Ref`` and ``Fn::GetAtt`` give in AWS."""

    def connection(request: Request, arn: str) -> dict[str, str]:
        # A new connection waits for somebody to authorize it in the console, in AWS too.
        return {"ConnectionArn": arn, "ConnectionStatus": "PENDING", "OwnerAccountId": _place(request).split(":")[1]}

    return {
        "AWS::CodePipeline::Pipeline": Recorded(_named("Name"), lambda _request, _id: {"Version": "1"}),
        "AWS::CodeConnections::Connection": Recorded(_arn("codeconnections", "connection"), connection),
        "AWS::CodeStarConnections::Connection": Recorded(_arn("codestar-connections", "connection"), connection),
        "AWS::CodeStarNotifications::NotificationRule": Recorded(
            _arn("codestar-notifications", "notificationrule"), lambda _request, arn: {"Arn": arn}
        ),
        "AWS::CloudWatch::CompositeAlarm": Recorded(
            _named("AlarmName"), lambda request, name: {"Arn": f"arn:aws:cloudwatch:{_place(request)}:alarm:{name}"}
        ),
    }
