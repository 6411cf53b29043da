"""SetPushPreferences: replace what the caller prefers."""

from gochat_contracts.push_settings import PushPreferencesBody, check_push_preferences, minutes_of
from gochat_core.tokens import Identity
from gochat_repo.push_preferences import PushPreferences, save_push_preferences
from logic.push.ports import PushPorts


def set_push_preferences(ports: PushPorts, caller: Identity, body: PushPreferencesBody) -> PushPreferences:
    """Replace all of them and return them. Idempotent; raises `InvalidRequest` naming every fault."""
    check_push_preferences(body)
    quiet = body.quiet_hours
    preferences = PushPreferences(
        quiet_hours=None if quiet is None else (minutes_of(quiet.start), minutes_of(quiet.end)),
        time_zone=body.time_zone,
        previews=body.previews,
        language=body.language,
    )
    now_ms = ports.clock.now_ms()
    ports.database.transaction(lambda tx: save_push_preferences(tx, caller.user_id, preferences, now_ms=now_ms))
    return preferences
