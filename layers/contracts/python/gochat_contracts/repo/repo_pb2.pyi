from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetUserRequest(_message.Message):
    __slots__ = ("user_id", "username")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    username: str
    def __init__(self, user_id: _Optional[int] = ..., username: _Optional[str] = ...) -> None: ...

class GetUserResponse(_message.Message):
    __slots__ = ("user_id", "username", "display_name", "avatar_url", "created_at_ms", "last_login_at_ms")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_URL_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_LOGIN_AT_MS_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    username: str
    display_name: str
    avatar_url: str
    created_at_ms: int
    last_login_at_ms: int
    def __init__(self, user_id: _Optional[int] = ..., username: _Optional[str] = ..., display_name: _Optional[str] = ..., avatar_url: _Optional[str] = ..., created_at_ms: _Optional[int] = ..., last_login_at_ms: _Optional[int] = ...) -> None: ...

class ListConnectionsRequest(_message.Message):
    __slots__ = ("user_ids",)
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, user_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class Connection(_message.Message):
    __slots__ = ("user_id", "device_id", "session_id", "cell_id", "connection_id", "connected_at_ms")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CELL_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    device_id: str
    session_id: int
    cell_id: str
    connection_id: str
    connected_at_ms: int
    def __init__(self, user_id: _Optional[int] = ..., device_id: _Optional[str] = ..., session_id: _Optional[int] = ..., cell_id: _Optional[str] = ..., connection_id: _Optional[str] = ..., connected_at_ms: _Optional[int] = ...) -> None: ...

class ListConnectionsResponse(_message.Message):
    __slots__ = ("connections",)
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    connections: _containers.RepeatedCompositeFieldContainer[Connection]
    def __init__(self, connections: _Optional[_Iterable[_Union[Connection, _Mapping]]] = ...) -> None: ...

