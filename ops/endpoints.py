"""Where a deployed environment is reached, from the outputs of its stacks."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ops import aws
from ops.stacks import outputs_of, read_stacks, require_deployed
from settings import Environment, output_keys

# Output key -> what a person calls it; the order is the order of the table.
LABELS: dict[str, str] = {
    output_keys.MILVUS_URI: "Milvus",
    output_keys.MILVUS_ENDPOINT: "Network load balancer",
    output_keys.ATTU_ENDPOINT: "Attu",
    output_keys.KUBECONFIG_COMMAND: "kubeconfig",
    output_keys.ROOT_SECRET_ARN: "Secret of root",
    output_keys.KAFKA_SECRET_ARN: "Secret for Kafka",
    output_keys.BOOTSTRAP_BROKERS: "Brokers",
    output_keys.DATA_BUCKET_NAME: "Data bucket",
    output_keys.BACKUP_BUCKET_NAME: "Backup bucket",
}


class Endpoint(BaseModel):
    """One thing to connect to, run or look up; never a secret, at most a secret's ARN."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    label: str
    value: str | None
    why_absent: str = ""


def read_endpoints(env: Environment, *, client: aws.AwsClient | None = None) -> tuple[Endpoint, ...]:
    """Return the endpoints of a deployed environment.

    Raises:
        OpsError: It is not deployed, or AWS cannot be read.
    """
    stacks = read_stacks(env, client=client)
    require_deployed(env, stacks)
    outputs = outputs_of(stacks)
    absent = _absent(env)
    return tuple(
        Endpoint(
            key=key,
            label=label,
            value=outputs.get(key),
            why_absent="" if key in outputs else absent.get(key, "its stack is not deployed"),
        )
        for key, label in LABELS.items()
    )


def _absent(env: Environment) -> dict[str, str]:
    """Return which outputs the settings leave out, and why."""
    reasons: dict[str, str] = {}
    if env.milvus.attu.exposure == "off":
        reasons[output_keys.ATTU_ENDPOINT] = "off (milvus.attu.exposure)"
    if not env.milvus.authorization:
        reasons[output_keys.ROOT_SECRET_ARN] = "Milvus demands no login (milvus.authorization)"
    if env.queue.kind != "msk":
        for key in (output_keys.KAFKA_SECRET_ARN, output_keys.BOOTSTRAP_BROKERS):
            reasons[key] = f"the queue is {env.queue.kind}"
    return reasons
