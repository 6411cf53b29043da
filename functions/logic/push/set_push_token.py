"""SetPushToken: note how one of the caller's devices is reached."""

from gochat_contracts.push_settings import PushTokenBody, check_push_token, token_identity
from gochat_core.errors import DeviceNotFound
from gochat_core.ids import CLIENT_ID
from gochat_core.tokens import Identity
from gochat_core.types import DeviceId
from gochat_repo.mysql import Transaction
from gochat_repo.push_tokens import PushToken, lock_live_session, save_push_token
from logic.push.ports import PushPorts


def set_push_token(ports: PushPorts, caller: Identity, device_id: str, body: PushTokenBody) -> None:
    """Note the token. Idempotent; raises `DeviceNotFound` for a device that the caller is not logged in from.

    Whoever shows a token holds the device that it names: a former owner of it is no longer reached there.
    """
    if not CLIENT_ID.fullmatch(device_id):
        raise DeviceNotFound
    now_ms = ports.clock.now_ms()
    token = check_push_token(body.provider, body.token)
    noted = PushToken(
        user_id=caller.user_id,
        device_id=DeviceId(device_id),
        provider=body.provider,
        token=token,
        updated_at_ms=now_ms,
    )

    def work(tx: Transaction) -> None:
        # Behind the lock: a logout that runs at once either comes first and is seen, or takes the token with it.
        if not lock_live_session(tx, noted.user_id, noted.device_id, now_ms=now_ms):
            raise DeviceNotFound
        save_push_token(tx, noted, identity=token_identity(body.provider, token))

    ports.database.transaction(work)
