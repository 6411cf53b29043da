"""ContactService: decodes, calls one use case, encodes."""

import grpc

from gochat_contracts.contacts import FriendBody, FriendRequestBody
from gochat_contracts.logic import contacts_pb2, contacts_pb2_grpc
from gochat_core.bodies import check_values
from gochat_core.errors import FieldFault, InvalidRequest
from gochat_core.ids import parse_friend_request_id, parse_user_id
from gochat_core.types import UserId
from logic.contacts.answer_friend_request import accept_friend_request, reject_friend_request
from logic.contacts.block_user import block_user, unblock_user
from logic.contacts.list_blocks import list_blocks
from logic.contacts.list_friend_requests import list_friend_requests
from logic.contacts.list_friends import list_friends
from logic.contacts.ports import ContactPorts
from logic.contacts.remove_friend import remove_friend
from logic.contacts.send_friend_request import send_friend_request
from logic.contacts.update_friend import update_friend
from logic.rpc.account_messages import user_message
from logic.rpc.calls import caller
from logic.rpc.contact_messages import friend_message, request_message
from logic.rpc.pages import page_size

Context = grpc.ServicerContext


class ContactService(contacts_pb2_grpc.ContactServiceServicer):
    """Contacts over gRPC; errors are rendered by the boundary around it."""

    def __init__(self, ports: ContactPorts) -> None:
        self._ports = ports

    def SendFriendRequest(  # noqa: N802
        self,
        request: contacts_pb2.SendFriendRequestRequest,
        context: Context,  # noqa: ARG002
    ) -> contacts_pb2.SendFriendRequestResponse:
        """Ask somebody to be a friend."""
        message = request.message if request.HasField("message") else None
        body = check_values(FriendRequestBody, {"user_id": request.user_id, "message": message})
        own_id = caller().user_id
        sent = send_friend_request(self._ports, own_id, _somebody_else(body.user_id, own_id), body.message or None)
        return contacts_pb2.SendFriendRequestResponse(request=request_message(sent.seen), created=sent.is_new)

    def ListFriendRequests(  # noqa: N802
        self,
        request: contacts_pb2.ListFriendRequestsRequest,
        context: Context,  # noqa: ARG002
    ) -> contacts_pb2.ListFriendRequestsResponse:
        """Return a page of the caller's requests."""
        page = list_friend_requests(
            self._ports.database,
            caller().user_id,
            limit=page_size(request.limit),
            cursor=request.cursor if request.HasField("cursor") else None,
        )
        return contacts_pb2.ListFriendRequestsResponse(
            requests=[request_message(one) for one in page.requests], next_cursor=page.next_cursor
        )

    def AcceptFriendRequest(  # noqa: N802
        self,
        request: contacts_pb2.AcceptFriendRequestRequest,
        context: Context,  # noqa: ARG002
    ) -> contacts_pb2.FriendRequestResponse:
        """Say yes."""
        seen = accept_friend_request(self._ports, caller().user_id, parse_friend_request_id(request.request_id))
        return contacts_pb2.FriendRequestResponse(request=request_message(seen))

    def RejectFriendRequest(  # noqa: N802
        self,
        request: contacts_pb2.RejectFriendRequestRequest,
        context: Context,  # noqa: ARG002
    ) -> contacts_pb2.FriendRequestResponse:
        """Say no."""
        seen = reject_friend_request(self._ports, caller().user_id, parse_friend_request_id(request.request_id))
        return contacts_pb2.FriendRequestResponse(request=request_message(seen))

    def ListFriends(  # noqa: N802
        self,
        request: contacts_pb2.ListFriendsRequest,
        context: Context,  # noqa: ARG002
    ) -> contacts_pb2.ListFriendsResponse:
        """Return a page of the caller's friends."""
        page = list_friends(
            self._ports,
            caller().user_id,
            limit=page_size(request.limit),
            cursor=request.cursor if request.HasField("cursor") else None,
        )
        return contacts_pb2.ListFriendsResponse(
            friends=[friend_message(one) for one in page.friends], next_cursor=page.next_cursor
        )

    def UpdateFriend(self, request: contacts_pb2.UpdateFriendRequest, context: Context) -> contacts_pb2.FriendResponse:  # noqa: N802, ARG002
        """Set what the caller calls a friend."""
        remark = request.remark if request.HasField("remark") else None
        check_values(FriendBody, {"remark": remark})
        friend = update_friend(self._ports, caller().user_id, parse_user_id(request.user_id), remark=remark)
        return contacts_pb2.FriendResponse(friend=friend_message(friend))

    def RemoveFriend(  # noqa: N802
        self,
        request: contacts_pb2.RemoveFriendRequest,
        context: Context,  # noqa: ARG002
    ) -> contacts_pb2.RemoveFriendResponse:
        """End a friendship."""
        remove_friend(self._ports, caller().user_id, parse_user_id(request.user_id))
        return contacts_pb2.RemoveFriendResponse()

    def BlockUser(self, request: contacts_pb2.BlockUserRequest, context: Context) -> contacts_pb2.BlockUserResponse:  # noqa: N802, ARG002
        """Block somebody."""
        own_id = caller().user_id
        block_user(self._ports, own_id, _somebody_else(request.user_id, own_id))
        return contacts_pb2.BlockUserResponse()

    def UnblockUser(  # noqa: N802
        self,
        request: contacts_pb2.UnblockUserRequest,
        context: Context,  # noqa: ARG002
    ) -> contacts_pb2.UnblockUserResponse:
        """Take back a block."""
        unblock_user(self._ports, caller().user_id, parse_user_id(request.user_id))
        return contacts_pb2.UnblockUserResponse()

    def ListBlocks(self, request: contacts_pb2.ListBlocksRequest, context: Context) -> contacts_pb2.ListBlocksResponse:  # noqa: N802, ARG002
        """Return a page of whom the caller has blocked."""
        page = list_blocks(
            self._ports.database,
            caller().user_id,
            limit=page_size(request.limit),
            cursor=request.cursor if request.HasField("cursor") else None,
        )
        return contacts_pb2.ListBlocksResponse(
            users=[user_message(one) for one in page.users], next_cursor=page.next_cursor
        )


def _somebody_else(user_id: str, own_id: UserId) -> UserId:
    """Return the user that a call names; raises `InvalidRequest` for the caller's own id, `UserNotFound`."""
    if user_id == str(own_id):
        raise InvalidRequest(faults=[FieldFault(field="user_id", message="must be somebody else")])
    return parse_user_id(user_id)
