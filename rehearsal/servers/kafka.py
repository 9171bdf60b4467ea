"""Apache Kafka on loopback: brokers in KRaft mode that admit SASL_SSL with SCRAM-SHA-512 only, as MSK does."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from rehearsal.certificates import LOOPBACK_NAMES, Authority
from rehearsal.ports import LOOPBACK, free_port, listens
from rehearsal.run import Run
from rehearsal.servers.maven import kafka_jars
from rehearsal.servers.process import Process, ServerError
from rehearsal.servers.scram import MECHANISM, jaas, java_properties, stored_credential
from rehearsal.servers.startable import Startable

_BROKER_USER = "broker"
_TOOL_SECONDS = 60
_STARTED = "Kafka Server started"
_LOG_CONFIGURATION = {
    # The level is given on the command line: brokers tell more than tools, whose standard output is their answer.
    "log4j.rootLogger": "${rehearsal.level}, stderr",
    "log4j.appender.stderr": "org.apache.log4j.ConsoleAppender",
    "log4j.appender.stderr.target": "System.err",
    "log4j.appender.stderr.layout": "org.apache.log4j.PatternLayout",
    "log4j.appender.stderr.layout.ConversionPattern": "%d %p %c{1}: %m%n",
    # Prints every property at start, and with it the broker's own login.
    "log4j.logger.kafka.server.KafkaConfig": "WARN",
}


class KafkaError(ServerError):
    """A Kafka tool failed; the message holds its output."""


class Kafka(Startable):
    """A cluster of brokers that are controllers too: with three, one may be down.

    Args:
        properties: the broker configuration of the MSK cluster; it must not set listeners or security.
        users: password by user name.
        brokers: how many processes of about 350 MB each.

    Attributes:
        bootstrap: comma-separated ``localhost:PORT``, as MSK's bootstrap string.
        authority: path of the certificate authority that signed the brokers' certificates, PEM.
        processes: one supervised process per broker, first broker id 1.
    """

    def __init__(
        self,
        *,
        run: Run,
        properties: Mapping[str, str],
        users: Mapping[str, str],
        brokers: int = 3,
        name: str = "kafka",
    ) -> None:
        self._run = run
        self._name = name
        self._jars = kafka_jars()
        self._properties = dict(properties)
        self._users = {**users, _BROKER_USER: secrets.token_urlsafe(24)}
        self._cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self._ports = [free_port() for _ in range(brokers)]
        self._controllers = [free_port() for _ in range(brokers)]
        self._certificates = Authority(f"{name}-ca")
        self.authority = run.secret_file(name, "ca.pem", self._certificates.certificate)
        self._log_file = run.data(name) / "log4j.properties"
        self._log_file.write_text(java_properties(_LOG_CONFIGURATION))
        self.bootstrap = ",".join(f"localhost:{port}" for port in self._ports)
        self.processes = [self._broker(number) for number in range(1, brokers + 1)]

    def start_broker(self, number: int) -> None:
        """Start broker ``number`` (from 1) again and wait until the cluster has its partitions in sync."""
        broker = self.processes[number - 1]
        broker.start()
        self._wait(number)
        broker.wait_until(lambda: not self.under_replicated(), seconds=60, what="in sync")

    def stop_broker(self, number: int) -> None:
        """Kill broker ``number`` (from 1), as a lost machine would."""
        self.processes[number - 1].kill()

    def topics(self) -> list[str]:
        """Return the names of all topics but Kafka's own."""
        listed = self._tool("org.apache.kafka.tools.TopicCommand", "--list", "--exclude-internal")
        return sorted(line for line in listed.splitlines() if line)

    def describe(self, topic: str) -> str:
        """Partitions, leaders, replicas and own configuration of ``topic``."""
        return self._tool("org.apache.kafka.tools.TopicCommand", "--describe", "--topic", topic)

    def under_replicated(self) -> list[str]:
        """Partitions with a replica that is not in sync."""
        listed = self._tool("org.apache.kafka.tools.TopicCommand", "--describe", "--under-replicated-partitions")
        return [line.strip() for line in listed.splitlines() if line.strip()]

    def offsets(self) -> dict[str, int]:
        """Messages ever written by topic: the sum of its partitions' end offsets, Kafka's own topics left out."""
        listed = self._tool("org.apache.kafka.tools.GetOffsetShell", "--exclude-internal-topics", "--time", "latest")
        totals: dict[str, int] = {}
        for line in listed.splitlines():
            topic, _, rest = line.partition(":")
            if rest:
                totals[topic] = totals.get(topic, 0) + int(rest.rsplit(":", 1)[1] or 0)
        return totals

    def _start(self, stack: ExitStack) -> None:
        for number, broker in enumerate(self.processes, start=1):
            self._format(number)
            # A clean stop waits for the other controllers, which are going too.
            stack.callback(broker.kill)
            broker.start()
        for number in range(1, len(self.processes) + 1):
            self._wait(number)

    def _wait(self, number: int) -> None:
        broker = self.processes[number - 1]
        broker.wait_until(
            lambda: listens(self._ports[number - 1]) and _STARTED in broker.last_lines(200), seconds=90, what="started"
        )

    def _broker(self, number: int) -> Process:
        part = f"{self._name}-{number}"
        self._run.secret_file(part, "server.properties", java_properties(self._server_properties(number)))
        return Process(
            name=part,
            command=self._java("kafka.Kafka", str(self._file(number, "server.properties")), heap="512m", level="INFO"),
            log=self._run.log(part),
        )

    def _server_properties(self, number: int) -> dict[str, str]:
        issued = self._certificates.issue(f"broker-{number}", hosts=LOOPBACK_NAMES)
        listener = "listener.name.sasl_ssl"
        port, controller = self._ports[number - 1], self._controllers[number - 1]
        part = f"{self._name}-{number}"
        keys = self._run.secret_file(
            part, "keystore.pem", issued.key + issued.certificate + self._certificates.certificate
        )
        voters = (f"{n}@{LOOPBACK}:{p}" for n, p in enumerate(self._controllers, start=1))
        replicas = str(min(3, len(self._ports)))
        return {
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.replication.factor": replicas,
            **self._properties,
            "node.id": str(number),
            "process.roles": "broker,controller",
            "controller.quorum.voters": ",".join(voters),
            "controller.listener.names": "CONTROLLER",
            "listeners": f"SASL_SSL://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"SASL_SSL://localhost:{port}",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "SASL_SSL",
            "sasl.enabled.mechanisms": MECHANISM,
            "sasl.mechanism.inter.broker.protocol": MECHANISM,
            f"{listener}.{MECHANISM.lower()}.sasl.jaas.config": jaas(_BROKER_USER, self._users[_BROKER_USER]),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(keys),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority),
            "log.dirs": str(self._run.data(f"{part}-volumes")),
        }

    def _format(self, number: int) -> None:
        users = [argument for user in self._users.items() for argument in ("--add-scram", stored_credential(*user))]
        config = str(self._file(number, "server.properties"))
        # In one word: an id may begin with a hyphen, which the tool would take for an option.
        cluster = f"--cluster-id={self._cluster}"
        self._run_java("kafka.tools.StorageTool", "format", cluster, "--config", config, *users)

    def _tool(self, tool: str, *arguments: str) -> str:
        """Return what a tool of Kafka's prints, as the brokers' own user."""
        client = {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": MECHANISM,
            "sasl.jaas.config": jaas(_BROKER_USER, self._users[_BROKER_USER]),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority),
        }
        # A file of its own for each call: calls of several threads must not write over one another's.
        config = self._run.secret_file(self._name, f"client-{uuid.uuid4().hex}.properties", java_properties(client))
        try:
            connection = ["--bootstrap-server", self.bootstrap, "--command-config", str(config)]
            return self._run_java(tool, *connection, *arguments)
        finally:
            config.unlink()

    def _java(self, main: str, *arguments: str, heap: str, level: str) -> list[str]:
        return [
            "java",
            f"-Xmx{heap}",
            "-XX:TieredStopAtLevel=1",
            "-Djava.awt.headless=true",
            f"-Drehearsal.level={level}",
            f"-Dlog4j.configuration=file:{self._log_file}",
            "-cp",
            f"{self._jars}/*",
            main,
            *arguments,
        ]

    def _run_java(self, main: str, *arguments: str) -> str:
        tool = main.rsplit(".", 1)[-1]
        try:
            done = subprocess.run(
                self._java(main, *arguments, heap="256m", level="WARN"),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_TOOL_SECONDS,
                # It makes java print a line that would be taken for a part of the answer.
                env={key: value for key, value in os.environ.items() if key != "JAVA_TOOL_OPTIONS"},
            )
        except subprocess.TimeoutExpired as error:
            raise KafkaError(f"{tool} had no answer after {_TOOL_SECONDS} s: are most brokers down?") from error
        if done.returncode:
            raise KafkaError(f"{tool} failed:\n{(done.stdout + done.stderr)[-2000:]}")
        return done.stdout

    def _file(self, number: int, name: str) -> Path:
        return self._run.data(f"{self._name}-{number}") / name
