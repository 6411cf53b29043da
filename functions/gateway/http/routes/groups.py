"""/groups: make one, show and change it, its members, who owns it, dissolve it."""

import msgspec

from gateway.http import encode
from gateway.http.answers import NO_CONTENT, Answer
from gateway.http.logic_client import call
from gateway.http.request import Request
from gateway.http.routing import Route, Services
from gochat_contracts.groups import (
    GroupBody,
    GroupMemberBody,
    InvitationBody,
    NewGroupBody,
    TransferBody,
    time_ms,
    trim_group_name,
)
from gochat_contracts.logic import groups_pb2


def create_group(request: Request, services: Services) -> Answer:
    """Make a group with the caller as its owner."""
    body = request.read(NewGroupBody)
    message = groups_pb2.CreateGroupRequest(
        name=trim_group_name(body.name),
        member_ids=body.member_ids,
        avatar_url=body.avatar_url,
        announcement=body.announcement,
    )
    response = call(services.logic.groups.CreateGroup, message, request)
    return Answer(
        status=201,
        value={"group": encode.group(response.group), "conversation": encode.conversation(response.conversation)},
    )


def get_group(request: Request, services: Services) -> Answer:
    """Show a group."""
    message = groups_pb2.GetGroupRequest(group_id=request.path["group_id"])
    return _group(call(services.logic.groups.GetGroup, message, request))


def update_group(request: Request, services: Services) -> Answer:
    """Change a group's name, picture or announcement, or mute everybody."""
    body = request.read(GroupBody)
    message = groups_pb2.UpdateGroupRequest(group_id=request.path["group_id"])
    if body.name is not msgspec.UNSET:
        message.name = trim_group_name(body.name)
    if body.avatar_url is not msgspec.UNSET:
        message.avatar_url = body.avatar_url or ""
    if body.announcement is not msgspec.UNSET:
        message.announcement = body.announcement or ""
    if body.muted_all is not msgspec.UNSET:
        message.muted_all = body.muted_all
    return _group(call(services.logic.groups.UpdateGroup, message, request))


def dissolve_group(request: Request, services: Services) -> Answer:
    """End a group for good."""
    message = groups_pb2.DissolveGroupRequest(group_id=request.path["group_id"])
    call(services.logic.groups.DissolveGroup, message, request)
    return NO_CONTENT


def list_group_members(request: Request, services: Services) -> Answer:
    """List a group's members."""
    message = groups_pb2.ListGroupMembersRequest(
        group_id=request.path["group_id"], limit=request.limit(), cursor=request.query.get("cursor")
    )
    page = call(services.logic.groups.ListGroupMembers, message, request)
    return Answer(
        value={
            "members": [encode.group_member(one) for one in page.members],
            "next_cursor": page.next_cursor if page.HasField("next_cursor") else None,
        }
    )


def add_group_members(request: Request, services: Services) -> Answer:
    """Bring users into a group; answers with those named, as members."""
    body = request.read(InvitationBody)
    message = groups_pb2.AddGroupMembersRequest(group_id=request.path["group_id"], user_ids=body.user_ids)
    response = call(services.logic.groups.AddGroupMembers, message, request)
    return Answer(value={"members": [encode.group_member(one) for one in response.members]})


def remove_group_member(request: Request, services: Services) -> Answer:
    """Take somebody out of a group, or leave it."""
    message = groups_pb2.RemoveGroupMemberRequest(group_id=request.path["group_id"], user_id=request.path["user_id"])
    call(services.logic.groups.RemoveGroupMember, message, request)
    return NO_CONTENT


def update_group_member(request: Request, services: Services) -> Answer:
    """Change a member's role, or until when the member may not speak."""
    body = request.read(GroupMemberBody)
    message = groups_pb2.UpdateGroupMemberRequest(group_id=request.path["group_id"], user_id=request.path["user_id"])
    if body.role is not msgspec.UNSET:
        message.role = body.role
    if body.muted_until is not msgspec.UNSET:
        message.muted_until_ms = 0 if body.muted_until is None else max(0, time_ms(body.muted_until))
    response = call(services.logic.groups.UpdateGroupMember, message, request)
    return Answer(value={"member": encode.group_member(response.member)})


def transfer_group(request: Request, services: Services) -> Answer:
    """Make another member the owner."""
    message = groups_pb2.TransferGroupRequest(
        group_id=request.path["group_id"], user_id=request.read(TransferBody).user_id
    )
    return _group(call(services.logic.groups.TransferGroup, message, request))


def _group(response: groups_pb2.GroupResponse) -> Answer:
    return Answer(value={"group": encode.group(response.group)})


ROUTES = (
    Route(method="POST", path="/groups/create", answer=create_group),
    Route(method="GET", path="/groups/<group_id>", answer=get_group),
    Route(method="PATCH", path="/groups/<group_id>", answer=update_group),
    Route(method="DELETE", path="/groups/<group_id>", answer=dissolve_group),
    Route(method="GET", path="/groups/<group_id>/members", answer=list_group_members),
    Route(method="POST", path="/groups/<group_id>/members", answer=add_group_members),
    Route(method="PATCH", path="/groups/<group_id>/members/<user_id>", answer=update_group_member),
    Route(method="DELETE", path="/groups/<group_id>/members/<user_id>", answer=remove_group_member),
    Route(method="POST", path="/groups/<group_id>/transfer", answer=transfer_group),
)
