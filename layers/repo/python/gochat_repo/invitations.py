"""What must be known of those whom somebody wants to bring into a group."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.mysql import Transaction
from gochat_repo.profile_rows import profile_columns, profile_from_row
from gochat_repo.users import User

_THERE, _BLOCKS, _FRIENDS = 1, 2, 3

# What stands between two is known by the derived id of their single chat, so each branch looks at as many rows as there
# are users asked for.
_STATE = f"""
SELECT {_THERE}, {profile_columns("u")} FROM users u
 WHERE u.user_id IN %s AND u.username IS NOT NULL AND u.deleted_at_ms IS NULL
UNION ALL
SELECT {_BLOCKS}, b.blocker_id, NULL, NULL, NULL, NULL FROM blocks b FORCE INDEX (PRIMARY)
 WHERE b.conversation_id IN %s AND b.blocker_id <> %s
UNION ALL
SELECT {_FRIENDS}, f.user_id, NULL, NULL, NULL, NULL FROM friendships f FORCE INDEX (PRIMARY)
 WHERE f.conversation_id IN %s AND f.user_id <> %s
"""  # noqa: S608 - constants only


@dataclass(frozen=True, kw_only=True, slots=True)
class InviteeStates:
    """Of those asked for: the profiles of who there is, who has blocked the inviter, who is the inviter's friend."""

    people: Mapping[UserId, User] = field(default_factory=dict)
    blockers: frozenset[UserId] = frozenset()
    friends: frozenset[UserId] = frozenset()


def get_invitee_states(tx: Transaction, inviter_id: UserId, user_ids: Collection[UserId]) -> InviteeStates:
    """Read what stands between the inviter and these others, in one statement; none of it is locked."""
    if not user_ids:
        return InviteeStates()
    people: dict[UserId, User] = {}
    found: dict[int, set[UserId]] = {_BLOCKS: set(), _FRIENDS: set()}
    pairs = tuple(bytes.fromhex(single_conversation_id(inviter_id, other)) for other in user_ids)
    for kind, user, *profile in tx.query(_STATE, (tuple(user_ids), pairs, inviter_id, pairs, inviter_id)):
        user_id = UserId(int(user))
        if kind == _THERE:
            *names, created_at_ms = profile
            people[user_id] = profile_from_row((user_id, *names, int(created_at_ms)))
        else:
            found[kind].add(user_id)
    return InviteeStates(people=people, blockers=frozenset(found[_BLOCKS]), friends=frozenset(found[_FRIENDS]))
