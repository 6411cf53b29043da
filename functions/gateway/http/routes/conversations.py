"""/conversations: open one, list them, read one, mute, pin, hide, and how far the caller has read."""

from typing import Annotated, Literal

import msgspec

from gateway.http import encode
from gateway.http.answers import NO_CONTENT, Answer
from gateway.http.logic_client import call
from gateway.http.request import Request
from gateway.http.routing import Route, Services
from gochat_contracts.logic import conversations_pb2


class CreateBody(msgspec.Struct, frozen=True, kw_only=True):
    """POST /conversations/create: a single chat has one other member."""

    type: Literal["single"]
    member_ids: Annotated[list[str], msgspec.Meta(min_length=1, max_length=1)]


class UpdateBody(msgspec.Struct, frozen=True, kw_only=True):
    """PATCH /conversations/{conversation_id}: what is absent stays as it is."""

    muted: bool | msgspec.UnsetType = msgspec.UNSET
    pinned: bool | msgspec.UnsetType = msgspec.UNSET


class ReadBody(msgspec.Struct, frozen=True, kw_only=True):
    """POST /conversations/{conversation_id}/read."""

    seq: Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]


def create_conversation(request: Request, services: Services) -> Answer:
    """Open the single chat with somebody; 200 when there is one already."""
    body = request.read(CreateBody)
    message = conversations_pb2.CreateConversationRequest(type=body.type, member_ids=body.member_ids)
    response = call(services.logic.conversations.CreateConversation, message, request)
    return Answer(
        status=201 if response.created else 200, value={"conversation": encode.conversation(response.conversation)}
    )


def list_conversations(request: Request, services: Services) -> Answer:
    """List the caller's conversations, newest activity first."""
    message = conversations_pb2.ListConversationsRequest(limit=request.limit(), cursor=request.query.get("cursor"))
    page = call(services.logic.conversations.ListConversations, message, request)
    return Answer(
        value={
            "conversations": [encode.conversation(one) for one in page.conversations],
            "next_cursor": page.next_cursor if page.HasField("next_cursor") else None,
        }
    )


def get_conversation(request: Request, services: Services) -> Answer:
    """Return one conversation."""
    message = conversations_pb2.GetConversationRequest(conversation_id=request.path["conversation_id"])
    response = call(services.logic.conversations.GetConversation, message, request)
    return Answer(value={"conversation": encode.conversation(response.conversation)})


def update_conversation(request: Request, services: Services) -> Answer:
    """Mute or pin a conversation, for the caller alone."""
    body = request.read(UpdateBody)
    message = conversations_pb2.UpdateConversationRequest(conversation_id=request.path["conversation_id"])
    if body.muted is not msgspec.UNSET:
        message.muted = body.muted
    if body.pinned is not msgspec.UNSET:
        message.pinned = body.pinned
    response = call(services.logic.conversations.UpdateConversation, message, request)
    return Answer(value={"conversation": encode.conversation(response.conversation)})


def hide_conversation(request: Request, services: Services) -> Answer:
    """Hide a conversation until its next message, and clear the caller's history."""
    message = conversations_pb2.HideConversationRequest(conversation_id=request.path["conversation_id"])
    call(services.logic.conversations.HideConversation, message, request)
    return NO_CONTENT


def mark_read(request: Request, services: Services) -> Answer:
    """Move the caller's read cursor forward."""
    message = conversations_pb2.MarkReadRequest(
        conversation_id=request.path["conversation_id"], seq=request.read(ReadBody).seq
    )
    response = call(services.logic.conversations.MarkRead, message, request)
    return Answer(value={"read_seq": response.read_seq, "unread_count": response.unread_count})


ROUTES = (
    Route(method="POST", path="/conversations/create", answer=create_conversation),
    Route(method="GET", path="/conversations", answer=list_conversations),
    Route(method="GET", path="/conversations/<conversation_id>", answer=get_conversation),
    Route(method="PATCH", path="/conversations/<conversation_id>", answer=update_conversation),
    Route(method="DELETE", path="/conversations/<conversation_id>", answer=hide_conversation),
    Route(method="POST", path="/conversations/<conversation_id>/read", answer=mark_read),
)
