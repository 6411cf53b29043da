"""Authenticate: check a password and open a session for one device."""

import secrets

from gochat_contracts.accounts import USERNAME, LoginBody
from gochat_core.errors import InvalidCredentials
from gochat_core.types import DeviceId, SessionId
from gochat_repo.sessions import NewSession
from gochat_repo.users import Account
from logic.auth.guessing import count_attempt
from logic.auth.passwords import is_password
from logic.auth.ports import SESSION_LIFETIME_MS, AuthPorts
from logic.auth.token_pair import TokenPair, make_pair

SALT_BYTES = 16


def authenticate(ports: AuthPorts, body: LoginBody) -> TokenPair:
    """Open a session for the device, ending its former one, and return the tokens.

    Raises `InvalidCredentials`, which does not tell a wrong password from a missing user, or `TooManyAttempts`. Not
    idempotent: a repeat opens another session in place of this one.
    """
    account = _check_password(ports, body)
    now_ms = ports.clock.now_ms()
    new = NewSession(
        session_id=SessionId(ports.ids.next_id()),
        user_id=account.user.user_id,
        device_id=DeviceId(body.device_id),
        platform=body.platform,
        salt=secrets.token_bytes(SALT_BYTES),
        opened_at_ms=now_ms,
        expires_at_ms=now_ms + SESSION_LIFETIME_MS,
    )
    ended = ports.endings.open_session(new, password_hash=account.password_hash)
    ports.failures.forget(account.user.username)
    ports.users.remember(account.user)
    return make_pair(
        ports.signer(),
        user=account.user,
        device_id=new.device_id,
        session_id=new.session_id,
        generation=1,
        salt=new.salt,
        issued_at_ms=now_ms,
        ended=ended,
    )


def _check_password(ports: AuthPorts, body: LoginBody) -> Account:
    account: Account | None = None
    if USERNAME.fullmatch(body.username):
        username = body.username.lower()
        count_attempt(ports, username)
        account = ports.users.find_account(username)
    if not is_password(body.password, account.password_hash if account else None) or account is None:
        raise InvalidCredentials
    return account
