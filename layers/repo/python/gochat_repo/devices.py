"""Devices: what a user has logged in from, and when last."""

from gochat_core.types import DeviceId, UserId
from gochat_repo.mysql import Transaction


def save_device(tx: Transaction, user_id: UserId, device_id: DeviceId, platform: str, *, now_ms: int) -> None:
    """Note a login from a device, within the transaction that opens the session. Idempotent."""
    tx.execute(
        "INSERT INTO devices (user_id, device_id, platform, created_at_ms, last_login_at_ms)"
        " VALUES (%s, %s, %s, %s, %s)"
        " ON DUPLICATE KEY UPDATE platform = VALUES(platform), last_login_at_ms = VALUES(last_login_at_ms)",
        (user_id, device_id, platform, now_ms, now_ms),
    )


def erase_devices(tx: Transaction, user_id: UserId) -> None:
    """Forget the devices of an account that is being erased. Idempotent."""
    tx.execute("DELETE FROM devices WHERE user_id = %s", (user_id,))
