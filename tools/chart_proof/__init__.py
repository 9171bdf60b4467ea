"""Renders our values with the real Milvus chart, and records what was learned from it as plain data."""
