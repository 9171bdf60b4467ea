"""The wording of CloudFormation's and the services' refusals, so that a rehearsal reads like the real thing."""

from __future__ import annotations

import uuid


class ResourceError(ValueError):
    """A resource that AWS would refuse; its text becomes the reason of the stack event."""


def invalid_request(message: str, *, code: str = "InvalidRequest") -> ResourceError:
    """Return what a resource handler of CloudFormation reports when the service refuses a request.

    ``code`` is one of CloudFormation's handler error codes:
    https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
    """
    return ResourceError(
        f'Resource handler returned message: "{message}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})'
    )


def service_fault(service: str, message: str, *, status: int = 400, code: str = "InvalidRequest") -> ResourceError:
    """Return the same for an error that names its service, as the SDK-based handlers report it."""
    return invalid_request(
        f"{message} (Service: {service}, Status Code: {status}, Request ID: {uuid.uuid4()})", code=code
    )


def model_fault(logical_id: str, problems: list[str]) -> ResourceError:
    """Properties that break the resource's schema, in the words of CloudFormation's own check."""
    return ResourceError(
        f"Properties validation failed for resource {logical_id} with message:\n[{', '.join(problems)}]"
    )
