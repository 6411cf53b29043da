from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SetPushTokenRequest(_message.Message):
    __slots__ = ("device_id", "provider", "token")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    provider: str
    token: str
    def __init__(self, device_id: _Optional[str] = ..., provider: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class SetPushTokenResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RemovePushTokenRequest(_message.Message):
    __slots__ = ("device_id",)
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    def __init__(self, device_id: _Optional[str] = ...) -> None: ...

class RemovePushTokenResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPushPreferencesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QuietHours(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: str
    end: str
    def __init__(self, start: _Optional[str] = ..., end: _Optional[str] = ...) -> None: ...

class PushPreferences(_message.Message):
    __slots__ = ("quiet_hours", "time_zone", "previews", "language")
    QUIET_HOURS_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    PREVIEWS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    quiet_hours: QuietHours
    time_zone: str
    previews: bool
    language: str
    def __init__(self, quiet_hours: _Optional[_Union[QuietHours, _Mapping]] = ..., time_zone: _Optional[str] = ..., previews: _Optional[bool] = ..., language: _Optional[str] = ...) -> None: ...

class GetVapidKeyRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VapidKey(_message.Message):
    __slots__ = ("public_key",)
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    public_key: str
    def __init__(self, public_key: _Optional[str] = ...) -> None: ...
