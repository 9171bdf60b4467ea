"""Settings of what is exposed to whom: the load balancer for clients, and Attu with its sign-in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from settings.base import CertificateArn, Cidr, ImageRepository, ServiceName, Settings
from settings.changes import IN_PLACE, RESTARTS_ATTU, Effect, change

_OTHER_BALANCER = change(Effect.REPLACES, "the load balancer for clients, which gets another name")


class Service(Settings):
    """The network load balancer in front of the proxies. It carries 19530 and never 9091."""

    name: ServiceName = Field(
        default="milvus-service", description="Name of the Kubernetes Service.", json_schema_extra=_OTHER_BALANCER
    )
    scheme: Literal["internal", "internet-facing"] = Field(
        default="internal", description="Who can route to it.", json_schema_extra=_OTHER_BALANCER
    )
    source_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        description="Who may connect; empty means the VPC (internal only). Needed when internet-facing.",
        json_schema_extra=IN_PLACE,
    )
    certificate_arn: CertificateArn | None = Field(
        default=None,
        description="ACM certificate: the load balancer then speaks TLS on 19530.",
        json_schema_extra=IN_PLACE,
    )
    hostname: str | None = Field(
        default=None,
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
        description="DNS name that the certificate covers, and that you point to the load balancer; clients connect to "
        "it. Needed with a certificate.",
        json_schema_extra=IN_PLACE,
    )


class Oidc(Settings):
    """Sign-in at the load balancer by an OpenID Connect provider. The client's secret stays in Secrets Manager."""

    issuer: str = Field(pattern=r"^https://\S+$", description="Issuer.", json_schema_extra=IN_PLACE)
    authorization_endpoint: str = Field(
        pattern=r"^https://\S+$", description="Authorization endpoint.", json_schema_extra=IN_PLACE
    )
    token_endpoint: str = Field(pattern=r"^https://\S+$", description="Token endpoint.", json_schema_extra=IN_PLACE)
    user_info_endpoint: str = Field(
        pattern=r"^https://\S+$", description="User info endpoint.", json_schema_extra=IN_PLACE
    )
    client_secret_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w+=.@/-]+$",
        description="Secret in Secrets Manager with the keys clientID and clientSecret.",
        json_schema_extra=IN_PLACE,
    )


class Cognito(Settings):
    """Sign-in at the load balancer by an Amazon Cognito user pool."""

    user_pool_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:\d{12}:userpool/\S+$",
        description="ARN of the user pool.",
        json_schema_extra=IN_PLACE,
    )
    user_pool_client_id: str = Field(min_length=1, description="Client id.", json_schema_extra=IN_PLACE)
    user_pool_domain: str = Field(
        min_length=1, description="Domain prefix or custom domain.", json_schema_extra=IN_PLACE
    )


class Attu(Settings):
    """Attu, the web console of Milvus. It has no login of its own; from 2.6.0 on it is proprietary software."""

    exposure: Literal["off", "internal", "internet-facing"] = Field(
        default="off",
        description="Whether there is one, and behind which kind of load balancer.",
        json_schema_extra=change(Effect.REPLACES, "Attu's load balancer"),
    )
    version: str | None = Field(
        default=None,
        pattern=r"^v\d+\.\d+\.\d+$",
        description="Image tag; empty means the one that fits the line.",
        json_schema_extra=RESTARTS_ATTU,
    )
    image_repository: ImageRepository = Field(
        default="zilliz/attu", description="Image repository, or a mirror of it.", json_schema_extra=RESTARTS_ATTU
    )
    inbound_cidrs: tuple[Cidr, ...] = Field(
        default=(), description="Who may connect; empty means the VPC.", json_schema_extra=IN_PLACE
    )
    certificate_arn: CertificateArn | None = Field(
        default=None, description="ACM certificate for HTTPS.", json_schema_extra=IN_PLACE
    )
    oidc: Oidc | None = Field(
        default=None, description="Sign-in by OpenID Connect; needs a certificate.", json_schema_extra=IN_PLACE
    )
    cognito: Cognito | None = Field(
        default=None, description="Sign-in by Amazon Cognito; needs a certificate.", json_schema_extra=IN_PLACE
    )
