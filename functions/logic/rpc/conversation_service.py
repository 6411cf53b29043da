"""ConversationService: decodes, calls one use case, encodes."""

import grpc

from gochat_contracts.commands import MarkRead
from gochat_contracts.logic import conversations_pb2, conversations_pb2_grpc
from gochat_core.errors import FieldFault, InvalidRequest
from gochat_core.ids import parse_conversation_id, parse_user_id
from gochat_core.types import Seq, UserId
from logic.conversations.create_conversation import create_single_conversation
from logic.conversations.get_conversation import access_conversation
from logic.conversations.hide_conversation import hide_conversation
from logic.conversations.list_conversations import list_conversations
from logic.conversations.ports import ConversationPorts
from logic.conversations.seen_conversation import SeenConversation
from logic.conversations.update_conversation import update_conversation
from logic.pipeline.rest_door import RestDoor
from logic.rpc.calls import caller
from logic.rpc.message_messages import conversation_message
from logic.rpc.pages import page_size
from logic.rpc.submissions import submit

Context = grpc.ServicerContext


class ConversationService(conversations_pb2_grpc.ConversationServiceServicer):
    """Conversations over gRPC; errors are rendered by the boundary around it."""

    def __init__(self, ports: ConversationPorts, door: RestDoor) -> None:
        self._ports = ports
        self._door = door

    def CreateConversation(  # noqa: N802
        self,
        request: conversations_pb2.CreateConversationRequest,
        context: Context,  # noqa: ARG002
    ) -> conversations_pb2.CreateConversationResponse:
        """Open a single chat."""
        own_id = caller().user_id
        opened = create_single_conversation(self._ports, own_id, _peer(request, own_id))
        return conversations_pb2.CreateConversationResponse(
            conversation=_message(opened.seen, own_id), created=opened.is_new
        )

    def ListConversations(  # noqa: N802
        self,
        request: conversations_pb2.ListConversationsRequest,
        context: Context,  # noqa: ARG002
    ) -> conversations_pb2.ListConversationsResponse:
        """Return a page of the caller's conversations."""
        viewer = caller().user_id
        page = list_conversations(
            self._ports.database,
            viewer,
            limit=page_size(request.limit),
            cursor=request.cursor if request.HasField("cursor") else None,
        )
        return conversations_pb2.ListConversationsResponse(
            conversations=[conversation_message(entry, viewer, page.unlisted) for entry in page.entries],
            next_cursor=page.next_cursor,
        )

    def GetConversation(  # noqa: N802
        self,
        request: conversations_pb2.GetConversationRequest,
        context: Context,  # noqa: ARG002
    ) -> conversations_pb2.GetConversationResponse:
        """Return one conversation."""
        conversation_id = parse_conversation_id(request.conversation_id)
        viewer = caller().user_id
        seen = access_conversation(self._ports.database, viewer, conversation_id)
        return conversations_pb2.GetConversationResponse(conversation=_message(seen, viewer))

    def UpdateConversation(  # noqa: N802
        self,
        request: conversations_pb2.UpdateConversationRequest,
        context: Context,  # noqa: ARG002
    ) -> conversations_pb2.UpdateConversationResponse:
        """Mute or pin."""
        viewer = caller().user_id
        seen = update_conversation(
            self._ports,
            viewer,
            parse_conversation_id(request.conversation_id),
            is_muted=request.muted if request.HasField("muted") else None,
            is_pinned=request.pinned if request.HasField("pinned") else None,
        )
        return conversations_pb2.UpdateConversationResponse(conversation=_message(seen, viewer))

    def HideConversation(  # noqa: N802
        self,
        request: conversations_pb2.HideConversationRequest,
        context: Context,  # noqa: ARG002
    ) -> conversations_pb2.HideConversationResponse:
        """Hide until the next message, and clear."""
        hide_conversation(self._ports, caller().user_id, parse_conversation_id(request.conversation_id))
        return conversations_pb2.HideConversationResponse()

    def MarkRead(  # noqa: N802
        self,
        request: conversations_pb2.MarkReadRequest,
        context: Context,  # noqa: ARG002
    ) -> conversations_pb2.MarkReadResponse:
        """Move the caller's read cursor."""
        conversation_id = parse_conversation_id(request.conversation_id)
        command = MarkRead(conversation_id=conversation_id, seq=Seq(request.seq))
        own = self._door.mark_read(submit(command, self._ports.clock))
        return conversations_pb2.MarkReadResponse(read_seq=own.seen_seq, unread_count=own.unread_count)


def _message(seen: SeenConversation, viewer: UserId) -> conversations_pb2.Conversation:
    return conversation_message(seen.entry, viewer, seen.unlisted)


def _peer(request: conversations_pb2.CreateConversationRequest, own_id: UserId) -> UserId:
    """Return the one other user that a request names; raises `InvalidRequest` with every fault, `UserNotFound`."""
    faults: list[FieldFault] = []
    if request.type != "single":
        faults.append(FieldFault(field="type", message='must be "single": groups are made by /groups/create'))
    if len(request.member_ids) != 1:
        faults.append(FieldFault(field="member_ids", message="must name exactly one user"))
    elif request.member_ids[0] == str(own_id):
        faults.append(FieldFault(field="member_ids.0", message="must be somebody else"))
    if faults:
        raise InvalidRequest(faults=faults)
    return parse_user_id(request.member_ids[0])
