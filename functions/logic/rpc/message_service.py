"""MessageService: decodes, calls one use case, encodes."""

import grpc

from gochat_contracts.logic import messages_pb2, messages_pb2_grpc
from gochat_contracts.message_content import make_send_message
from gochat_core.clock import Clock
from gochat_core.ids import parse_conversation_id
from gochat_repo.message_view import find_unlisted_viewers
from gochat_repo.mysql import Database
from logic.messages.list_messages import list_messages
from logic.pipeline.rest_door import RestDoor
from logic.rpc.calls import caller
from logic.rpc.message_messages import message_message
from logic.rpc.pages import page_size
from logic.rpc.submissions import submit

Context = grpc.ServicerContext


class MessageService(messages_pb2_grpc.MessageServiceServicer):
    """Messages of a conversation over gRPC; errors are rendered by the boundary around it."""

    def __init__(self, database: Database, door: RestDoor, clock: Clock) -> None:
        self._database = database
        self._door = door
        self._clock = clock

    def SendMessage(  # noqa: N802
        self,
        request: messages_pb2.SendMessageRequest,
        context: Context,  # noqa: ARG002
    ) -> messages_pb2.SendMessageResponse:
        """Store and announce a message."""
        who = caller()
        command = make_send_message(
            sender_id=who.user_id,
            conversation_id=request.conversation_id,
            client_msg_id=request.client_msg_id,
            type_=request.type,
            content=request.content,
            reply_to_seq=request.reply_to_seq if request.HasField("reply_to_seq") else None,
            mentions=tuple(request.mentions),
        )
        sent = self._door.send(submit(command, self._clock))
        # A resend is answered with the message as it is now, which others may have reacted to.
        seen = [(sent.message, (who.user_id,))] if sent.message.reactions else []
        unlisted = self._database.read(lambda tx: find_unlisted_viewers(tx, seen)) if seen else frozenset()
        message = message_message(sent.message, who.user_id, unlisted)
        return messages_pb2.SendMessageResponse(message=message, created=sent.is_new)

    def ListMessages(  # noqa: N802
        self,
        request: messages_pb2.ListMessagesRequest,
        context: Context,  # noqa: ARG002
    ) -> messages_pb2.ListMessagesResponse:
        """Read the history."""
        viewer = caller().user_id
        page = list_messages(
            self._database,
            viewer,
            parse_conversation_id(request.conversation_id),
            before_seq=request.before_seq if request.HasField("before_seq") else None,
            after_seq=request.after_seq if request.HasField("after_seq") else None,
            limit=page_size(request.limit),
        )
        return messages_pb2.ListMessagesResponse(
            messages=[message_message(one, viewer, page.unlisted) for one in page.messages], has_more=page.has_more
        )
