"""Where the emulator's own CloudFormation differs from AWS in ways that the application would notice."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rehearsal.account import identity, references
from rehearsal.account.base import Created, Properties, tag_map
from rehearsal.account.occupants import require_empty

Entry = dict[str, Any]


# The variable by which the application's functions say how long they pause, and what stands there instead.
PAUSE, PAUSE_SECONDS = "PAUSE_SECONDS", "0.5"
# Types whose corrected handlers call back into the server.
CALLING = frozenset({"AWS::EC2::Subnet"})


def apply(provisioners: Any, aws: Callable[[str], Any]) -> None:
    """Corrects the emulator in this process; comes after the schema checks are in place."""
    provisioners._sm_secret_string = identity.secret_string
    handlers: dict[str, Entry] = provisioners._RESOURCE_HANDLERS
    _secrets(handlers["AWS::SecretsManager::Secret"])
    _clusters(provisioners)
    _node_groups(provisioners)
    from ministack.services import iam, lambda_svc, s3  # noqa: PLC0415 - they read the environment when imported
    from ministack.services.cloudformation import custom_resource, engine  # noqa: PLC0415 - the same

    _references(engine)
    _conditions(engine)
    _functions(lambda_svc, custom_resource)
    _buckets(handlers["AWS::S3::Bucket"], s3)
    _roles(handlers["AWS::IAM::Role"], iam)
    _subnets(handlers["AWS::EC2::Subnet"], aws)


def _references(engine: Any) -> None:
    """Refuse a reference to nothing, which the emulator takes for the text of its name."""
    validate: Callable[[dict[str, Any]], None] = engine._validate_template_statics

    def validated(template: dict[str, Any]) -> None:
        validate(template)
        references.check(template)

    engine._validate_template_statics = validated


def _conditions(engine: Any) -> None:
    """Resolve a ``Fn::Join`` in a condition, which the emulator compares as it stands, also for the bootstrap."""
    evaluate: Callable[[dict[str, Any], dict[str, Any]], dict[str, bool]] = engine._evaluate_conditions

    def joined(node: Any, params: dict[str, Any]) -> Any:
        if isinstance(node, list):
            return [joined(entry, params) for entry in node]
        if not isinstance(node, dict):
            return node
        if "Fn::Join" in node:
            return engine._resolve_refs(node, {}, params, {}, {}, "", "")
        return {key: joined(value, params) for key, value in node.items()}

    def evaluated(template: dict[str, Any], params: dict[str, Any]) -> dict[str, bool]:
        return evaluate({**template, "Conditions": joined(template.get("Conditions", {}), params)}, params)

    # Its modules have taken the function by name.
    for name, module in list(sys.modules.items()):
        if name.startswith(engine.__package__) and getattr(module, evaluate.__name__, None) is evaluate:
            setattr(module, evaluate.__name__, evaluated)


def _secrets(entry: Entry) -> None:
    """``Ref`` of a secret is its ARN in AWS and its name in the emulator."""
    create, update, delete = entry["create"], entry["update"], entry["delete"]

    def created(logical_id: str, properties: Properties, stack: str) -> Created:
        _, attributes = create(logical_id, properties, stack)
        return Created(attributes["Id"], attributes)

    def updated(physical_id: str, old: Properties, new: Properties, stack: str, *rest: str) -> Created:
        _, attributes = update(secret_name(physical_id), old, new, stack, *rest)
        return Created(attributes["Id"], attributes)

    def deleted(physical_id: str, properties: Properties, *rest: str) -> None:
        delete(secret_name(physical_id), properties, *rest)

    entry.update(create=created, update=updated, delete=deleted)


def secret_name(arn: str) -> str:
    """Return the name in ``arn:aws:secretsmanager:region:account:secret:NAME-suffix``; a name is returned as it is."""
    return arn.split(":", 6)[6].rpartition("-")[0] if arn.startswith("arn:") else arn


def _buckets(entry: Entry, s3: Any) -> None:
    """Keep what the emulator drops: tags, by which CDK's function knows that it may empty the bucket, and the key."""
    create, update = entry["create"], entry["update"]

    def kept(bucket: str, properties: Properties) -> None:
        s3._bucket_tags[bucket] = tag_map(properties)
        for rule in properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", []):
            default = rule.get("ServerSideEncryptionByDefault", {})
            # Without a key of its own a bucket has AWS's, which nobody needs a permission for.
            if not default.get("KMSMasterKeyID"):
                continue
            inner = "".join(f"<{name}>{value}</{name}>" for name, value in default.items())
            rules = f"<Rule><ApplyServerSideEncryptionByDefault>{inner}</ApplyServerSideEncryptionByDefault></Rule>"
            text = f"<ServerSideEncryptionConfiguration>{rules}</ServerSideEncryptionConfiguration>"
            s3._put_bucket_encryption(bucket, text.encode())

    def created(logical_id: str, properties: Properties, stack: str) -> Any:
        physical_id, attributes = create(logical_id, properties, stack)
        kept(physical_id, properties)
        return physical_id, attributes

    def updated(physical_id: str, old: Properties, new: Properties, *rest: str) -> Any:
        result = update(physical_id, old, new, *rest)
        kept(result[0], new)
        return result

    entry.update(create=created, update=updated)


