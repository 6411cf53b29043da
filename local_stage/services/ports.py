"""Picks loopback ports that stay ours, also while a server is stopped and started again."""

import random
import socket
from collections.abc import Callable
from typing import TypeVar

from local_stage.services.errors import DidNotStart, ServiceError

LOOPBACK = "127.0.0.1"

# Below every ephemeral range (Linux 32768 and up, macOS 49152 and up): the kernel never gives such a port to an
# outgoing connection, so a stopped server finds its port free when it comes back.
_FIRST_PORT = 20_000
_LAST_PORT = 32_000
_TRIES = 5

_Started = TypeVar("_Started")


def is_port_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def pick_free_port() -> int:
    """Return a loopback port on which nobody listens at this moment; somebody may take it at the next."""
    for _ in range(1000):
        port = random.randint(_FIRST_PORT, _LAST_PORT)  # noqa: S311 - spreads checkouts apart, guards nothing
        if is_port_free(port):
            return port
    message = f"No free port between {_FIRST_PORT} and {_LAST_PORT} on {LOOPBACK}: stop some local servers."
    raise ServiceError(message)


def start_on_free_port(start: Callable[[int], _Started]) -> _Started:
    """Call `start` with a free port, and again with another one if somebody took the port in between.

    `start` raises DidNotStart when its server gives up; that is passed on if the port was not the reason.
    """
    for _ in range(_TRIES - 1):
        port = pick_free_port()
        try:
            return start(port)
        except DidNotStart:
            if is_port_free(port):
                raise
    return start(pick_free_port())
