"""Who may see whose presence: contacts, and people who share a conversation."""

from collections.abc import Collection, Sequence

from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.mysql import Transaction

_KNOWN, _BLOCKED = 1, 2

# What stands between two is known by the derived id of their single chat, so each branch looks at as many rows as there
# are users asked for.
_BONDS = f"""
SELECT {_KNOWN}, own.conversation_id FROM conversation_participants own
 WHERE own.conversation_id IN %s AND own.user_id = %s AND own.left_seq IS NULL
UNION ALL
SELECT {_KNOWN}, f.conversation_id FROM friendships f FORCE INDEX (PRIMARY)
 WHERE f.conversation_id IN %s AND f.user_id = %s
UNION ALL
SELECT {_BLOCKED}, b.conversation_id FROM blocks b FORCE INDEX (PRIMARY) WHERE b.conversation_id IN %s
"""  # noqa: S608 - constants only

# From the lists of those asked for, each row looked up once: a group of the viewer's may have 100,000 members.
_GROUPS = (
    "SELECT DISTINCT theirs.user_id FROM conversation_participants theirs FORCE INDEX (participants_activity)"
    " STRAIGHT_JOIN conversation_participants own"
    " ON own.conversation_id = theirs.conversation_id AND own.user_id = %s AND own.left_seq IS NULL"
    " STRAIGHT_JOIN conversations c ON c.conversation_id = own.conversation_id AND c.type = 'group'"
    " WHERE theirs.user_id IN %s AND theirs.left_seq IS NULL"
)

_STANDING = "SELECT user_id FROM users WHERE user_id IN %s AND deleted_at_ms IS NULL"


def get_acquaintances(tx: Transaction, viewer: UserId, user_ids: Collection[UserId]) -> list[UserId]:
    """Return those of the users whose presence the viewer may see, in the order given; two or three statements.

    The one place of this rule. Strangers, people one of whom has blocked the other, erased accounts, ids of nobody and
    the viewer are left out alike.
    """
    others = [user for user in user_ids if user != viewer]
    if not others:
        return []
    known, blocked = _bonds(tx, viewer, others)
    left = [user for user in others if user not in known | blocked]
    if left:
        known |= {row[0] for row in tx.query(_GROUPS, (viewer, tuple(left)))}
    known -= blocked
    if not known:
        return []
    standing = {row[0] for row in tx.query(_STANDING, (tuple(known),))}
    return [user for user in others if user in standing]


def _bonds(tx: Transaction, viewer: UserId, others: Sequence[UserId]) -> tuple[set[UserId], set[UserId]]:
    """Return who of these is a friend or shares a single chat, and between whom and the viewer a block stands."""
    chats = {bytes.fromhex(single_conversation_id(viewer, other)): other for other in others}
    ids = tuple(chats)
    found: dict[int, set[UserId]] = {_KNOWN: set(), _BLOCKED: set()}
    for kind, chat in tx.query(_BONDS, (ids, viewer, ids, viewer, ids)):
        found[kind].add(chats[chat])
    return found[_KNOWN], found[_BLOCKED]
