"""/friends and /blocks: ask somebody to be a friend, answer, list friends, block."""

import msgspec

from gateway.http import encode
from gateway.http.answers import NO_CONTENT, Answer
from gateway.http.logic_client import call
from gateway.http.request import Request
from gateway.http.routing import Route, Services
from gochat_contracts.contacts import FriendBody, FriendRequestBody
from gochat_contracts.logic import contacts_pb2


def send_friend_request(request: Request, services: Services) -> Answer:
    """Ask somebody to be a friend; 200 when a request was pending already, from either side."""
    body = request.read(FriendRequestBody)
    message = contacts_pb2.SendFriendRequestRequest(user_id=body.user_id, message=body.message)
    response = call(services.logic.contacts.SendFriendRequest, message, request)
    return Answer(status=201 if response.created else 200, value={"request": encode.friend_request(response.request)})


def list_friend_requests(request: Request, services: Services) -> Answer:
    """List what the caller sent and received, newest first."""
    message = contacts_pb2.ListFriendRequestsRequest(limit=request.limit(), cursor=request.query.get("cursor"))
    page = call(services.logic.contacts.ListFriendRequests, message, request)
    return Answer(
        value={
            "requests": [encode.friend_request(one) for one in page.requests],
            "next_cursor": page.next_cursor if page.HasField("next_cursor") else None,
        }
    )


def accept_friend_request(request: Request, services: Services) -> Answer:
    """Become friends."""
    message = contacts_pb2.AcceptFriendRequestRequest(request_id=request.path["request_id"])
    response = call(services.logic.contacts.AcceptFriendRequest, message, request)
    return Answer(value={"request": encode.friend_request(response.request)})


def reject_friend_request(request: Request, services: Services) -> Answer:
    """Say no to a request."""
    message = contacts_pb2.RejectFriendRequestRequest(request_id=request.path["request_id"])
    response = call(services.logic.contacts.RejectFriendRequest, message, request)
    return Answer(value={"request": encode.friend_request(response.request)})


def list_friends(request: Request, services: Services) -> Answer:
    """List the caller's friends, newest first."""
    message = contacts_pb2.ListFriendsRequest(limit=request.limit(), cursor=request.query.get("cursor"))
    page = call(services.logic.contacts.ListFriends, message, request)
    return Answer(
        value={
            "friends": [encode.friend(one) for one in page.friends],
            "next_cursor": page.next_cursor if page.HasField("next_cursor") else None,
        }
    )


def update_friend(request: Request, services: Services) -> Answer:
    """Set what the caller calls a friend."""
    body = request.read(FriendBody)
    message = contacts_pb2.UpdateFriendRequest(user_id=request.path["user_id"])
    if body.remark is not msgspec.UNSET:
        message.remark = body.remark or ""
    response = call(services.logic.contacts.UpdateFriend, message, request)
    return Answer(value={"friend": encode.friend(response.friend)})


def remove_friend(request: Request, services: Services) -> Answer:
    """End a friendship for both."""
    message = contacts_pb2.RemoveFriendRequest(user_id=request.path["user_id"])
    call(services.logic.contacts.RemoveFriend, message, request)
    return NO_CONTENT


def block_user(request: Request, services: Services) -> Answer:
    """Block somebody."""
    call(services.logic.contacts.BlockUser, contacts_pb2.BlockUserRequest(user_id=request.path["user_id"]), request)
    return NO_CONTENT


def unblock_user(request: Request, services: Services) -> Answer:
    """Take back a block."""
    message = contacts_pb2.UnblockUserRequest(user_id=request.path["user_id"])
    call(services.logic.contacts.UnblockUser, message, request)
    return NO_CONTENT


def list_blocks(request: Request, services: Services) -> Answer:
    """List whom the caller has blocked, latest first."""
    message = contacts_pb2.ListBlocksRequest(limit=request.limit(), cursor=request.query.get("cursor"))
    page = call(services.logic.contacts.ListBlocks, message, request)
    return Answer(
        value={
            "users": [encode.user(one) for one in page.users],
            "next_cursor": page.next_cursor if page.HasField("next_cursor") else None,
        }
    )


ROUTES = (
    Route(method="POST", path="/friends/requests", answer=send_friend_request),
    Route(method="GET", path="/friends/requests", answer=list_friend_requests),
    Route(method="POST", path="/friends/requests/<request_id>/accept", answer=accept_friend_request),
    Route(method="POST", path="/friends/requests/<request_id>/reject", answer=reject_friend_request),
    Route(method="GET", path="/friends", answer=list_friends),
    Route(method="PATCH", path="/friends/<user_id>", answer=update_friend),
    Route(method="DELETE", path="/friends/<user_id>", answer=remove_friend),
    Route(method="PUT", path="/blocks/<user_id>", answer=block_user),
    Route(method="DELETE", path="/blocks/<user_id>", answer=unblock_user),
    Route(method="GET", path="/blocks", answer=list_blocks),
)
