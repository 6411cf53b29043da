"""Finds the credential in a handshake: a header, a subprotocol pair or a single-use ticket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gochat_core.errors import Unauthenticated

SUBPROTOCOL = "gochat.v1"

_BEARER_SUBPROTOCOL = "bearer."


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What a client showed; the text stays out of `repr`, and so out of logs."""

    kind: str
    text: str = field(repr=False)


def find_credential(event: Mapping[str, Any]) -> Credential:
    """Return the handshake's credential of the REQUEST authorizer's event; raises Unauthenticated where there is none.

    The header counts before the subprotocol, that before the ticket: the first that is there decides, so that a bad
    token is never saved by another one beside it.
    """
    authorization = _header_values(event, "authorization")
    if authorization:
        scheme, _, token = authorization[0].partition(" ")
        if len(authorization) > 1 or scheme.lower() != "bearer":
            raise Unauthenticated
        return Credential(kind="header", text=token.strip())
    offered = offered_subprotocols(event)
    bearers = [name for name in offered if name.startswith(_BEARER_SUBPROTOCOL)]
    if bearers:
        if len(bearers) > 1 or SUBPROTOCOL not in offered:
            raise Unauthenticated
        return Credential(kind="subprotocol", text=bearers[0].removeprefix(_BEARER_SUBPROTOCOL))
    tickets = (event.get("multiValueQueryStringParameters") or {}).get("ticket") or []
    if len(tickets) != 1:
        raise Unauthenticated
    return Credential(kind="ticket", text=tickets[0])


def offered_subprotocols(event: Mapping[str, Any]) -> list[str]:
    """Return the subprotocols that the client offers; the header may stand several times (RFC 6455, 11.3.4)."""
    lines = _header_values(event, "sec-websocket-protocol")
    return [name.strip() for line in lines for name in line.split(",") if name.strip()]


def _header_values(event: Mapping[str, Any], wanted: str) -> Sequence[str]:
    # HTTP/2 front doors and the local stage write names in lower case, browsers as they like.
    for name, values in (event.get("multiValueHeaders") or {}).items():
        if name.lower() == wanted:
            return list(values)
    return ()
