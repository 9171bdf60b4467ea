"""What the embedded account is started with."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

_VARIABLE = "REHEARSAL_ACCOUNT"


class KubernetesEndpoint(BaseModel):
    """A Kubernetes API server that stands in for the control plane of every EKS cluster of the account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        description="Address of the API server as the custom resources' code reaches it.", pattern="^https://"
    )
    certificate_authority: str = Field(
        description="Base64 of the PEM that signed the server's certificate.", min_length=1
    )
    issuer: str | None = Field(
        default=None,
        description="Issuer of its service-account tokens: what the cluster's OIDC provider then trusts.",
        pattern="^https://",
    )
    tools: Path = Field(
        description="Folder with kubectl/kubectl, helm/helm and awscli/aws; the handler code sees it as /opt."
    )


class ExistingSubnet(BaseModel):
    """A subnet that is there before the first deployment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subnet_id: str = Field(description="Its id.", pattern="^subnet-[0-9a-f]+$")
    zone: str = Field(description="Its availability zone, such as eu-central-1a.")
    cidr: str = Field(description="Its address range.")


class ExistingNetwork(BaseModel):
    """A VPC that is there before the first deployment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vpc_id: str = Field(description="Its id.", pattern="^vpc-[0-9a-f]+$")
    cidr: str = Field(description="Its address range.")
    subnets: tuple[ExistingSubnet, ...] = Field(description="Its subnets.", min_length=1)


class AccountOptions(BaseModel):
    """One embedded account. Its state lives in memory and ends with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_dir: Path = Field(description="Folder for logs, temporary files and what was recorded for Kubernetes.")
    account_id: str = Field(
        default="000000000000", description="The account id that it answers with.", pattern=r"^\d{12}$"
    )
    region: str = Field(description="Region of requests that name none.", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    kubernetes: KubernetesEndpoint | None = Field(
        default=None, description="Absent: manifests and Helm releases are validated and recorded, not applied."
    )
    network: ExistingNetwork | None = Field(default=None, description="A VPC to begin with, for existing-VPC settings.")
    bootstrap_brokers: str | None = Field(
        default=None, description="host:port,... that MSK reports for SASL/SCRAM instead of names that do not resolve."
    )

    quotas: dict[str, int] = Field(
        default_factory=dict, description="Quotas by their codes that are other than those of a new account."
    )

    zones: tuple[str, ...] | None = Field(
        default=None, description="Letters of the zones that the account sees in its region; else those of a new one."
    )

    @property
    def records(self) -> Path:
        """Folder of the recorded Kubernetes objects and Helm releases."""
        return self.run_dir / "kubernetes"

    def to_environment(self) -> dict[str, str]:
        """Return the one variable by which the server process receives these options."""
        return {_VARIABLE: self.model_dump_json()}

    @classmethod
    def from_environment(cls) -> AccountOptions:
        """Read back what :meth:`to_environment` wrote; the server's side."""
        return cls.model_validate_json(os.environ[_VARIABLE])
