"""What a client may send about groups: the same rules at the REST door and in im-logic."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from gochat_contracts.accounts import AvatarUrl
from gochat_core.errors import FieldFault, InvalidRequest

MAX_NAME_CHARACTERS = 100
"""Of a group's name, in code points, without the spaces around it."""

MAX_NAMED_USERS = 500
"""How many users one call may add to a group (protocol)."""

_SPACES_AROUND = 900
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_000

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp", "Zs"})
_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})

GroupName = Annotated[str, msgspec.Meta(max_length=MAX_NAME_CHARACTERS + _SPACES_AROUND)]
"""What may come as a name at all; `trim_group_name` says what is one."""

Announcement = Annotated[str, msgspec.Meta(max_length=2_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*\Z")]
"""May have several lines; an empty one is none."""

NamedUsers = Annotated[list[str], msgspec.Meta(max_length=MAX_NAMED_USERS)]


class NewGroupBody(msgspec.Struct, frozen=True, kw_only=True):
    """POST /groups/create: whoever calls becomes the owner, named or not."""

    name: GroupName
    member_ids: NamedUsers
    avatar_url: AvatarUrl | None = None
    announcement: Announcement | None = None


class GroupBody(msgspec.Struct, frozen=True, kw_only=True):
    """PATCH /groups/{group_id}: what is absent stays as it is, null removes an avatar or an announcement."""

    name: GroupName | msgspec.UnsetType = msgspec.UNSET
    avatar_url: AvatarUrl | msgspec.UnsetType | None = msgspec.UNSET
    announcement: Announcement | msgspec.UnsetType | None = msgspec.UNSET
    muted_all: bool | msgspec.UnsetType = msgspec.UNSET


class InvitationBody(msgspec.Struct, frozen=True, kw_only=True):
    """POST /groups/{group_id}/members."""

    user_ids: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_NAMED_USERS)]


class GroupMemberBody(msgspec.Struct, frozen=True, kw_only=True):
    """PATCH /groups/{group_id}/members/{user_id}: what is absent stays as it is, null ends the muting."""

    role: Literal["admin", "member"] | msgspec.UnsetType = msgspec.UNSET
    muted_until: Annotated[datetime, msgspec.Meta(tz=True)] | msgspec.UnsetType | None = msgspec.UNSET


class TransferBody(msgspec.Struct, frozen=True, kw_only=True):
    """POST /groups/{group_id}/transfer."""

    user_id: str


def trim_group_name(text: str) -> str:
    """Return a group's name without the spaces around it; raises `InvalidRequest` for what is none.

    1 to 100 characters on one line, with something to see among them.
    """
    name = text.strip()
    kinds = {unicodedata.category(character) for character in name}
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or kinds & _CONTROLS or kinds <= _UNSEEN:
        message = f"must have 1 to {MAX_NAME_CHARACTERS} characters on one line, and something to see among them"
        raise InvalidRequest(faults=[FieldFault(field="name", message=message)])
    return name


def time_ms(time: datetime) -> int:
    """Return a time that a client wrote, in milliseconds; what lies beyond the year 9999 in UTC is its end."""
    return min((time - _EPOCH) // timedelta(milliseconds=1), _LAST_MS)
