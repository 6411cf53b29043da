"""Register: make an account."""

import ipaddress

from gochat_contracts.accounts import RegisterBody
from gochat_core.errors import RateLimited
from gochat_core.types import UserId
from gochat_repo.mysql_errors import DuplicateKey
from gochat_repo.users import User
from gochat_repo.window_counter import Count
from logic.auth.passwords import hash_password
from logic.auth.ports import AuthPorts

ID_ATTEMPTS = 3
"""Ids are made without coordination: two containers may, once in a long while, make the same."""


def register(ports: AuthPorts, body: RegisterBody, *, source_ip: str) -> User:
    """Make an account and return its profile; raises `UsernameTaken` or `RateLimited`.

    Not idempotent: a repeat answers `UsernameTaken`.
    """
    check_rate(ports.registrations.count_attempt(network_of(source_ip)), limit=ports.limits.registrations)
    password_hash = hash_password(body.password)
    for attempt in range(ID_ATTEMPTS):
        user = plan_user(body, user_id=UserId(ports.ids.next_id()), now_ms=ports.clock.now_ms())
        try:
            ports.users.create_user(user, password_hash)
        except DuplicateKey:
            if attempt == ID_ATTEMPTS - 1:
                raise
        else:
            break
    return user


def plan_user(body: RegisterBody, *, user_id: UserId, now_ms: int) -> User:
    """Return the account as it will be stored; without a display name the username is shown as it was typed."""
    return User(
        user_id=user_id,
        username=body.username.lower(),
        display_name=body.display_name or body.username,
        avatar_url=None,
        created_at_ms=now_ms,
    )


def check_rate(count: Count, *, limit: int | None) -> None:
    """Raise `RateLimited` when the registration that was just counted is one too many for its network."""
    if limit is not None and count.events > limit:
        raise RateLimited(retry_after_ms=count.ends_in_ms)


def network_of(source_ip: str) -> str:
    """Return whom an address belongs to: itself, or for IPv6 its /64, of which one subscriber has all."""
    try:
        address = ipaddress.ip_address(source_ip)
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
