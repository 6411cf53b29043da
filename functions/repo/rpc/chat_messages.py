"""Writes groups, their members and messages as protobuf messages, as the database has them."""

from collections.abc import Iterable

from gochat_contracts.repo import repo_pb2
from gochat_repo.group_members import GroupMember
from gochat_repo.groups import Group
from gochat_repo.messages import StoredMessage


def group_message(group: Group) -> repo_pb2.GetGroupResponse:
    """Write a group."""
    return repo_pb2.GetGroupResponse(
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


def members_message(members: Iterable[GroupMember]) -> repo_pb2.ListGroupMembersResponse:
    """Write a page of members."""
    return repo_pb2.ListGroupMembersResponse(
        members=[
            repo_pb2.ListGroupMembersResponse.Member(
                user_id=one.user_id, role=one.role, muted_until_ms=one.muted_until_ms, joined_at_ms=one.joined_at_ms
            )
            for one in members
        ]
    )


def messages_message(messages: Iterable[StoredMessage]) -> repo_pb2.ListMessagesResponse:
    """Write a page of messages."""
    return repo_pb2.ListMessagesResponse(
        messages=[
            repo_pb2.ListMessagesResponse.Message(
                message_id=one.message_id,
                seq=one.seq,
                sender_id=one.sender_id,
                type=one.type,
                content=b"" if one.recalled_at_ms is not None else one.content,
                created_at_ms=one.created_at_ms,
                edited_at_ms=one.edited_at_ms,
                recalled_at_ms=one.recalled_at_ms,
            )
            for one in messages
        ]
    )
