"""RemovePushToken: no longer reach one of the caller's devices."""

from gochat_core.errors import DeviceNotFound
from gochat_core.ids import CLIENT_ID
from gochat_core.tokens import Identity
from gochat_core.types import DeviceId
from gochat_repo.push_tokens import delete_push_token
from logic.push.ports import PushPorts


def remove_push_token(ports: PushPorts, caller: Identity, device_id: str) -> None:
    """Forget the token, if there is one. Idempotent; raises `DeviceNotFound` for what can't be a device's id."""
    if not CLIENT_ID.fullmatch(device_id):
        raise DeviceNotFound
    ports.database.transaction(lambda tx: delete_push_token(tx, caller.user_id, DeviceId(device_id)))
