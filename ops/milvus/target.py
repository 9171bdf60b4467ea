"""Where the smoke run connects to: an endpoint, or Milvus Lite in a temporary file."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ops.errors import usage_error
from settings.contract import CLIENT_PORT, METRICS_PORT

_ALLOWED_URI = "http://HOST:19530, https://HOST:19530, HOST:19530 or FILE.db for Milvus Lite"


@dataclass(frozen=True)
class Target:
    """A checked address with its credentials; made by `parse_target`."""

    uri: str | None
    """None: Milvus Lite in a temporary file."""
    token: str | None = field(default=None, repr=False)
    ca: Path | None = None
    server_name: str | None = None

    @property
    def is_lite(self) -> bool:
        """Whether this is a file that Milvus Lite opens in this process."""
        return self.uri is None or self.uri.endswith(".db")

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.uri is not None and self.uri.startswith("https://")

    @property
    def host(self) -> str:
        """The host; empty for Milvus Lite."""
        return "" if self.is_lite else urlsplit(str(self.uri)).hostname or ""

    @property
    def port(self) -> int:
        """The TCP port; 0 for Milvus Lite."""
        return 0 if self.is_lite else urlsplit(str(self.uri)).port or CLIENT_PORT

    def __str__(self) -> str:
        """Return how a person names it."""
        return "Milvus Lite in a temporary file" if self.uri is None else self.uri


def parse_target(
    *,
    uri: str | None = None,
    token: str | None = None,
    tls: bool | None = None,
    ca: Path | None = None,
    server_name: str | None = None,
) -> Target:
    """Return the target that the options describe.

    Args:
        uri: Address; without a scheme it is plain, or TLS if ``tls``, ``ca`` or ``server_name`` is given. None is
            Milvus Lite in a temporary file.
        token: ``user:password`` or an API key.
        tls: True demands TLS, False refuses it, None follows the scheme.
        ca: PEM file of the authority that signed the server's certificate; the public ones if not given.
        server_name: Name that the certificate carries, where it is not the host's.

    Raises:
        OpsError: The options contradict one another, or the address is malformed.
    """
    wants_tls = bool(tls) or ca is not None or server_name is not None
    if ca is not None:
        _check_ca(ca)
    if uri is None or uri.endswith(".db"):
        return _lite(uri, wants_tls=wants_tls)
    scheme, separator, rest = uri.partition("://")
    if not separator:
        scheme, rest = ("https" if wants_tls else "http"), uri
    elif scheme == "http" and tls:
        scheme = "https"
    if scheme == "http" and wants_tls:
        raise usage_error(
            setting="--ca and --server-name", value=f"with {_shown(uri)}", allowed="with https://", remedy="Add --tls"
        )
    if scheme == "https" and tls is False:
        raise usage_error(
            setting="--no-tls", value=f"with {_shown(uri)}", allowed="with http://", remedy="Drop one of them"
        )
    _check_address(f"{scheme}://{rest}", given=uri)
    parts = urlsplit(f"{scheme}://{rest}")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    # pymilvus takes 443 for an https address without a port; Milvus listens on 19530 with TLS, too.
    full = f"{scheme}://{host}:{parts.port or CLIENT_PORT}{parts.path.rstrip('/')}"
    return Target(uri=full, token=token, ca=ca, server_name=server_name)


def _lite(uri: str | None, *, wants_tls: bool) -> Target:
    if wants_tls:
        raise usage_error(
            setting="--tls, --ca and --server-name",
            value=f"with {uri or 'no --uri, which is Milvus Lite'}",
            allowed="with https://HOST:19530",
            remedy="Give --uri, or drop the TLS options: Milvus Lite is a file, not a server",
        )
    if uri is not None and not Path(uri).absolute().parent.is_dir():
        raise usage_error(
            setting="--uri", value=uri, allowed="a .db file in an existing folder", remedy="Create the folder first"
        )
    return Target(uri=uri)


def _check_address(uri: str, *, given: str) -> None:
    try:
        parts = urlsplit(uri)
        bad = parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0
    except ValueError:
        bad = True
    if bad:
        raise usage_error(setting="--uri", value=_shown(given), allowed=_ALLOWED_URI, remedy="Correct the address")
    if parts.username or parts.password:
        raise usage_error(
            setting="--uri",
            value="an address with a user or password in it",
            allowed=_ALLOWED_URI,
            remedy="Put user:password into the environment variable MILVUS_TOKEN: addresses end up in logs",
        )
    if parts.port == METRICS_PORT:
        raise usage_error(
            setting="--uri",
            value=_shown(given),
            allowed="port 19530",
            remedy="9091 is the port for metrics and health; it takes no queries",
        )


def _shown(uri: str) -> str:
    """Return an address without what stands before an @."""
    return uri.rpartition("@")[2]


def _check_ca(ca: Path) -> None:
    try:
        ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise usage_error(
            setting="--ca",
            value=f"{ca} ({getattr(error, 'strerror', None) or error})",
            allowed="a readable PEM file with certificates",
            remedy="Give the certificate of the authority that signed the server's",
        ) from error
