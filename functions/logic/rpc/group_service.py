"""GroupService: decodes, calls one use case, encodes."""

import grpc
import msgspec

from gochat_contracts.groups import GroupBody, GroupMemberBody, InvitationBody, NewGroupBody, trim_group_name
from gochat_contracts.logic import groups_pb2, groups_pb2_grpc
from gochat_core.bodies import check_values
from gochat_core.ids import parse_group_id, parse_user_id
from logic.groups.add_group_members import add_group_members
from logic.groups.create_group import NewGroup, create_group
from logic.groups.dissolve_group import dissolve_group
from logic.groups.get_group import get_group
from logic.groups.invitees import read_invitees
from logic.groups.list_group_members import list_group_members
from logic.groups.ports import GroupPorts
from logic.groups.remove_group_member import remove_group_member
from logic.groups.transfer_group import transfer_group
from logic.groups.update_group import GroupEdit, update_group
from logic.groups.update_group_member import MemberEdit, update_group_member
from logic.rpc.calls import caller, draw_id
from logic.rpc.group_messages import group_message, member_message
from logic.rpc.message_messages import conversation_message
from logic.rpc.pages import page_size

Context = grpc.ServicerContext


class GroupService(groups_pb2_grpc.GroupServiceServicer):
    """Groups over gRPC; errors are rendered by the boundary around it."""

    def __init__(self, ports: GroupPorts) -> None:
        self._ports = ports

    def CreateGroup(self, request: groups_pb2.CreateGroupRequest, context: Context) -> groups_pb2.CreateGroupResponse:  # noqa: N802, ARG002
        """Make a group."""
        body = check_values(
            NewGroupBody,
            {
                "name": request.name,
                "member_ids": list(request.member_ids),
                "avatar_url": request.avatar_url or None,
                "announcement": request.announcement or None,
            },
        )
        new = NewGroup(
            name=trim_group_name(body.name),
            avatar_url=body.avatar_url,
            announcement=body.announcement,
            invitees=read_invitees("member_ids", body.member_ids),
        )
        own_id = caller().user_id
        created = create_group(self._ports, own_id, new, random=draw_id("group"))
        return groups_pb2.CreateGroupResponse(
            group=group_message(created.group),
            conversation=conversation_message(created.seen.entry, own_id, created.seen.unlisted),
        )

    def GetGroup(self, request: groups_pb2.GetGroupRequest, context: Context) -> groups_pb2.GroupResponse:  # noqa: N802, ARG002
        """Return a group."""
        group = get_group(self._ports.database, caller().user_id, parse_group_id(request.group_id))
        return groups_pb2.GroupResponse(group=group_message(group))

    def UpdateGroup(self, request: groups_pb2.UpdateGroupRequest, context: Context) -> groups_pb2.GroupResponse:  # noqa: N802, ARG002
        """Change a group."""
        named: dict[str, object] = {
            name: getattr(request, name) for name in GroupEdit.__struct_fields__ if request.HasField(name)
        }
        named = {name: None if value == "" and name != "name" else value for name, value in named.items()}
        body = check_values(GroupBody, named)
        edit = GroupEdit(
            name=trim_group_name(body.name) if isinstance(body.name, str) else msgspec.UNSET,
            avatar_url=body.avatar_url,
            announcement=body.announcement,
            muted_all=body.muted_all,
        )
        group = update_group(self._ports, caller().user_id, parse_group_id(request.group_id), edit)
        return groups_pb2.GroupResponse(group=group_message(group))

    def DissolveGroup(  # noqa: N802
        self,
        request: groups_pb2.DissolveGroupRequest,
        context: Context,  # noqa: ARG002
    ) -> groups_pb2.DissolveGroupResponse:
        """End a group."""
        dissolve_group(self._ports, caller().user_id, parse_group_id(request.group_id))
        return groups_pb2.DissolveGroupResponse()

    def ListGroupMembers(  # noqa: N802
        self,
        request: groups_pb2.ListGroupMembersRequest,
        context: Context,  # noqa: ARG002
    ) -> groups_pb2.ListGroupMembersResponse:
        """Return a page of members."""
        page = list_group_members(
            self._ports.database,
            caller().user_id,
            parse_group_id(request.group_id),
            limit=page_size(request.limit),
            cursor=request.cursor if request.HasField("cursor") else None,
        )
        return groups_pb2.ListGroupMembersResponse(
            members=[member_message(one) for one in page.members], next_cursor=page.next_cursor
        )

    def AddGroupMembers(  # noqa: N802
        self,
        request: groups_pb2.AddGroupMembersRequest,
        context: Context,  # noqa: ARG002
    ) -> groups_pb2.AddGroupMembersResponse:
        """Bring users into a group."""
        body = check_values(InvitationBody, {"user_ids": list(request.user_ids)})
        invitees = read_invitees("user_ids", body.user_ids)
        members = add_group_members(self._ports, caller().user_id, parse_group_id(request.group_id), invitees)
        return groups_pb2.AddGroupMembersResponse(members=[member_message(one) for one in members])

    def RemoveGroupMember(  # noqa: N802
        self,
        request: groups_pb2.RemoveGroupMemberRequest,
        context: Context,  # noqa: ARG002
    ) -> groups_pb2.RemoveGroupMemberResponse:
        """Take somebody out of a group, or leave."""
        group_id, user_id = parse_group_id(request.group_id), parse_user_id(request.user_id)
        remove_group_member(self._ports, caller().user_id, group_id, user_id)
        return groups_pb2.RemoveGroupMemberResponse()

    def UpdateGroupMember(  # noqa: N802
        self,
        request: groups_pb2.UpdateGroupMemberRequest,
        context: Context,  # noqa: ARG002
    ) -> groups_pb2.GroupMemberResponse:
        """Change what a member is and may."""
        body = check_values(GroupMemberBody, {"role": request.role} if request.HasField("role") else {})
        muted_until_ms: int | msgspec.UnsetType | None = msgspec.UNSET
        if request.HasField("muted_until_ms"):
            muted_until_ms = request.muted_until_ms or None
        edit = MemberEdit(role=body.role, muted_until_ms=muted_until_ms)
        group_id, user_id = parse_group_id(request.group_id), parse_user_id(request.user_id)
        member = update_group_member(self._ports, caller().user_id, group_id, user_id, edit)
        return groups_pb2.GroupMemberResponse(member=member_message(member))

    def TransferGroup(self, request: groups_pb2.TransferGroupRequest, context: Context) -> groups_pb2.GroupResponse:  # noqa: N802, ARG002
        """Make another member the owner."""
        group_id, user_id = parse_group_id(request.group_id), parse_user_id(request.user_id)
        return groups_pb2.GroupResponse(
            group=group_message(transfer_group(self._ports, caller().user_id, group_id, user_id))
        )
