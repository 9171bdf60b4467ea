"""Everything a Milvus cluster of this project stands on: Kafka as our MSK, S3 as our bucket, etcd."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from charts.values.merge import merged
from rehearsal.run import Run
from rehearsal.servers.etcd import Etcd
from rehearsal.servers.kafka import Kafka
from rehearsal.servers.milvus import Milvus, addresses, server
from rehearsal.servers.milvus_configuration import Configuration, nested
from rehearsal.servers.s3 import S3, S3User
from rehearsal.servers.s3_gate import Judge, S3Gate
from rehearsal.servers.startable import Startable

BUCKET = "milvus-data"
# What every release line's chart writes for an external Kafka with SASL_SSL and SCRAM.
KAFKA_LAYER = nested(
    {"mq.type": "kafka", "kafka.securityProtocol": "SASL_SSL", "kafka.saslMechanisms": "SCRAM-SHA-512"}
)
_SECRET_VARIABLES = ("KAFKA_SASLPASSWORD", "COMMON_SECURITY_DEFAULTROOTPASSWORD")


class Stand(Startable):
    """Kafka, S3 and etcd, on which one or several Milvus clusters run beside one another.

    Args:
        properties: broker configuration of the MSK cluster.
        layers: configuration of the rendered chart (``chart_layers``), or only the part that concerns Kafka.
        environment: environment of the rendered pods; the Kafka login and root's password are added where missing.
        login: Kafka user name and password (our generated secret); made up when not given.
        judge: decides what Milvus may ask of S3; without one, its key may do everything.

    Attributes:
        token: ``root:password`` of the Milvus clusters, valid where authorization is on.
    """

    def __init__(
        self,
        *,
        run: Run,
        properties: Mapping[str, str],
        layers: Sequence[Configuration] = (KAFKA_LAYER,),
        environment: Mapping[str, str] | None = None,
        login: tuple[str, str] | None = None,
        brokers: int = 3,
        name: str = "",
        judge: Judge | None = None,
    ) -> None:
        self.run = run
        self.user, self.password = login or ("milvus", secrets.token_urlsafe(24))
        self._layers = tuple(layers)
        self._environment = {
            "KAFKA_SASLUSERNAME": self.user,
            "KAFKA_SASLPASSWORD": self.password,
            "COMMON_SECURITY_DEFAULTROOTPASSWORD": secrets.token_urlsafe(24),
            **(environment or {}),
        }
        self.token = f"root:{server().root_password or self._environment['COMMON_SECURITY_DEFAULTROOTPASSWORD']}"
        self.writer = S3User(access_key="milvus", secret_key=secrets.token_urlsafe(24))
        self.reader = S3User(access_key="reader", secret_key=secrets.token_urlsafe(24), writes=False)
        prefix = f"{name}-" if name else ""
        users = {self.user: self.password}
        self.kafka = Kafka(run=run, properties=properties, users=users, brokers=brokers, name=f"{prefix}kafka")
        self.s3 = S3(run=run, bucket=BUCKET, users=(self.writer, self.reader), name=f"{prefix}s3")
        self.gate = S3Gate(s3=self.s3, judge=judge) if judge else None
        self.etcd = Etcd(run=run, name=f"{prefix}etcd")

    def milvus(
        self,
        *,
        name: str = "milvus",
        prefix: str | None = None,
        environment: Mapping[str, str] | None = None,
        s3_user: S3User | None = None,
        gate: S3Gate | None = None,
        authority: Path | None = None,
        configuration: Mapping[str, object] | None = None,
        waits: bool = True,
    ) -> Milvus:
        """Return a Milvus cluster on this stand, not started yet.

        Its configuration is that of the layers but for addresses, S3 keys and authority. A ``prefix`` gives it topics,
        objects and metadata of its own, beside another cluster's. The other arguments replace one value: a fault.
        """
        s3 = gate or self.gate or self.s3
        replaced = addresses(etcd=self.etcd, kafka=self.kafka, s3=s3, user=s3_user or self.writer)
        own: dict[str, object] = dict(configuration or {})
        if prefix is not None:
            # Below the root path, where Milvus's role may write.
            root = merged(*self._layers).get("minio", {}).get("rootPath", "files")
            below = {"etcd.rootPath": prefix, "minio.rootPath": f"{root}/{prefix}"}
            own |= {**below, "msgChannel.chanNamePrefix.cluster": prefix}
        if authority is not None:
            own |= {f"kafka.{side}.ssl.ca.location": str(authority) for side in ("consumer", "producer")}
        given = {**self._environment, **(environment or {})}
        return Milvus(
            run=self.run,
            layers=[*self._layers, replaced, nested(own)],
            environment=given,
            secrets=[*(given[name] for name in _SECRET_VARIABLES), self.writer.secret_key, self.reader.secret_key],
            name=name,
            waits=waits,
        )

    def _start(self, stack: ExitStack) -> None:
        for each in (self.kafka, self.s3, self.gate, self.etcd):
            if each is not None:
                stack.enter_context(each)
