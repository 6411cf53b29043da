"""Push preferences: when nothing may sound, what a notification may show, and in which language it speaks."""

from collections.abc import Collection

import msgspec

from gochat_core.types import UserId
from gochat_repo.mysql import Row, Transaction

_COLUMNS = "user_id, quiet_from, quiet_until, time_zone, previews, language"


class PushPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody prefers; quiet hours are minutes of the day in the time zone, from the first up to the second."""

    quiet_hours: tuple[int, int] | None = None
    time_zone: str = "UTC"
    previews: bool = True
    language: str = "en"


DEFAULTS = PushPreferences()
"""Of everybody who has said nothing."""


def get_push_preferences(tx: Transaction, user_ids: Collection[UserId]) -> dict[UserId, PushPreferences]:
    """Return what these users have said, in one statement; who has said nothing is left out."""
    if not user_ids:
        return {}
    sql = f"SELECT {_COLUMNS} FROM push_preferences WHERE user_id IN %s"  # noqa: S608 - constant
    return {row[0]: _preferences(row) for row in tx.query(sql, (tuple(sorted(user_ids)),))}


def save_push_preferences(tx: Transaction, user_id: UserId, preferences: PushPreferences, *, now_ms: int) -> None:
    """Replace what somebody prefers. Idempotent."""
    quiet_from, quiet_until = preferences.quiet_hours or (None, None)
    tx.execute(
        f"INSERT INTO push_preferences ({_COLUMNS}, updated_at_ms) VALUES (%s, %s, %s, %s, %s, %s, %s)"  # noqa: S608
        " ON DUPLICATE KEY UPDATE quiet_from = VALUES(quiet_from), quiet_until = VALUES(quiet_until),"
        " time_zone = VALUES(time_zone), previews = VALUES(previews), language = VALUES(language),"
        " updated_at_ms = VALUES(updated_at_ms)",
        (
            user_id,
            quiet_from,
            quiet_until,
            preferences.time_zone,
            preferences.previews,
            preferences.language,
            now_ms,
        ),
    )


def erase_push_preferences(tx: Transaction, user_id: UserId) -> None:
    """Forget what an account preferred that is being erased. Idempotent."""
    tx.execute("DELETE FROM push_preferences WHERE user_id = %s", (user_id,))


def _preferences(row: Row) -> PushPreferences:
    quiet_from, quiet_until = row[1], row[2]
    return PushPreferences(
        quiet_hours=None if quiet_from is None or quiet_until is None else (quiet_from, quiet_until),
        time_zone=row[3],
        previews=bool(row[4]),
        language=row[5],
    )
