"""Keeps the chatter of gRPC, pymilvus and the index library off the terminal."""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("pymilvus", "milvus_lite", "faiss", "grpc", "asyncio")


@contextmanager
def quiet() -> Iterator[None]:
    """Hide log lines and deprecation warnings of the client library; errors still arrive as exceptions."""
    # gRPC reads it when it is imported; a handshake that fails is explained by `diagnosis` instead.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # pymilvus sets the level of its logger when it is imported. The import takes seconds on a busy machine: here
        # they do not count against the time-out for connecting.
        importlib.import_module("pymilvus")
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger, logger.level) for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in before:
                logger.setLevel(level)
