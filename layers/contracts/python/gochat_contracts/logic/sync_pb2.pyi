from gochat_contracts.logic import conversations_pb2 as _conversations_pb2
from gochat_contracts.logic import messages_pb2 as _messages_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SyncCursor(_message.Message):
    __slots__ = ("conversation_id", "seq", "change")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    seq: int
    change: int
    def __init__(self, conversation_id: _Optional[str] = ..., seq: _Optional[int] = ..., change: _Optional[int] = ...) -> None: ...

class SyncConversationsRequest(_message.Message):
    __slots__ = ("token", "cursors")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    token: str
    cursors: _containers.RepeatedCompositeFieldContainer[SyncCursor]
    def __init__(self, token: _Optional[str] = ..., cursors: _Optional[_Iterable[_Union[SyncCursor, _Mapping]]] = ...) -> None: ...

class SyncedConversation(_message.Message):
    __slots__ = ("conversation", "messages", "changed", "has_more")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    conversation: _conversations_pb2.Conversation
    messages: _containers.RepeatedCompositeFieldContainer[_messages_pb2.Message]
    changed: _containers.RepeatedCompositeFieldContainer[_messages_pb2.Message]
    has_more: bool
    def __init__(self, conversation: _Optional[_Union[_conversations_pb2.Conversation, _Mapping]] = ..., messages: _Optional[_Iterable[_Union[_messages_pb2.Message, _Mapping]]] = ..., changed: _Optional[_Iterable[_Union[_messages_pb2.Message, _Mapping]]] = ..., has_more: _Optional[bool] = ...) -> None: ...

class SyncConversationsResponse(_message.Message):
    __slots__ = ("token", "conversations", "removed_conversation_ids", "has_more")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_CONVERSATION_IDS_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    token: str
    conversations: _containers.RepeatedCompositeFieldContainer[SyncedConversation]
    removed_conversation_ids: _containers.RepeatedScalarFieldContainer[str]
    has_more: bool
    def __init__(self, token: _Optional[str] = ..., conversations: _Optional[_Iterable[_Union[SyncedConversation, _Mapping]]] = ..., removed_conversation_ids: _Optional[_Iterable[str]] = ..., has_more: _Optional[bool] = ...) -> None: ...
