"""What the use cases of accounts stand on: stores, keys, clock, ids and limits, built once per container."""

from collections.abc import Callable
from dataclasses import dataclass

from gochat_core.clock import Clock
from gochat_core.ids import IdMaker
from gochat_core.token_signing import TokenSigner
from gochat_repo.login_failures import LoginFailures
from gochat_repo.registrations import Registrations
from gochat_repo.session_endings import SessionEndings
from gochat_repo.sessions import SessionStore
from gochat_repo.users import UserStore

SESSION_LIFETIME_MS = 90 * 24 * 3_600_000
"""How long a login stands without being refreshed."""

LOGIN_WINDOW_MS = 15 * 60_000
REGISTRATION_WINDOW_MS = 3_600_000
"""Windows of the default limits (protocol, conventions)."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the deployment allows; None means no limit."""

    failed_logins: int = 10
    registrations: int | None = 300


@dataclass(frozen=True, kw_only=True)
class AuthPorts:
    """Everything outside of the decisions. `signer` is called for each use: its keys may be rotated."""

    users: UserStore
    sessions: SessionStore
    endings: SessionEndings
    failures: LoginFailures
    registrations: Registrations
    signer: Callable[[], TokenSigner]
    clock: Clock
    ids: IdMaker
    limits: Limits
