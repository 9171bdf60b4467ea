"""What only AWS knows about a release: bucket, brokers, roles and secrets, as plain strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from settings import Environment


@dataclass(frozen=True, kw_only=True)
class ReleaseContext:
    """Values that the stacks hand to the charts.

    Any of them may be, or contain, a CDK token: they are written into objects as they are, and never parsed, measured
    or compared with anything but None.
    """

    region: str
    """AWS region of the bucket and the secrets."""
    url_suffix: str
    """Domain of the AWS partition, such as ``amazonaws.com``."""
    bucket: str
    """Name of the data bucket."""
    role_arn: str
    """IAM role of Milvus's service account (IRSA); it reaches the bucket's root path."""
    secrets_role_arn: str | None = None
    """IAM role that reads the secrets below, and nothing else; needed as soon as there is one."""
    broker_list: str | None = None
    """SASL/SCRAM bootstrap brokers as ONE comma-separated string; None without MSK."""
    kafka_secret_arn: str | None = None
    """Secret with the keys ``username`` and ``password`` of the SCRAM user; None without MSK."""
    root_secret_arn: str | None = None
    """Secret with the key ``password`` of Milvus's user ``root``; None without authorization."""

    @classmethod
    def placeholders(cls, env: Environment) -> Self:
        """Return a context for manifests that no stack has resolved: ``${NAME}`` where only AWS knows the value.

        The form is that of ``envsubst``. Names: ``BUCKET_NAME``, ``MILVUS_ROLE_ARN``, ``SECRETS_ROLE_ARN``,
        ``BOOTSTRAP_BROKERS``, ``KAFKA_SECRET_ARN`` and ``ROOT_SECRET_ARN``.
        """
        msk = env.queue.kind == "msk"
        authorization = env.milvus.authorization
        # https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
        suffix = "amazonaws.com.cn" if env.region.startswith("cn-") else "amazonaws.com"
        return cls(
            region=env.region,
            url_suffix=suffix,
            bucket="${BUCKET_NAME}",
            role_arn="${MILVUS_ROLE_ARN}",
            secrets_role_arn="${SECRETS_ROLE_ARN}" if needs_secrets(env) else None,
            broker_list="${BOOTSTRAP_BROKERS}" if msk else None,
            kafka_secret_arn="${KAFKA_SECRET_ARN}" if msk else None,
            root_secret_arn="${ROOT_SECRET_ARN}" if authorization else None,
        )


def needs_secrets(env: Environment) -> bool:
    """Return whether the release reads anything from Secrets Manager."""
    attu = env.milvus.attu
    sign_in = attu.exposure != "off" and attu.oidc is not None
    return env.queue.kind == "msk" or env.milvus.authorization or sign_in


def require(value: str | None, field: str, reason: str) -> str:
    """Return a value of the context.

    Raises:
        ValueError: It is None; the message names the field and why it is needed.
    """
    if value is None:
        raise ValueError(f"ReleaseContext.{field} is None, but {reason}; pass it")
    return value
