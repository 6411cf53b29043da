"""Push tokens: one for each device, of whoever registered it last, and only as long as the device is logged in."""

from collections.abc import Collection
from hashlib import sha256

import msgspec

from gochat_core.types import DeviceId, UserId
from gochat_repo.mysql import Transaction

_LIVE_SESSION = """
SELECT session_id FROM sessions
 WHERE user_id = %s AND device_id = %s AND revoked_at_ms IS NULL AND expires_at_ms > %s
 LIMIT 1 FOR UPDATE"""

_SAVE = """
INSERT INTO push_tokens (user_id, device_id, provider, token, token_hash, updated_at_ms) VALUES (%s, %s, %s, %s, %s, %s)
ON DUPLICATE KEY UPDATE user_id = VALUES(user_id), device_id = VALUES(device_id), provider = VALUES(provider),
  token = VALUES(token), token_hash = VALUES(token_hash), updated_at_ms = VALUES(updated_at_ms)"""

_DROP_ENDED = """
DELETE t FROM push_tokens t
 WHERE t.user_id = %s
   AND NOT EXISTS (SELECT 1 FROM sessions s
                    WHERE s.user_id = t.user_id AND s.device_id = t.device_id AND s.revoked_at_ms IS NULL)"""


class PushToken(msgspec.Struct, frozen=True, kw_only=True):
    """How one device is reached."""

    user_id: UserId
    device_id: DeviceId
    provider: str
    token: str = ""
    updated_at_ms: int = 0

    def __repr__(self) -> str:
        return f"PushToken({self.user_id}, {self.device_id}, {self.provider})"


def lock_live_session(tx: Transaction, user_id: UserId, device_id: DeviceId, *, now_ms: int) -> bool:
    """Tell whether a device is logged in, and keep it so until the transaction ends."""
    return bool(tx.query(_LIVE_SESSION, (user_id, device_id, now_ms)))


def save_push_token(tx: Transaction, token: PushToken, *, identity: str) -> None:
    """Note a device's token; another device, or another user's, that had the same one loses it. Idempotent."""
    token_hash = sha256(identity.encode()).digest()
    tx.execute(
        "DELETE FROM push_tokens WHERE token_hash = %s AND NOT (user_id = %s AND device_id = %s)",
        (token_hash, token.user_id, token.device_id),
    )
    # The token may have been registered elsewhere since: then that row becomes this one.
    tx.execute(_SAVE, (token.user_id, token.device_id, token.provider, token.token, token_hash, token.updated_at_ms))


def delete_push_token(tx: Transaction, user_id: UserId, device_id: DeviceId) -> None:
    """Forget how a device is reached. Idempotent."""
    tx.execute("DELETE FROM push_tokens WHERE user_id = %s AND device_id = %s", (user_id, device_id))


def delete_dead_tokens(tx: Transaction, dead: Collection[PushToken]) -> None:
    """Forget tokens that lead nowhere any more, but none that was registered since they were read. Idempotent."""
    if dead:
        tx.execute(
            "DELETE FROM push_tokens WHERE (user_id, device_id, updated_at_ms) IN %s",
            (tuple(sorted((one.user_id, one.device_id, one.updated_at_ms) for one in dead)),),
        )


def drop_ended_tokens(tx: Transaction, user_id: UserId) -> None:
    """Forget the tokens of the user's devices that are no longer logged in. Idempotent."""
    tx.execute(_DROP_ENDED, (user_id,))


def list_push_tokens(
    tx: Transaction, user_ids: Collection[UserId], *, now_ms: int
) -> dict[UserId, tuple[PushToken, ...]]:
    """Return the tokens of users' devices that are logged in, in one statement."""
    if not user_ids:
        return {}
    rows = tx.query(
        "SELECT t.user_id, t.device_id, t.provider, t.token, t.updated_at_ms FROM push_tokens t"
        " WHERE t.user_id IN %s AND EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = t.user_id"
        " AND s.device_id = t.device_id AND s.revoked_at_ms IS NULL AND s.expires_at_ms > %s)"
        " ORDER BY t.user_id, t.device_id",
        (tuple(sorted(user_ids)), now_ms),
    )
    tokens: dict[UserId, list[PushToken]] = {}
    for user_id, device_id, provider, token, updated_at_ms in rows:
        one = PushToken(
            user_id=user_id, device_id=device_id, provider=provider, token=token, updated_at_ms=updated_at_ms
        )
        tokens.setdefault(user_id, []).append(one)
    return {user_id: tuple(held) for user_id, held in tokens.items()}
