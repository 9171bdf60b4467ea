"""Tells uv which package index pip would ask: ``eval "$(python tools/pip_index.py)"``, as the Makefile does.

uv reads neither pip's configuration nor its variables (uv#1404), where a company often sets its mirror alone. What uv
is told by variables of its own is left as it is. Runs before anything is installed: pip and the standard library only.
"""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping

# pip's option -> uv's variable: https://docs.astral.sh/uv/reference/environment/
_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
# Where pip looks, what counts least first.
_SECTIONS = ("global", "install", ":env:")
# Older names of the same.
_OLD = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}


def configured(listing: str) -> dict[str, str]:
    """Return pip's options out of what ``pip config list`` prints."""
    options: dict[str, str] = {}
    for section in _SECTIONS:
        for line in listing.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(f"{section}."):
                options[key.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return options


def for_uv(options: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which uv asks what pip would ask."""
    found = {
        variable: " ".join(options[option].split())
        for option, variable in _VARIABLES.items()
        if options.get(option) and not environment.get(variable) and not environment.get(_OLD.get(variable, variable))
    }
    if "UV_INDEX" in found and not environment.get("UV_INDEX_STRATEGY"):
        # pip takes a version from whichever index has it; what is taken is held by its hash.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if "UV_FIND_LINKS" in found:
        found["UV_FIND_LINKS"] = ",".join(found["UV_FIND_LINKS"].split())
    return found


def main() -> int:
    """Print the variables for a shell."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    for name, value in for_uv(configured(listing), os.environ).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
