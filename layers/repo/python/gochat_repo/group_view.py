"""A group as its members see it, as clients are told of it by events."""

from gochat_contracts.views import GroupView
from gochat_core.clock import rfc3339
from gochat_repo.groups import Group


def view_group(group: Group) -> GroupView:
    """Return the `group` object of the protocol."""
    return GroupView(
        group_id=str(group.group_id),
        conversation_id=group.conversation_id,
        name=group.name,
        avatar_url=group.avatar_url,
        announcement=group.announcement,
        owner_id=str(group.owner_id),
        member_count=group.member_count,
        muted_all=group.muted_all,
        created_at=rfc3339(group.created_at_ms),
        dissolved_at=None if group.dissolved_at_ms is None else rfc3339(group.dissolved_at_ms),
    )
