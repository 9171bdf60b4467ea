"""Records what the real Milvus charts honour and render: ``MILVUS_CHARTS`` is a folder of charts, or ``pull``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from scripts.real_chart.cases import cases  # noqa: E402 - the project is not installed, only found
from scripts.real_chart.record import RECORDS, IgnoredValuesError, Record  # noqa: E402
from scripts.real_chart.render import RenderError  # noqa: E402
from scripts.real_chart.source import PULL, VARIABLE, ChartNotFoundError, chart_folder, charts_given  # noqa: E402


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
