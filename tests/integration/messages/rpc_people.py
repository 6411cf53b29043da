"""People who speak to im-logic over gRPC, through the very envelope of Lambda Invoke."""

import uuid
from dataclasses import dataclass
from typing import Any

import grpc

from gochat_aws.invoke_channel import InvokeChannel
from gochat_contracts.error_metadata import ERROR_KEY, decode_error
from gochat_contracts.logic import (
    auth_pb2,
    auth_pb2_grpc,
    conversations_pb2,
    conversations_pb2_grpc,
    messages_pb2,
    messages_pb2_grpc,
    users_pb2_grpc,
)
from gochat_repo.mysql import Database, database_from
from logic.rpc import wiring
from tests.fakes.token_keys import make_token_secret_json

PASSWORD = "correct horse battery"
SECRET_KEYS = make_token_secret_json()


@dataclass(kw_only=True)
class Person:
    """Somebody who is logged in."""

    user_id: str
    token: str
    door: "Door"

    def call(self, method: Any, request: Any) -> Any:
        """Call a method; raises the error that the client is told."""
        try:
            return method(request, timeout=20, metadata=[("authorization", f"Bearer {self.token}")])
        except grpc.RpcError as fault:
            ended: Any = fault  # a RpcError of a unary call is its Call, too
            told = dict(ended.trailing_metadata())
            raise decode_error(told[ERROR_KEY]) from None

    def open_chat(self, peer: "Person") -> Any:
        request = conversations_pb2.CreateConversationRequest(type="single", member_ids=[peer.user_id])
        return self.call(self.door.conversations.CreateConversation, request)

    def send(self, conversation_id: str, client_msg_id: str, text: str = "hello", **more: Any) -> Any:
        request = messages_pb2.SendMessageRequest(
            conversation_id=conversation_id,
            client_msg_id=client_msg_id,
            type="text",
            content=b'{"text": "%s"}' % text.encode(),
            **more,
        )
        return self.call(self.door.messages.SendMessage, request)

    def history(self, conversation_id: str, **where: int) -> tuple[list[int], bool]:
        request = messages_pb2.ListMessagesRequest(conversation_id=conversation_id, **where)
        page = self.call(self.door.messages.ListMessages, request)
        return [message.seq for message in page.messages], page.has_more

    def conversations(self, **page: Any) -> Any:
        request = conversations_pb2.ListConversationsRequest(**page)
        return self.call(self.door.conversations.ListConversations, request)

    def conversation(self, conversation_id: str) -> Any:
        request = conversations_pb2.GetConversationRequest(conversation_id=conversation_id)
        return self.call(self.door.conversations.GetConversation, request).conversation

    def read(self, conversation_id: str, seq: int) -> tuple[int, int]:
        request = conversations_pb2.MarkReadRequest(conversation_id=conversation_id, seq=seq)
        answer = self.call(self.door.conversations.MarkRead, request)
        return answer.read_seq, answer.unread_count


class Door:
    """The stubs of im-logic."""

    def __init__(self, environ: dict[str, str]) -> None:
        channel = InvokeChannel(wiring.build(environ, read_secret=lambda: SECRET_KEYS).handle_payload)
        self.auth = auth_pb2_grpc.AuthServiceStub(channel)
        self.users = users_pb2_grpc.UserServiceStub(channel)
        self.messages = messages_pb2_grpc.MessageServiceStub(channel)
        self.conversations = conversations_pb2_grpc.ConversationServiceStub(channel)
        self.database: Database = database_from(environ)

    def person(self, stem: str) -> Person:
        """Register somebody and log in."""
        name = f"{stem}-{uuid.uuid4().hex[:12]}"
        self.auth.Register(auth_pb2.RegisterRequest(username=name, password=PASSWORD, source_ip="192.0.2.1"))
        pair = self.auth.Authenticate(
            auth_pb2.AuthenticateRequest(username=name, password=PASSWORD, device_id="phone", platform="ios")
        )
        return Person(user_id=str(pair.user.user_id), token=pair.access_token, door=self)
