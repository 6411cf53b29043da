"""/conversations/{conversation_id}/messages: send one, read the history."""

from gateway.http import encode
from gateway.http.answers import Answer
from gateway.http.logic_client import call
from gateway.http.request import Request
from gateway.http.routing import Route, Services
from gochat_contracts.logic import messages_pb2
from gochat_contracts.message_content import parse_send_message
from gochat_core.errors import FieldFault, InvalidRequest

MAX_MESSAGE_BYTES = 32 * 1024
"""As a frame of the WebSocket: what fits through one door fits through the other."""


def send_message(request: Request, services: Services) -> Answer:
    """Store a message; 200 when the same one was stored before."""
    command = parse_send_message(
        request.body(max_bytes=MAX_MESSAGE_BYTES),
        sender_id=request.caller().user_id,
        conversation_id=request.path["conversation_id"],
    )
    message = messages_pb2.SendMessageRequest(
        conversation_id=command.conversation_id,
        client_msg_id=command.client_msg_id,
        type=command.type,
        content=bytes(command.content),
        reply_to_seq=command.reply_to_seq,
        mentions=["all"] if command.mention_all else [str(user_id) for user_id in command.mentions],
    )
    response = call(services.logic.messages.SendMessage, message, request)
    return Answer(status=201 if response.created else 200, value={"message": encode.message(response.message)})


def list_messages(request: Request, services: Services) -> Answer:
    """Read the history, ascending, before or after a seq; with neither, the latest."""
    before_seq, after_seq = request.integer("before_seq"), request.integer("after_seq")
    if before_seq is not None and after_seq is not None:
        raise InvalidRequest(faults=[FieldFault(field="after_seq", message="can't stand beside before_seq")])
    message = messages_pb2.ListMessagesRequest(
        conversation_id=request.path["conversation_id"],
        before_seq=before_seq,
        after_seq=after_seq,
        limit=request.limit(),
    )
    page = call(services.logic.messages.ListMessages, message, request)
    return Answer(value={"messages": [encode.message(one) for one in page.messages], "has_more": page.has_more})


ROUTES = (
    Route(method="GET", path="/conversations/<conversation_id>/messages", answer=list_messages),
    Route(method="POST", path="/conversations/<conversation_id>/messages", answer=send_message),
)
