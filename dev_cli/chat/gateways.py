"""Turns to another gateway when the one that a login was told takes no connection."""

import contextlib
import dataclasses

import httpx
from websockets.exceptions import InvalidHandshake, InvalidStatus

from dev_cli.chat.rest import Login, Refused, RestClient

UNAUTHORIZED = (401, 403)
"""What a gateway answers to a token that is no longer good: another one would as well."""


async def leave_unreachable_gateway(rest: RestClient, login: Login, failure: Exception) -> Login:
    """Return the login with the best of the other gateways, or as it is where nobody tells of any."""
    is_refused = isinstance(failure, InvalidStatus) and failure.response.status_code in UNAUTHORIZED
    if isinstance(failure, OSError | InvalidHandshake) and not is_refused:
        with contextlib.suppress(httpx.HTTPError, Refused):
            others = [url for url in await rest.list_gateways() if url != login.websocket_url]
            if others:
                return dataclasses.replace(login, websocket_url=others[0])
    return login
