"""Writes groups and their members as protobuf messages."""

from gochat_contracts.logic import groups_pb2
from gochat_repo.group_members import GroupMember
from gochat_repo.groups import Group
from gochat_repo.users import User
from logic.rpc.account_messages import user_message


def group_message(group: Group) -> groups_pb2.Group:
    """Write a group."""
    return groups_pb2.Group(
        group_id=group.group_id,
        conversation_id=group.conversation_id,
        name=group.name,
        avatar_url=group.avatar_url,
        announcement=group.announcement,
        owner_id=group.owner_id,
        member_count=group.member_count,
        muted_all=group.muted_all,
        created_at_ms=group.created_at_ms,
        dissolved_at_ms=group.dissolved_at_ms,
    )


def member_message(member: GroupMember) -> groups_pb2.GroupMember:
    """Write a member; one whose account was erased has an id and no name."""
    erased = User(user_id=member.user_id, username="", display_name="", avatar_url=None, created_at_ms=0)
    return groups_pb2.GroupMember(
        user=user_message(member.user or erased),
        role=member.role,
        muted_until_ms=member.muted_until_ms,
        joined_at_ms=member.joined_at_ms,
    )
