"""Members of groups: what each of them is and may, and how their rows come and go."""

from collections.abc import Collection, Sequence

import msgspec

from gochat_core.types import ConversationId, GroupId, Seq, UserId
from gochat_repo.mysql import Row, Transaction
from gochat_repo.profile_rows import PROFILE_WIDTH, profile_columns, profile_from_row
from gochat_repo.users import User


class GroupMember(msgspec.Struct, frozen=True, kw_only=True):
    """What a present member is in the group; `user` is None for an account that was erased."""

    user_id: UserId
    role: str
    muted_until_ms: int | None
    joined_at_ms: int
    user: User | None = None


_SELECT = f"""
SELECT m.user_id, m.role, m.muted_until_ms, m.joined_at_ms, {profile_columns("u")}
  FROM group_members m FORCE INDEX (PRIMARY)
  LEFT JOIN users u ON u.user_id = m.user_id AND u.username IS NOT NULL
 WHERE m.conversation_id = %s"""  # noqa: S608 - constants only

_LONGEST = f"""
(SELECT m.user_id, m.role, m.muted_until_ms, m.joined_at_ms, {profile_columns("u")}
   FROM group_members m FORCE INDEX (group_members_seniority)
   STRAIGHT_JOIN users u ON u.user_id = m.user_id AND u.username IS NOT NULL
  WHERE m.conversation_id = %s AND m.role = '{{role}}' AND m.user_id <> %s
  ORDER BY m.joined_at_ms, m.user_id LIMIT 1)"""  # noqa: S608 - constants only
_HEIRS = _LONGEST.format(role="admin") + " UNION ALL " + _LONGEST.format(role="member")

_JOIN = """
INSERT INTO conversation_participants
  (conversation_id, user_id, join_seq, activity_at_ms, changed_at_ms, is_large) VALUES"""
# Who comes back begins anew: what a device holds of the first time is to be forgotten, as after clearing.
_REJOIN = """
ON DUPLICATE KEY UPDATE join_seq = VALUES(join_seq), left_seq = NULL, hidden_seq = NULL, is_large = VALUES(is_large),
  activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)),
  changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms)),
  cleared_at_ms = GREATEST(cleared_at_ms, VALUES(changed_at_ms))"""


def get_group_members(
    tx: Transaction, conversation_id: ConversationId, user_ids: Collection[UserId]
) -> dict[UserId, GroupMember]:
    """Read those of these users who are members, in one statement."""
    if not user_ids:
        return {}
    rows = tx.query(_SELECT + " AND m.user_id IN %s", (bytes.fromhex(conversation_id), tuple(user_ids)))
    return {one.user_id: one for one in map(_member, rows)}


def list_group_members(
    tx: Transaction, conversation_id: ConversationId, *, after: UserId | None, limit: int
) -> list[GroupMember]:
    """Read a page of members in the order of their ids, in one statement; `after` ended the last page.

    Costs what the page holds, however many there are.
    """
    rows = tx.query(
        _SELECT + " AND m.user_id > %s ORDER BY m.user_id LIMIT %s", (bytes.fromhex(conversation_id), after or 0, limit)
    )
    return [_member(row) for row in rows]


def list_group_ids(tx: Transaction, user_id: UserId) -> list[GroupId]:
    """Read the ids of all groups of a user that were not dissolved, in one statement."""
    rows = tx.query(
        "SELECT g.group_id FROM conversation_participants p FORCE INDEX (participants_activity)"
        " JOIN `groups` g ON g.conversation_id = p.conversation_id"
        " WHERE p.user_id = %s AND p.left_seq IS NULL AND g.dissolved_at_ms IS NULL",
        (user_id,),
    )
    return [row[0] for row in rows]


def find_heir(tx: Transaction, conversation_id: ConversationId, owner_id: UserId) -> GroupMember | None:
    """Read who has been an admin longest, else a member, of those who are left and whose accounts stand.

    One statement, which looks at one or two rows of a group of any size.
    """
    place = (bytes.fromhex(conversation_id), owner_id)
    rows = tx.query(_HEIRS, (*place, *place))
    return _member(min(rows, key=lambda row: row[1] != "admin")) if rows else None


def has_been_member(tx: Transaction, conversation_id: ConversationId, user_id: UserId) -> bool:
    """Tell whether somebody was a member and is none any more."""
    return bool(
        tx.query(
            "SELECT 1 FROM conversation_participants WHERE conversation_id = %s AND user_id = %s"
            " AND left_seq IS NOT NULL",
            (bytes.fromhex(conversation_id), user_id),
        )
    )


def save_group_members(tx: Transaction, conversation_id: ConversationId, members: Sequence[GroupMember]) -> None:
    """Insert members, or write what may change of them, in one statement; the conversation is locked."""
    tx.execute_rows(
        "INSERT INTO group_members (conversation_id, user_id, role, muted_until_ms, joined_at_ms) VALUES",
        [
            (bytes.fromhex(conversation_id), one.user_id, one.role, one.muted_until_ms, one.joined_at_ms)
            for one in sorted(members, key=lambda one: one.user_id)
        ],
        "ON DUPLICATE KEY UPDATE role = VALUES(role), muted_until_ms = VALUES(muted_until_ms)",
    )


def delete_group_members(tx: Transaction, conversation_id: ConversationId, user_ids: Collection[UserId]) -> None:
    """Delete members' rows; the conversation is locked."""
    tx.execute(
        "DELETE FROM group_members WHERE conversation_id = %s AND user_id IN %s",
        (bytes.fromhex(conversation_id), tuple(sorted(user_ids))),
    )


def begin_participation(
    tx: Transaction,
    conversation_id: ConversationId,
    user_ids: Collection[UserId],
    *,
    join_seq: int,
    is_large: bool,
    now_ms: int,
) -> None:
    """Let users belong to a locked conversation from a seq on, those who did before too; one statement."""
    conversation = bytes.fromhex(conversation_id)
    rows = [(conversation, user_id, join_seq, now_ms, now_ms, is_large) for user_id in sorted(user_ids)]
    tx.execute_rows(_JOIN, rows, _REJOIN)


def end_participation(
    tx: Transaction, conversation_id: ConversationId, user_ids: Collection[UserId], *, left_seq: Seq, now_ms: int
) -> None:
    """Let users belong to a locked conversation no more: the message with this seq is not for them. One statement.

    When it was left is what moves it in their lists from now on, however large it is.
    """
    tx.execute(
        "UPDATE conversation_participants SET left_seq = %s, is_large = FALSE,"
        " changed_at_ms = GREATEST(changed_at_ms, %s)"
        " WHERE conversation_id = %s AND user_id IN %s AND left_seq IS NULL",
        (left_seq, now_ms, bytes.fromhex(conversation_id), tuple(sorted(user_ids))),
    )


def _member(row: Row) -> GroupMember:
    profile = row[4 : 4 + PROFILE_WIDTH]
    return GroupMember(
        user_id=row[0],
        role=row[1],
        muted_until_ms=row[2],
        joined_at_ms=row[3],
        user=None if profile[0] is None else profile_from_row(profile),
    )
