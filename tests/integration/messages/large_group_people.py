"""People who make large groups, and what the use cases of groups stand on."""

from gochat_core.ids import IdMaker
from gochat_core.types import UserId
from logic.groups.create_group import CreatedGroup, NewGroup, create_group
from logic.groups.invitees import Invitees, read_invitees
from logic.groups.ports import GroupPorts
from tests.integration.messages.frames import ALICE
from tests.integration.messages.stage import Door, Stage

PEOPLE = [UserId(30_000 + number) for number in range(300)]


def ports_of(door: Door) -> GroupPorts:
    """Return what REST's use cases stand on; a hundred members make a group large."""
    return GroupPorts(
        database=door.database,
        announcer=door.announcer,
        clock=door.clock,
        ids=IdMaker(door.clock),
        max_members=100_000,
        large_members=100,
    )


def invitees(*user_ids: UserId) -> Invitees:
    """Name people as a request does."""
    return read_invitees("user_ids", [str(one) for one in user_ids])


def begin(stage: Stage, *members: UserId, random: bytes = b"r" * 16) -> CreatedGroup:
    """Let Alice make a group."""
    new = NewGroup(name="Friday", avatar_url=None, announcement=None, invitees=invitees(*members))
    return create_group(ports_of(stage.doors[0]), ALICE, new, random=random)
