"""Who may see whose presence: contacts, and people who share a conversation."""

from collections.abc import Collection, Sequence

from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.mysql import Transaction

# Members of one single chat are known by its derived id, so this looks at as many rows as there are users asked for.
_SINGLE = (
    "SELECT own.conversation_id FROM conversation_participants own WHERE own.conversation_id IN %s AND own.user_id = %s"
    " AND own.left_seq IS NULL"
)

_GROUPS = (
    "SELECT DISTINCT theirs.user_id FROM conversation_participants own"
    " JOIN conversations c ON c.conversation_id = own.conversation_id AND c.type = 'group'"
    " JOIN conversation_participants theirs ON theirs.conversation_id = own.conversation_id"
    " WHERE own.user_id = %s AND own.left_seq IS NULL AND theirs.user_id IN %s AND theirs.left_seq IS NULL"
)

_STANDING = "SELECT user_id FROM users WHERE user_id IN %s AND deleted_at_ms IS NULL"


def get_acquaintances(tx: Transaction, viewer: UserId, user_ids: Collection[UserId]) -> list[UserId]:
    """Return those of the users whose presence the viewer may see, in the order given; two or three statements.

    The one place of this rule. Strangers, erased accounts, ids of nobody and the viewer are left out alike.
    """
    others = [user for user in user_ids if user != viewer]
    if not others:
        return []
    known = _in_single_chats(tx, viewer, others)
    left = [user for user in others if user not in known]
    if left:
        known |= {row[0] for row in tx.query(_GROUPS, (viewer, tuple(left)))}
    if not known:
        return []
    standing = {row[0] for row in tx.query(_STANDING, (tuple(known),))}
    return [user for user in others if user in standing]


def _in_single_chats(tx: Transaction, viewer: UserId, others: Sequence[UserId]) -> set[UserId]:
    chats = {bytes.fromhex(single_conversation_id(viewer, other)): other for other in others}
    return {chats[row[0]] for row in tx.query(_SINGLE, (tuple(chats), viewer))}
