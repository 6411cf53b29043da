"""Those whom somebody wants to bring into a group: who of them there is, and who of them may be brought."""

from collections.abc import Collection, Sequence

import msgspec

from gochat_core.errors import Blocked, FieldFault, GroupFull, NotFriends, UserNotFound
from gochat_core.ids import parse_user_id
from gochat_core.types import UserId
from gochat_repo.group_members import GroupMember
from gochat_repo.invitations import InviteeStates, get_invitee_states
from gochat_repo.mysql import Transaction
from gochat_repo.users import User
from logic.groups.permissions import Role


class Invitees(msgspec.Struct, frozen=True, kw_only=True):
    """The users that a call names in `field`, as often as it does; None for what can be nobody's id."""

    field: str
    named: tuple[UserId | None, ...]

    def ids(self) -> list[UserId]:
        """Return whom it names, each once, in its order."""
        return list(dict.fromkeys(one for one in self.named if one is not None))

    def faults(self, at_fault: Collection[UserId | None], message: str) -> list[FieldFault]:
        """Return a fault for each place that names one of these."""
        return [
            FieldFault(field=f"{self.field}.{index}", message=message)
            for index, one in enumerate(self.named)
            if one in at_fault
        ]


def read_invitees(field: str, texts: Sequence[str]) -> Invitees:
    """Read the ids that a call names; what is wrong with them is told with all the rest by `plan_joins`."""
    return Invitees(field=field, named=tuple(map(_read, texts)))


def _read(text: str) -> UserId | None:
    try:
        return parse_user_id(text)
    except UserNotFound:
        return None


def plan_joins(
    tx: Transaction,
    inviter_id: UserId,
    invitees: Invitees,
    present: Collection[UserId],
    *,
    room: int,
    contacts_only: bool,
    now_ms: int,
) -> tuple[GroupMember, ...]:
    """Return the members whom these become; those who are `present` already, and the inviter, are folded.

    One statement. The whole call is refused, naming everybody at fault: `UserNotFound`, `Blocked`, `NotFriends`,
    `GroupFull`.
    """
    coming = [one for one in invitees.ids() if one != inviter_id and one not in present]
    states = get_invitee_states(tx, inviter_id, coming)
    check_invitees(invitees, coming, states, contacts_only=contacts_only)
    if len(coming) > room:
        raise GroupFull
    return tuple(
        GroupMember(
            user_id=one, role=Role.MEMBER.value, muted_until_ms=None, joined_at_ms=now_ms, user=_profile(states, one)
        )
        for one in coming
    )


def check_invitees(
    invitees: Invitees, coming: Collection[UserId], states: InviteeStates, *, contacts_only: bool
) -> None:
    """Raise what forbids to bring those who are coming into a group. Pure."""
    unknown: set[UserId | None] = {None, *coming} - set(states.people)
    if faults := invitees.faults(unknown, "there is no such user"):
        raise UserNotFound(faults=faults)
    if faults := invitees.faults(states.blockers & set(coming), "does not accept invitations from you"):
        raise Blocked(faults=faults)
    strangers = set(coming) - states.friends
    if contacts_only and (faults := invitees.faults(strangers, "is no friend of yours")):
        raise NotFriends(faults=faults)


def _profile(states: InviteeStates, user_id: UserId) -> User | None:
    return states.people.get(user_id)