def _roles(entry: Entry, iam: Any) -> None:
    """Keep a role's permissions boundary, which the emulator's CloudFormation drops."""
    create, update = entry["create"], entry["update"]

    def created(logical_id: str, properties: Properties, stack: str) -> Any:
        name, attributes = create(logical_id, properties, stack)
        iam._roles[name]["PermissionsBoundary"] = properties.get("PermissionsBoundary")
        return name, attributes

    def updated(physical_id: str, old: Properties, new: Properties, *rest: str) -> Any:
        result = update(physical_id, old, new, *rest)
        iam._roles[result[0]]["PermissionsBoundary"] = new.get("PermissionsBoundary")
        return result

    entry.update(create=created, update=updated)


def _subnets(entry: Entry, aws: Callable[[str], Any]) -> None:
    """Refuse to delete a subnet under the feet of whatever stands in it; the emulator deletes it."""
    delete = entry["delete"]

    def deleted(physical_id: str, properties: Properties, *rest: str) -> None:
        require_empty(physical_id, aws)
        delete(physical_id, properties, *rest)

    entry["delete"] = deleted


def _functions(lambda_svc: Any, custom_resource: Any) -> None:
    """Fail at once when a function crashes without an answer; CloudFormation would wait an hour.

    What stands on this machine answers in milliseconds: a function that says how long it pauses pauses for less.
    """
    execute: Callable[[Entry, Any], Entry] = lambda_svc._execute_function_with_config_scope

    def executed(function: Entry, event: Any) -> Entry:
        variables = function["config"].get("Environment", {}).get("Variables", {})
        if PAUSE in variables:
            variables[PAUSE] = PAUSE_SECONDS
        result = execute(function, event)
        url = event.get("ResponseURL", "") if isinstance(event, dict) else ""
        # Only the function that CloudFormation itself calls: behind it, a provider's state machine asks others with the
        # same event, and they say "not yet" by an error.
        token = event.get("ResourceProperties", {}).get("ServiceToken", "") if url else ""
        if not token.endswith(f":{function['config']['FunctionName']}"):
            return result
        waiting = custom_resource._pending.get(url.rpartition("/")[2])
        if result.get("error") and waiting is not None and not waiting["event"].is_set():
            reason = f"the function {event['LogicalResourceId']} crashed and sent no response: {result.get('body')}"
            custom_resource.deliver_response(url.rpartition("/")[2], {"Status": "FAILED", "Reason": reason})
        return result

    lambda_svc._execute_function_with_config_scope = executed


def _clusters(provisioners: Any) -> None:
    """Attributes of an EKS cluster that the emulator does not expose."""
    attributes: Callable[[dict[str, Any]], dict[str, Any]] = provisioners._eks_cluster_attrs

    def complete(cluster: dict[str, Any]) -> dict[str, Any]:
        encryption = cluster.get("encryptionConfig") or [{}]
        key = (encryption[0].get("provider") or {}).get("keyArn", "")
        return attributes(cluster) | {"Id": cluster["name"], "EncryptionConfigKeyArn": key}

    provisioners._eks_cluster_attrs = complete


def _node_groups(provisioners: Any) -> None:
    """Keep how a node group buys its instances, which the emulator drops."""
    fields: Callable[[Properties], dict[str, Any]] = provisioners._eks_nodegroup_fields

    def complete(properties: Properties) -> dict[str, Any]:
        return fields(properties) | {"capacityType": properties.get("CapacityType", "ON_DEMAND")}

    provisioners._eks_nodegroup_fields = complete
