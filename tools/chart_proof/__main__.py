"""Records what the real Milvus charts honour and render: ``MILVUS_CHARTS`` is a folder of charts, or ``pull``."""

from __future__ import annotations

import sys

from _paths import ROOT
from tools.chart_proof.cases import cases
from tools.chart_proof.record import RECORDS, IgnoredValuesError, Record
from tools.chart_proof.render import RenderError
from tools.chart_proof.source import PULL, VARIABLE, ChartNotFoundError, chart_folder, charts_given


def main() -> None:
    """Write a record for every environment, and remove those that belong to none."""
    given = charts_given()
    if given is None:
        sys.exit(f"{VARIABLE} is not set: give a folder with one folder per chart version, or {VARIABLE}={PULL}")
    kept = set()
    for name, env in cases().items():
        try:
            folder = chart_folder(given, version=env.release.chart, repository=env.milvus.chart_repository)
            record = Record.make(folder, name, env)
        except (ChartNotFoundError, IgnoredValuesError, RenderError) as error:
            sys.exit(f"{name}: {error}")
        kept.add(record.write())
        sys.stdout.write(f"chart {record.chart}  {name:32} {len(record.honoured)} keys, all honoured\n")
        sys.stdout.flush()
    for path in set(RECORDS.rglob("*.json")) - kept:
        path.unlink()
        sys.stdout.write(f"removed {path.relative_to(ROOT)}: no environment has that name and chart\n")


if __name__ == "__main__":
    main()