class ClaimConnectionChecksRequest(_message.Message):
    __slots__ = ("cell_id", "unchecked_for_ms", "limit")
    CELL_ID_FIELD_NUMBER: _ClassVar[int]
    UNCHECKED_FOR_MS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    cell_id: str
    unchecked_for_ms: int
    limit: int
    def __init__(self, cell_id: _Optional[str] = ..., unchecked_for_ms: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ClaimConnectionChecksResponse(_message.Message):
    __slots__ = ("connections",)
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    connections: _containers.RepeatedCompositeFieldContainer[Connection]
    def __init__(self, connections: _Optional[_Iterable[_Union[Connection, _Mapping]]] = ...) -> None: ...

class CountConnectionsRequest(_message.Message):
    __slots__ = ("cell_ids",)
    CELL_IDS_FIELD_NUMBER: _ClassVar[int]
    cell_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, cell_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class CountConnectionsResponse(_message.Message):
    __slots__ = ("connections",)
    class ConnectionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    connections: _containers.ScalarMap[str, int]
    def __init__(self, connections: _Optional[_Mapping[str, int]] = ...) -> None: ...

class UpdateUserStatusRequest(_message.Message):
    __slots__ = ("user_id", "online", "last_seen_ms")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ONLINE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_MS_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    online: bool
    last_seen_ms: int
    def __init__(self, user_id: _Optional[int] = ..., online: _Optional[bool] = ..., last_seen_ms: _Optional[int] = ...) -> None: ...

class UpdateUserStatusResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PushPlace(_message.Message):
    __slots__ = ("user_id", "device_id", "conversation_id", "seq")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    device_id: str
    conversation_id: str
    seq: int
    def __init__(self, user_id: _Optional[int] = ..., device_id: _Optional[str] = ..., conversation_id: _Optional[str] = ..., seq: _Optional[int] = ...) -> None: ...

class RecheckPushesRequest(_message.Message):
    __slots__ = ("pushes",)
    class Push(_message.Message):
        __slots__ = ("place", "task_id")
        PLACE_FIELD_NUMBER: _ClassVar[int]
        TASK_ID_FIELD_NUMBER: _ClassVar[int]
        place: PushPlace
        task_id: str
        def __init__(self, place: _Optional[_Union[PushPlace, _Mapping]] = ..., task_id: _Optional[str] = ...) -> None: ...
    PUSHES_FIELD_NUMBER: _ClassVar[int]
    pushes: _containers.RepeatedCompositeFieldContainer[RecheckPushesRequest.Push]
    def __init__(self, pushes: _Optional[_Iterable[_Union[RecheckPushesRequest.Push, _Mapping]]] = ...) -> None: ...

class RecheckPushesResponse(_message.Message):
    __slots__ = ("verdicts",)
    class Verdict(_message.Message):
        __slots__ = ("reason", "provider", "token", "token_updated_at_ms", "badge")
        REASON_FIELD_NUMBER: _ClassVar[int]
        PROVIDER_FIELD_NUMBER: _ClassVar[int]
        TOKEN_FIELD_NUMBER: _ClassVar[int]
        TOKEN_UPDATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
        BADGE_FIELD_NUMBER: _ClassVar[int]
        reason: str
        provider: str
        token: str
        token_updated_at_ms: int
        badge: int
        def __init__(self, reason: _Optional[str] = ..., provider: _Optional[str] = ..., token: _Optional[str] = ..., token_updated_at_ms: _Optional[int] = ..., badge: _Optional[int] = ...) -> None: ...
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[RecheckPushesResponse.Verdict]
    def __init__(self, verdicts: _Optional[_Iterable[_Union[RecheckPushesResponse.Verdict, _Mapping]]] = ...) -> None: ...

class LogPushResultsRequest(_message.Message):
    __slots__ = ("results",)
    class Result(_message.Message):
        __slots__ = ("place", "outcome", "reason", "dead_token_updated_at_ms", "record", "retry_at_ms")
        PLACE_FIELD_NUMBER: _ClassVar[int]
        OUTCOME_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        DEAD_TOKEN_UPDATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
        RECORD_FIELD_NUMBER: _ClassVar[int]
        RETRY_AT_MS_FIELD_NUMBER: _ClassVar[int]
        place: PushPlace
        outcome: str
        reason: str
        dead_token_updated_at_ms: int
        record: str
        retry_at_ms: int
        def __init__(self, place: _Optional[_Union[PushPlace, _Mapping]] = ..., outcome: _Optional[str] = ..., reason: _Optional[str] = ..., dead_token_updated_at_ms: _Optional[int] = ..., record: _Optional[str] = ..., retry_at_ms: _Optional[int] = ...) -> None: ...
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[LogPushResultsRequest.Result]
    def __init__(self, results: _Optional[_Iterable[_Union[LogPushResultsRequest.Result, _Mapping]]] = ...) -> None: ...

class LogPushResultsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetGroupRequest(_message.Message):
    __slots__ = ("group_id",)
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: int
    def __init__(self, group_id: _Optional[int] = ...) -> None: ...

class GetGroupResponse(_message.Message):
    __slots__ = ("group_id", "conversation_id", "name", "avatar_url", "announcement", "owner_id", "member_count", "muted_all", "created_at_ms", "dissolved_at_ms")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_URL_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCEMENT_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    MUTED_ALL_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DISSOLVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    group_id: int
    conversation_id: str
    name: str
    avatar_url: str
    announcement: str
    owner_id: int
    member_count: int
    muted_all: bool
    created_at_ms: int
    dissolved_at_ms: int
    def __init__(self, group_id: _Optional[int] = ..., conversation_id: _Optional[str] = ..., name: _Optional[str] = ..., avatar_url: _Optional[str] = ..., announcement: _Optional[str] = ..., owner_id: _Optional[int] = ..., member_count: _Optional[int] = ..., muted_all: _Optional[bool] = ..., created_at_ms: _Optional[int] = ..., dissolved_at_ms: _Optional[int] = ...) -> None: ...

class ListGroupMembersRequest(_message.Message):
    __slots__ = ("group_id", "after_user_id", "limit")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_USER_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    group_id: int
    after_user_id: int
    limit: int
    def __init__(self, group_id: _Optional[int] = ..., after_user_id: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListGroupMembersResponse(_message.Message):
    __slots__ = ("members",)
    class Member(_message.Message):
        __slots__ = ("user_id", "role", "muted_until_ms", "joined_at_ms")
        USER_ID_FIELD_NUMBER: _ClassVar[int]
        ROLE_FIELD_NUMBER: _ClassVar[int]
        MUTED_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
        JOINED_AT_MS_FIELD_NUMBER: _ClassVar[int]
        user_id: int
        role: str
        muted_until_ms: int
        joined_at_ms: int
        def __init__(self, user_id: _Optional[int] = ..., role: _Optional[str] = ..., muted_until_ms: _Optional[int] = ..., joined_at_ms: _Optional[int] = ...) -> None: ...
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[ListGroupMembersResponse.Member]
    def __init__(self, members: _Optional[_Iterable[_Union[ListGroupMembersResponse.Member, _Mapping]]] = ...) -> None: ...

class ListMessagesRequest(_message.Message):
    __slots__ = ("conversation_id", "after_seq", "limit")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQ_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    after_seq: int
    limit: int
    def __init__(self, conversation_id: _Optional[str] = ..., after_seq: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListMessagesResponse(_message.Message):
    __slots__ = ("messages",)
    class Message(_message.Message):
        __slots__ = ("message_id", "seq", "sender_id", "type", "content", "created_at_ms", "edited_at_ms", "recalled_at_ms")
        MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
        SEQ_FIELD_NUMBER: _ClassVar[int]
        SENDER_ID_FIELD_NUMBER: _ClassVar[int]
        TYPE_FIELD_NUMBER: _ClassVar[int]
        CONTENT_FIELD_NUMBER: _ClassVar[int]
        CREATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
        EDITED_AT_MS_FIELD_NUMBER: _ClassVar[int]
        RECALLED_AT_MS_FIELD_NUMBER: _ClassVar[int]
        message_id: int
        seq: int
        sender_id: int
        type: str
        content: bytes
        created_at_ms: int
        edited_at_ms: int
        recalled_at_ms: int
        def __init__(self, message_id: _Optional[int] = ..., seq: _Optional[int] = ..., sender_id: _Optional[int] = ..., type: _Optional[str] = ..., content: _Optional[bytes] = ..., created_at_ms: _Optional[int] = ..., edited_at_ms: _Optional[int] = ..., recalled_at_ms: _Optional[int] = ...) -> None: ...
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[ListMessagesResponse.Message]
    def __init__(self, messages: _Optional[_Iterable[_Union[ListMessagesResponse.Message, _Mapping]]] = ...) -> None: ...

class CheckHealthRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckHealthResponse(_message.Message):
    __slots__ = ("stage", "version")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    stage: str
    version: str
    def __init__(self, stage: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...
