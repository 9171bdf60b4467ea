"""Kafka, S3 and Milvus as processes: what the deployed pods would run, with the configuration and secrets they get."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import yaml

from charts.names import KAFKA_SECRET
from charts.workloads import fullname
from rehearsal.full.checks import Checks, expect
from rehearsal.full.milvus_role import milvus_judge, milvus_policies, without_start_check
from rehearsal.full.site import Site
from rehearsal.full.steps import Steps
from rehearsal.run import PROJECT, Run
from rehearsal.servers import data_path_faults as faults
from rehearsal.servers.durability import durability
from rehearsal.servers.milvus import BINARY_VARIABLE
from rehearsal.servers.milvus_configuration import Configuration, chart_layers
from rehearsal.servers.smoke import smoke
from rehearsal.servers.stand import BUCKET, Stand
from settings import Environment
from settings.parts import Part

START = "Kafka with three brokers, S3 and etcd start"
_RECORDS = PROJECT / "tests" / "chart_records"
# The newest server that PyPI has for Linux is of this line; its record is the guide's.
_LINE_OF_THE_WHEEL = "2.3"
_RECORD_OF_THE_WHEEL = _RECORDS / "4.1.28" / "guide.json"
_ROUNDS = 5
# A library's path inside the image.
_OF_THE_IMAGE = {"LD_PRELOAD"}
_FAULTS: tuple[tuple[str, Callable[[Stand], faults.FaultResult]], ...] = (
    ("fault: wrong Kafka password", faults.wrong_kafka_password),
    ("fault: broker certificate not trusted", faults.untrusted_broker_certificate),
    ("fault: S3 access denied", faults.s3_access_denied),
    ("fault: one broker down", faults.one_broker_down),
    ("control: a 4 MB message within the brokers' limit", faults.large_message_passes),
)
_FAULTS_OF_BROKERS: tuple[tuple[str, Callable[[Stand], faults.FaultResult], dict[str, str]], ...] = (
    ("fault: topic auto-creation off", faults.topic_creation_off, {"auto_create_topics_enable": "false"}),
    ("fault: message larger than the brokers' limit", faults.message_too_large, {"message_max_bytes": "1048588"}),
)


def broker_properties(template: Path) -> dict[str, str]:
    """Return the properties of the MSK configuration in a synthesized template."""
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    (found,) = [entry["Properties"] for entry in resources if entry["Type"] == "AWS::MSK::Configuration"]
    pairs = (line.partition("=") for line in str(found["ServerProperties"]).splitlines() if line.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


class DataPath:
    """The part of the rehearsal that needs no chart.

    Args:
        run: folder of logs and data.
        site: the deployed environment.
        assembly: its templates.
        deployed: whether the Milvus stack stands, so that its ConfigMap, pods and Secrets can be read.
        streaming: whether the Streaming stack stands, so that its secret can be read.
    """

    def __init__(self, *, run: Run, site: Site, assembly: Path, deployed: bool, streaming: bool) -> None:
        self._run = run
        self._site = site
        self._env: Environment = site.env
        self._deployed = deployed
        self._properties = broker_properties(site.template(Part.STREAMING, assembly))
        self._layers, self._source = self._configuration()
        self._environment = self._pod_environment() if deployed else {}
        self._login = self._kafka_login() if streaming else None
        template, self._region = site.template(Part.MILVUS, assembly), site.env.region
        self._policies = milvus_policies(template, bucket=BUCKET, region=self._region)
        self._stand: Stand | None = None

    def steps(self, steps: Steps) -> None:
        """Run all steps of this part."""
        with ExitStack() as stack:
            steps.run(START, "real", lambda: self._start(stack))
            steps.run("Milvus: ops smoke passes, rows travel through Kafka into S3", "real", self.smoke, needs=[START])
            for name, fault in _FAULTS:
                steps.run(name, "real", lambda fault=fault: _outcome(fault(self._ready())), needs=[START])  # type: ignore[misc]  # a lambda infers no type from a default
            # A newer server logs the refusal, and starts.
            if not os.environ.get(BINARY_VARIABLE):
                name = "fault: the start check may not be listed"
                steps.run(name, "real", self.start_check_denied, needs=[START])
            name = f"durability: {_ROUNDS} kills, every acknowledged row once"
            steps.run(name, "real", self.durability, needs=[START])
        for name, fault, change in _FAULTS_OF_BROKERS:
            steps.run(name, "real", lambda fault=fault, change=change: self._with_brokers(fault, change))  # type: ignore[misc]  # a lambda infers no type from a default

    def smoke(self) -> str:
        """hello_milvus, then the topics with their offsets and the objects with their sizes."""
        stand = self._ready()
        with stand.milvus() as milvus:
            seen = smoke(milvus.uri, token=stand.token)
            expect(seen.ok, f"ops smoke said: {seen}")
            offsets = {topic: count for topic, count in stand.kafka.offsets().items() if count}
            objects = stand.s3.objects()
            expect(stand.password not in milvus.log_text(), "the Kafka password stands in Milvus's log")
            refused = stand.gate.refused if stand.gate else []
            expect(not refused, f"the policy of Milvus's role refused what it asked of S3: {refused[:3]}")
        prefix = milvus.configuration["msgChannel"]["chanNamePrefix"]["cluster"]
        written = {topic: count for topic, count in offsets.items() if topic.startswith(f"{prefix}-rootcoord-dml_")}
        expect(written, f"no topic {prefix}-rootcoord-dml_* holds a message: {offsets}")
        root = milvus.configuration["minio"]["rootPath"]
        rows = {key: size for key, size in objects.items() if key.startswith(f"{root}/insert_log/")}
        expect(rows, f"no object below {root}/insert_log/: {sorted(objects)[:5]}")
        topics = ", ".join(f"{topic} {count}" for topic, count in sorted(offsets.items()))
        biggest = sorted(rows.items(), key=lambda entry: -entry[1])[:3]
        largest = ", ".join(f"{key} ({size})" for key, size in biggest)
        return "\n".join(
            (
                f"{', '.join(seen.steps)} in {seen.seconds:.0f} s",
                self._source,
                "every request to S3 allowed by the policy of Milvus's role",
                f"topics and messages: {topics}",
                f"{len(rows)} objects of rows, {sum(rows.values())} bytes; the largest: {largest}",
            )
        )

    def start_check_denied(self) -> str:
        """Milvus 2.3.5 ends where its role may list its root path only."""
        judge = milvus_judge(without_start_check(self._policies), region=self._region)
        return _outcome(faults.start_check_denied(self._ready(), judge))

    def durability(self) -> str:
        """Five kills at random moments."""
        stand = self._ready()
        with stand.milvus(name="durable", prefix="durable") as milvus:
            result = durability(milvus, token=stand.token, rounds=_ROUNDS)
        expect(result.ok, str(result))
        return str(result)

    def _start(self, stack: ExitStack) -> str:
        given = Stand(
            run=self._run,
            properties=self._properties,
            layers=self._layers,
            environment=self._environment,
            login=self._login,
            judge=milvus_judge(self._policies, region=self._region),
        )
        self._stand = stack.enter_context(given)
        whose = "the deployment's generated secret" if self._login else "a secret of its own"
        listed = ", ".join(f"{key}={value}" for key, value in sorted(self._properties.items()))
        return f"user {given.user} with {whose}; SASL_SSL with SCRAM-SHA-512 only; {listed}"

    def _ready(self) -> Stand:
        stand = self._stand
        if stand is None:
            raise RuntimeError("the stand was not started")
        return stand

    def _with_brokers(self, fault: Callable[[Stand], faults.FaultResult], change: Mapping[str, str]) -> str:
        properties = faults.with_property(self._properties, **change, offsets_topic_replication_factor="1")
        name = fault.__name__.replace("_", "-")
        with Stand(run=self._run, properties=properties, layers=self._layers, brokers=1, name=name) as stand:
            return _outcome(fault(stand))

    def _configuration(self) -> tuple[Sequence[Configuration], str]:
        """Return the chart's files that the server at hand can read, and a sentence that says which."""
        version = f"MILVUS_BIN={os.environ[BINARY_VARIABLE]}" if os.environ.get(BINARY_VARIABLE) else "server 2.3.5"
        line = self._env.milvus.line
        fits = bool(os.environ.get(BINARY_VARIABLE)) or line == _LINE_OF_THE_WHEEL
        if fits and self._deployed:
            text = self._site.kubectl(
                *("get", "configmap", fullname(self._env), "-n", self._env.milvus.namespace, "-o", "yaml")
            )
            return chart_layers(yaml.safe_load(text)), f"{version} with the ConfigMap of the deployed release"
        record = _RECORDS / self._env.release.chart / f"{self._env.name.rpartition('-')[2]}.json"
        if fits and record.is_file():
            return _recorded(record), f"{version} with the record of chart {self._env.release.chart}"
        return _recorded(_RECORD_OF_THE_WHEEL), (
            f"{version} with the configuration of the guide's chart 4.1.28, as recorded: line {line} needs a server of "
            f"its own ({BINARY_VARIABLE}); brokers' properties, users and secrets are this environment's"
        )

    def _pod_environment(self) -> dict[str, str]:
        """Return the environment of the rendered proxy pod, Secrets resolved as Kubernetes would."""
        name = f"{fullname(self._env)}-proxy"
        found = self._site.cluster.api.get("Deployment", name, namespace=self._env.milvus.namespace)
        expect(found is not None, f"there is no Deployment {name}")
        (container,) = (found or {})["spec"]["template"]["spec"]["containers"]
        checks = Checks(self._site)
        values = {}
        for entry in container.get("env", []):
            reference = entry.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                values[entry["name"]] = checks.secret(reference["name"])[reference["key"]]
            elif "value" in entry and entry["name"] not in _OF_THE_IMAGE:
                values[entry["name"]] = str(entry["value"])
        return values

    def _kafka_login(self) -> tuple[str, str]:
        if self._deployed:
            copied = Checks(self._site).secret(KAFKA_SECRET)
            return copied["username"], copied["password"]
        arn = self._site.outputs(Part.STREAMING)["KafkaSecretArn"]
        value = json.loads(self._site.account.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
        return value["username"], value["password"]


def _recorded(path: Path) -> list[Configuration]:
    configuration = json.loads(path.read_text(encoding="utf-8"))["configuration"]
    return [configuration["default.yaml"], configuration["user.yaml"]]


def _outcome(result: faults.FaultResult) -> str:
    return result.outcome
