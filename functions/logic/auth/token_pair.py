"""The pair of tokens that a login or a refresh answers with."""

from dataclasses import dataclass, field

from gochat_core.token_signing import TokenSigner
from gochat_core.tokens import ACCESS_LIFETIME_S
from gochat_core.types import DeviceId, SessionId, UserId
from gochat_repo.connections import Connection
from gochat_repo.users import User


@dataclass(frozen=True, kw_only=True)
class TokenPair:
    """Tokens, whose they are, and the connections that ended; the tokens stay out of `repr`, and so out of logs."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    user: User
    ended: list[Connection]
    expires_in_s: int = ACCESS_LIFETIME_S


def make_pair(
    signer: TokenSigner,
    *,
    user: User,
    device_id: DeviceId,
    session_id: SessionId,
    generation: int,
    salt: bytes,
    issued_at_ms: int,
    ended: list[Connection],
) -> TokenPair:
    """Sign and derive one generation's tokens; the same arguments give the same tokens again."""
    user_id = UserId(user.user_id)
    return TokenPair(
        access_token=signer.access_token(user_id, device_id, session_id, issued_at_ms=issued_at_ms),
        refresh_token=signer.refresh_token(session_id, generation, salt),
        user=user,
        ended=ended,
    )
