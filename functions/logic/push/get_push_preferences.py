"""GetPushPreferences: what the caller prefers."""

from gochat_core.tokens import Identity
from gochat_repo.push_preferences import DEFAULTS, PushPreferences
from gochat_repo.push_preferences import get_push_preferences as load
from logic.push.ports import PushPorts


def get_push_preferences(ports: PushPorts, caller: Identity) -> PushPreferences:
    """Return what the caller has said, or the defaults."""
    said = ports.database.read(lambda tx: load(tx, [caller.user_id]))
    return said.get(caller.user_id, DEFAULTS)
