"""A client of one Milvus: its address and token, time-outs that bite, and what went wrong in plain words."""

from __future__ import annotations

from ops.milvus.secret import token_from_secret
from ops.milvus.target import Target, parse_target

__all__ = ["Target", "parse_target", "token_from_secret"]
