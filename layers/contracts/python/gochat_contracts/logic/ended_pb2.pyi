from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EndedSessions(_message.Message):
    __slots__ = ("connections",)
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    connections: _containers.RepeatedCompositeFieldContainer[EndedConnection]
    def __init__(self, connections: _Optional[_Iterable[_Union[EndedConnection, _Mapping]]] = ...) -> None: ...

class EndedConnection(_message.Message):
    __slots__ = ("cell_id", "connection_id", "connected_at_ms")
    CELL_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    cell_id: str
    connection_id: str
    connected_at_ms: int
    def __init__(self, cell_id: _Optional[str] = ..., connection_id: _Optional[str] = ..., connected_at_ms: _Optional[int] = ...) -> None: ...
