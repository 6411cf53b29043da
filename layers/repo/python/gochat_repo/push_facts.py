"""What decides whether somebody who is away is told of a message: cursors, mute, block, preferences, devices."""

from collections.abc import Collection

import msgspec

from gochat_core.types import ConversationId, DeviceId, Seq, UserId
from gochat_repo.mysql import Row, Transaction
from gochat_repo.push_preferences import DEFAULTS, PushPreferences

Membership = tuple[ConversationId, UserId]


class PushFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One member of one conversation; `devices` are (device, provider), only of those that are logged in."""

    conversation_type: str
    join_seq: Seq
    left_seq: Seq | None
    seen_seq: int
    is_muted: bool
    has_blocked: bool
    group_name: str | None = None
    preferences: PushPreferences = DEFAULTS
    devices: tuple[tuple[DeviceId, str], ...] = ()


# Written so that MySQL begins with the members and MariaDB weighs no other way, which would take it half a second.
# A block stands under the id of the two people's single chat, so it is found by the conversation itself.
_FACTS = """
SELECT p.conversation_id, p.user_id, c.type, p.join_seq, p.left_seq,
       GREATEST(p.join_seq - 1, p.cleared_seq, c.expired_seq, p.read_seq, p.sent_seq), p.muted,
       b.blocker_id IS NOT NULL, f.quiet_from, f.quiet_until, f.time_zone, f.previews, f.language,
       t.device_id, t.provider, g.name
  FROM conversation_participants p FORCE INDEX (PRIMARY)
  STRAIGHT_JOIN push_tokens t ON t.user_id = p.user_id
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
  LEFT JOIN `groups` g ON g.conversation_id = p.conversation_id
  LEFT JOIN blocks b ON b.conversation_id = p.conversation_id AND b.blocker_id = p.user_id
  LEFT JOIN push_preferences f ON f.user_id = p.user_id
 WHERE (p.conversation_id, p.user_id) IN %s
   AND (SELECT 1 FROM sessions s WHERE s.user_id = t.user_id AND s.device_id = t.device_id
           AND s.revoked_at_ms IS NULL AND s.expires_at_ms > %s LIMIT 1) IS NOT NULL
 ORDER BY p.conversation_id, p.user_id, t.device_id"""


def load_push_facts(
    tx: Transaction, memberships: Collection[Membership], *, now_ms: int
) -> dict[Membership, PushFacts]:
    """Read what decides, in one statement; who has no device that could be told is left out."""
    if not memberships:
        return {}
    places = tuple((bytes.fromhex(conversation_id), user_id) for conversation_id, user_id in sorted(memberships))
    rows: dict[Membership, list[Row]] = {}
    for row in tx.query(_FACTS, (places, now_ms)):
        rows.setdefault((ConversationId(row[0].hex()), UserId(row[1])), []).append(row)
    return {membership: _facts(found) for membership, found in rows.items()}


def _facts(rows: list[Row]) -> PushFacts:
    row = rows[0]
    return PushFacts(
        conversation_type=row[2],
        join_seq=row[3],
        left_seq=row[4],
        seen_seq=row[5],
        is_muted=bool(row[6]),
        has_blocked=bool(row[7]),
        group_name=row[15],
        preferences=_preferences(row),
        devices=tuple((one[13], one[14]) for one in rows),
    )


def _preferences(row: Row) -> PushPreferences:
    quiet_from, quiet_until, time_zone, previews, language = row[8:13]
    if time_zone is None:
        return DEFAULTS
    return PushPreferences(
        quiet_hours=None if quiet_from is None else (quiet_from, quiet_until),
        time_zone=time_zone,
        previews=bool(previews),
        language=language,
    )
