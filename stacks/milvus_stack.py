"""The Milvus stack: identity, credentials, the release with its companions, and the way to reach it."""

from __future__ import annotations

import aws_cdk as cdk
import cdk8s
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from charts.context import ReleaseContext, needs_secrets
from charts.milvus import MilvusChart
from charts.names import SECRETS_SERVICE_ACCOUNT, SERVICE_ACCOUNT
from charts.workloads import attu_name, etcd_name
from milvus_constructs.cluster.irsa_role import IrsaRole
from milvus_constructs.cluster.load_balancer_address import LoadBalancerAddress
from milvus_constructs.kafka.access import KafkaAccess
from milvus_constructs.root_password import RootPassword
from milvus_constructs.storage import MilvusStorage
from settings import Environment, output_keys
from settings.contract import CLIENT_PORT, HELM_CHART_KIND
from settings.parts import Part
from stacks.base import EnvironmentStack
from stacks.eks_stack import EksStack
from stacks.streaming_stack import StreamingStack


class MilvusStack(EnvironmentStack):
    """The release and what it needs: changes often; when it does not become ready, only this stack rolls back."""

    def __init__(
        self,
        scope: Construct,
        *,
        env: Environment,
        eks: EksStack,
        storage: MilvusStorage,
        streaming: StreamingStack | None,
    ) -> None:
        super().__init__(
            scope,
            Part.MILVUS,
            env=env,
            description="the release, its identity, credentials and load balancers",
        )
        self._env = env
        self._eks = eks
        self._streaming = streaming
        identity = IrsaRole(
            self,
            "Identity",
            identities=eks.service_accounts,
            namespace=env.milvus.namespace,
            service_account=SERVICE_ACCOUNT,
            description="Milvus: the objects under its root path",
        )
        storage.grant_milvus(identity.role)
        self.root = (
            # The scope is part of the secret's logical id: without it a deployment would make another password.
            RootPassword(Construct(self, "RootPassword"), "Secret", removal=env.removal_policy)
            if env.milvus.authorization
            else None
        )
        """Secret with the password of Milvus's user root; None without authorization."""
        reader = self._secrets_reader() if needs_secrets(env) else None
        context = ReleaseContext(
            region=self.region,
            url_suffix=self.url_suffix,
            bucket=storage.data_bucket.bucket_name,
            role_arn=identity.arn,
            secrets_role_arn=reader.arn if reader else None,
            broker_list=streaming.bootstrap_brokers if streaming else None,
            kafka_secret_arn=streaming.user.secret_arn if streaming else None,
            root_secret_arn=self.root.secret_arn if self.root else None,
        )
        self.chart = eks.attach(MilvusChart(cdk8s.App(), "milvus", env=env, context=context), self)
        """The release and its companions."""
        # Pods are not even created before they may do what they have to do.
        self.chart.node.add_dependency(identity, *([reader] if reader else []), *self._kafka_access())
        self._await_release()
        for key, (value, description) in self._outputs().items():
            cdk.CfnOutput(self, key, value=value, description=description)

    def _secrets_reader(self) -> IrsaRole:
        """Create the role that reads exactly the secrets of this release."""
        reader = IrsaRole(
            self,
            "SecretsReader",
            identities=self._eks.service_accounts,
            namespace=self._env.milvus.namespace,
            service_account=SECRETS_SERVICE_ACCOUNT,
            description="External Secrets Operator: the secrets of Milvus",
        )
        attu = self._env.milvus.attu
        secrets: list[secretsmanager.ISecret] = [self._streaming.user] if self._streaming else []
        if self.root:
            secrets.append(self.root)
        if attu.exposure != "off" and attu.oidc:
            arn = attu.oidc.client_secret_arn
            secrets.append(secretsmanager.Secret.from_secret_complete_arn(self, "AttuClient", arn))
        for secret in secrets:
            secret.grant_read(reader.role)
        return reader

    def _kafka_access(self) -> list[KafkaAccess]:
        """Open the brokers to the nodes; pods of a managed node group carry the cluster's own security group."""
        if self._streaming is None:
            return []
        return [
            KafkaAccess(
                self,
                "Kafka",
                brokers=self._streaming.security_group,
                client_security_group_id=self._eks.cluster.cluster_security_group_id,
            )
        ]

    def _await_release(self) -> None:
        milvus = self._env.milvus
        release = self.chart.find(HELM_CHART_KIND, milvus.release_name)
        trigger = self.to_json_string(release.manifest["spec"])
        preparation = self._eks.tasks.prepare_release(
            self,
            "Preparation",
            namespace=milvus.namespace,
            release=milvus.release_name,
            etcd=etcd_name(self._env),
            volume_gib=milvus.etcd.volume_gib,
            trigger=trigger,
        )
        # The last thing before Helm, when nothing else can fail any more.
        preparation.node.add_dependency(*release.resource.node.dependencies)
        release.resource.node.add_dependency(preparation)
        readiness = self._eks.tasks.await_release(
            self,
            "Readiness",
            namespace=milvus.namespace,
            release=milvus.release_name,
            timeout=cdk.Duration.minutes(milvus.ready_minutes),
            trigger=trigger,
        )
        readiness.node.add_dependency(release.resource)

    def _outputs(self) -> dict[str, tuple[str, str]]:
        milvus = self._env.milvus
        host = self._address("Address", "Service", milvus.service.name)
        scheme = "https" if milvus.service.certificate_arn else "http"
        outputs = {
            output_keys.NAMESPACE: (milvus.namespace, "Namespace of the release."),
            output_keys.RELEASE_NAME: (milvus.release_name, "Name of the Helm release."),
            output_keys.MILVUS_ENDPOINT: (f"{host}:{CLIENT_PORT}", "Load balancer of Milvus (gRPC and REST)."),
            output_keys.MILVUS_URI: (
                f"{scheme}://{milvus.service.hostname or host}:{CLIENT_PORT}",
                "What a Milvus client connects to.",
            ),
        }
        if milvus.attu.exposure != "off":
            scheme = "https" if milvus.attu.certificate_arn else "http"
            host = self._address("AttuAddress", "Ingress", attu_name(self._env))
            outputs[output_keys.ATTU_ENDPOINT] = (f"{scheme}://{host}", "Attu, the web console.")
        if self.root:
            outputs[output_keys.ROOT_SECRET_ARN] = (self.root.secret_arn, "Secret with the password of the user root.")
        return outputs

    def _address(self, construct_id: str, kind: str, name: str) -> str:
        attached = self.chart.find(kind, name)
        address = LoadBalancerAddress(self, construct_id, cluster=self._eks.cluster, attached=attached)
        # It may look for ten minutes, and would hold two of a new account's ten functions beside what is applied.
        address.node.add_dependency(self.chart)
        return address.host
