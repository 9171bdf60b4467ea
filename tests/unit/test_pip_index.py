"""uv asks the index that pip is configured for, unless it is told another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from _paths import ROOT
from tools.pip_index import configured, for_uv

MIRROR, OURS = "https://user:pass@mirror.example/simple", "https://ours.example/simple"


def seen_by_uv(tmp_path: Path, configuration: str, **variables: str) -> dict[str, str]:
    """Return uv's variables in a shell that did what the Makefile does."""
    file = tmp_path / "pip.conf"
    file.write_text(configuration, encoding="utf-8")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_")) and name != "SSL_CERT_FILE"
    }
    done = subprocess.run(
        ["bash", "-c", f'eval "$({sys.executable} tools/pip_index.py)"; env'],
        cwd=ROOT,
        # HOME: no configuration of who runs the tests.
        env=inherited | {"PIP_CONFIG_FILE": str(file), "HOME": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, _, value in lines if name.startswith("UV_")}


def test_mirror_of_pip_conf_is_uvs_index(tmp_path: Path) -> None:
    assert seen_by_uv(tmp_path, f"[global]\nindex-url = {MIRROR}\n")["UV_DEFAULT_INDEX"] == MIRROR


def test_variable_of_pip_counts_more_than_its_file(tmp_path: Path) -> None:
    seen = seen_by_uv(tmp_path, f"[global]\nindex-url = {MIRROR}\n", PIP_INDEX_URL=OURS)
    assert seen["UV_DEFAULT_INDEX"] == OURS


def test_more_indexes_count_as_much_as_the_first_as_with_pip(tmp_path: Path) -> None:
    seen = seen_by_uv(tmp_path, f"[install]\nextra-index-url =\n    {MIRROR}\n    {OURS}\n")
    assert seen["UV_INDEX"] == f"{MIRROR} {OURS}"
    assert seen["UV_INDEX_STRATEGY"] == "unsafe-best-match"


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_what_uv_is_told_stays(tmp_path: Path, name: str) -> None:
    seen = seen_by_uv(tmp_path, f"[global]\nindex-url = {MIRROR}\n", **{name: OURS})
    assert {key: value for key, value in seen.items() if "INDEX" in key} == {name: OURS}


def test_options_are_those_that_pip_would_take() -> None:
    listing = (
        ":env:.cert='/e.pem'\nglobal.cert='/g.pem'\ninstall.find-links='a b'\nglobal.find-links='c'\nfreeze.cert='x'"
    )
    assert for_uv(configured(listing), {}) == {"SSL_CERT_FILE": "/e.pem", "UV_FIND_LINKS": "a,b"}
    assert for_uv(configured(""), {}) == {}


def test_every_recipe_with_uv_asks_pips_index() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = [line for line in makefile.splitlines() if "uv pip" in line]
    assert lines
    assert [line for line in lines if "$(PIPS_INDEX)" not in line] == []
