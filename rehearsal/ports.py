"""Free ports on loopback, below the range that the kernel gives to outgoing connections."""

from __future__ import annotations

import secrets
import socket

LOOPBACK = "127.0.0.1"
# Linux takes the local port of outgoing connections from 32768 upwards (ip_local_port_range): a port from there that is
# free now may be taken when the server starts.
_LOWEST, _HIGHEST = 15000, 32000
_given: set[int] = set()


def free_port() -> int:
    """Return a port that nothing listens on and that this process has not given out before."""
    for _ in range(500):
        port = secrets.choice(range(_LOWEST, _HIGHEST))
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(
        f"no free port between {_LOWEST} and {_HIGHEST} on {LOOPBACK}: end servers that are still running"
    )


def listens(port: int, *, host: str = LOOPBACK) -> bool:
    """Whether something accepts connections on ``port``."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _is_free(port: int) -> bool:
    # On all interfaces, because Milvus listens there.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("", port))
        except OSError:
            return False
        return True
