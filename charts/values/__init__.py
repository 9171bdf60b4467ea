"""Helm values of the Milvus chart: one pure function, and a table of what each release line's chart has."""

from __future__ import annotations

from charts.values.release import helm_values

__all__ = ["helm_values"]
