"""Runs a command in a network namespace with only a loopback link: ``python -m rehearsal.servers.netns -- COMMAND``.

Milvus listens on all interfaces and has no setting for it; here nothing outside the machine can reach it, and nothing
inside can reach the network: what runs is proven to need neither. Downloads and builds come before (servers.install).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

STATE_VARIABLE = "MILVUS_REHEARSAL_NETNS"
_ISOLATED = "isolated"
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def isolated() -> bool:
    """Whether this process runs in a namespace that ``main`` made."""
    return os.environ.get(STATE_VARIABLE) == _ISOLATED


def unshare_command() -> list[str] | None:
    """Return the prefix that gives a command its own network namespace, or None where the machine permits none.

    Root needs no user namespace. Others need one, which some machines forbid (Ubuntu 24.04:
    ``kernel.apparmor_restrict_unprivileged_userns``; containers without the capability).
    """
    if shutil.which("unshare") is None:
        return None
    for command in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return None


def loopback_up() -> None:
    """Set the namespace's loopback link up: a new namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def main(arguments: list[str]) -> None:
    """Replace this process by the command, inside a namespace where the machine permits one."""
    inside = arguments[:1] == ["--inside"]
    command = arguments[1:] if inside else arguments
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        sys.exit("usage: python -m rehearsal.servers.netns -- COMMAND [ARGUMENT ...]")
    if inside:
        loopback_up()
        os.environ[STATE_VARIABLE] = _ISOLATED
    elif not isolated():
        prefix = unshare_command()
        if prefix is not None:
            again = [*prefix, sys.executable, "-m", "rehearsal.servers.netns", "--inside", "--", *command]
            os.execvp(again[0], again)  # noqa: S606 - the command is the caller's own
        sys.stderr.write(
            "This machine permits no network namespace (unshare --net): Milvus will listen on all interfaces while the "
            "rehearsal runs. Block its ports or use a machine where `unshare --net --map-root-user true` works.\n"
        )
    os.execvp(command[0], command)  # noqa: S606 - the command is the caller's own


if __name__ == "__main__":
    main(sys.argv[1:])
