"""Small HTTP calls to servers on loopback."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from http.client import HTTPException


def responds(url: str, *, containing: str = "", tls: ssl.SSLContext | None = None) -> bool:
    """Whether ``url`` answers 200 with a body that contains ``containing``."""
    try:
        with urllib.request.urlopen(url, timeout=2, context=tls) as response:
            return response.status == 200 and containing in response.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except (OSError, HTTPException):
        return False
