"""Application Auto Scaling, of which MSK's storage growth is the use here. Kept as records: nothing scales."""

from __future__ import annotations

import uuid

from rehearsal.account.base import Created, Handler, Properties, Request
from rehearsal.account.refusals import service_fault
from rehearsal.account.state import Store

_DIMENSIONS = {
    "kafka": {"kafka:broker-storage:VolumeSize"},
    "ecs": {"ecs:service:DesiredCount"},
    "lambda": {"lambda:function:ProvisionedConcurrency"},
}


class ScalableTarget(Handler):
    """AWS::ApplicationAutoScaling::ScalableTarget: ``Ref`` is resource, dimension and service joined by bars."""

    def __init__(self, targets: Store) -> None:
        self._targets = targets

    def create(self, request: Request) -> Created:
        """Register the target after the service's checks.

        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
        """
        wanted = request.properties
        service, dimension = wanted["ServiceNamespace"], wanted["ScalableDimension"]
        if dimension not in _DIMENSIONS.get(service, set()):
            raise service_fault(
                "ApplicationAutoScaling",
                f"Unsupported service namespace, resource type or scalable dimension: {dimension}",
            )
        low, high = int(wanted["MinCapacity"]), int(wanted["MaxCapacity"])
        if low > high:
            raise service_fault("ApplicationAutoScaling", "Maximum capacity cannot be less than minimum capacity")
        if service == "kafka" and not wanted["ResourceId"].startswith("arn:"):
            raise service_fault("ApplicationAutoScaling", "The resource ID of an MSK cluster is its ARN")
        key = f"{wanted['ResourceId']}|{dimension}|{service}"
        self._targets.put(key, wanted)
        return Created(key, {"Id": key})

    def update(self, request: Request) -> Created:
        """Capacities change in place."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Deregisters the target."""
        self._targets.drop(request.physical_id)


class ScalingPolicy(Handler):
    """AWS::ApplicationAutoScaling::ScalingPolicy: ``Ref`` is its ARN."""

    def __init__(self, targets: Store, policies: Store) -> None:
        self._targets = targets
        self._policies = policies

    def create(self, request: Request) -> Created:
        """Attaches a policy to a registered target."""
        wanted = request.properties
        named = "|".join(str(wanted.get(key)) for key in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
        target = self._targets.get(wanted.get("ScalingTargetId") or named)
        if target is None:
            raise service_fault(
                "ApplicationAutoScaling", "No scalable target registered for the given resource and dimension"
            )
        tracking = wanted.get("TargetTrackingScalingPolicyConfiguration")
        if wanted["PolicyType"] == "TargetTrackingScaling" and not tracking:
            raise service_fault("ApplicationAutoScaling", "TargetTrackingScalingPolicyConfiguration is required")
        if target["ServiceNamespace"] == "kafka":
            self._check_storage(tracking or {})
        arn = request.physical_id or f"arn:aws:autoscaling:{self._place(request)}:scalingPolicy:{uuid.uuid4()}"
        self._policies.put(arn, wanted)
        return Created(arn, {"Arn": arn})

    def update(self, request: Request) -> Created:
        """Change the policy's settings in place."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Remove the policy."""
        self._policies.drop(request.physical_id)

    @staticmethod
    def _check_storage(tracking: Properties) -> None:
        # Storage of a broker only grows: https://docs.aws.amazon.com/msk/latest/developerguide/msk-autoexpand.html
        if str(tracking.get("DisableScaleIn", False)).lower() != "true":
            raise service_fault(
                "ApplicationAutoScaling", "Scale in is not supported for MSK: DisableScaleIn must be true"
            )
        metric = (tracking.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
        if metric != "KafkaBrokerStorageUtilization":
            raise service_fault(
                "ApplicationAutoScaling", f"Unsupported metric {metric} for the service namespace kafka"
            )

    @staticmethod
    def _place(request: Request) -> str:
        identity = request.aws("sts").get_caller_identity()
        return f"{request.aws('sts').meta.region_name}:{identity['Account']}"


def handlers() -> dict[str, Handler]:
    """Return the handlers over one pair of stores."""
    targets, policies = Store(), Store()
    return {
        "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTarget(targets),
        "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicy(targets, policies),
    }
