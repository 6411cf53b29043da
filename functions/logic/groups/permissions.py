"""Who may do what in a group, to whom: the one table that decides it. Pure."""

from collections.abc import Mapping
from enum import StrEnum

from gochat_core.errors import Forbidden


class Role(StrEnum):
    """What a member is in a group; a group has one owner."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class Action(StrEnum):
    """What a member may want to do in a group."""

    VIEW = "view"
    INVITE = "invite"
    SPEAK_WHILE_ALL_ARE_MUTED = "speak while all are muted"
    EDIT = "edit"
    MUTE_ALL = "mute all"
    LEAVE = "leave"
    DISSOLVE = "dissolve"
    REMOVE = "remove"
    MUTE = "mute"
    RECALL = "recall"
    SET_ROLE = "set role"
    TRANSFER = "transfer"


_OWNER, _ADMIN, _MEMBER = Role.OWNER, Role.ADMIN, Role.MEMBER

ON_GROUP: Mapping[Action, frozenset[Role]] = {
    Action.VIEW: frozenset(Role),
    Action.INVITE: frozenset(Role),
    Action.SPEAK_WHILE_ALL_ARE_MUTED: frozenset({_OWNER, _ADMIN}),
    Action.EDIT: frozenset({_OWNER, _ADMIN}),
    Action.MUTE_ALL: frozenset({_OWNER, _ADMIN}),
    # A group always has an owner: who wants to go hands it over before, or dissolves it.
    Action.LEAVE: frozenset({_ADMIN, _MEMBER}),
    Action.DISSOLVE: frozenset({_OWNER}),
}
"""Which roles may do what concerns the group, or oneself."""

ON_MEMBER: Mapping[Action, Mapping[Role, frozenset[Role]]] = {
    Action.REMOVE: {_OWNER: frozenset({_ADMIN, _MEMBER}), _ADMIN: frozenset({_MEMBER})},
    Action.MUTE: {_OWNER: frozenset({_ADMIN, _MEMBER}), _ADMIN: frozenset({_MEMBER})},
    # Somebody else's message; what a former member wrote counts as a member's.
    Action.RECALL: {_OWNER: frozenset({_ADMIN, _MEMBER}), _ADMIN: frozenset({_MEMBER})},
    Action.SET_ROLE: {_OWNER: frozenset({_ADMIN, _MEMBER})},
    Action.TRANSFER: {_OWNER: frozenset({_ADMIN, _MEMBER})},
}
"""Which roles may do what concerns another member of which role; nobody does these to oneself."""


def check_on_group(role: Role, action: Action) -> None:
    """Raise `Forbidden` unless this role may do this in its group."""
    if role not in ON_GROUP[action]:
        raise Forbidden


def check_on_member(role: Role, action: Action, target: Role) -> None:
    """Raise `Forbidden` unless this role may do this to another member of the target's role."""
    if target not in ON_MEMBER[action].get(role, frozenset()):
        raise Forbidden
