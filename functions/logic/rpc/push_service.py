"""PushService: decodes, calls one use case, encodes."""

import grpc

from gochat_contracts.logic import push_pb2, push_pb2_grpc
from gochat_contracts.push_settings import PushPreferencesBody, PushTokenBody, write_time_of_day
from gochat_core.bodies import check_values
from gochat_repo.push_preferences import PushPreferences
from logic.push.get_push_preferences import get_push_preferences
from logic.push.ports import PushPorts
from logic.push.remove_push_token import remove_push_token
from logic.push.set_push_preferences import set_push_preferences
from logic.push.set_push_token import set_push_token
from logic.rpc.calls import caller

Context = grpc.ServicerContext


class PushService(push_pb2_grpc.PushServiceServicer):
    """Tokens and preferences over gRPC; errors are rendered by the boundary around it."""

    def __init__(self, ports: PushPorts, *, vapid_public_key: str) -> None:
        self._ports = ports
        self._vapid_public_key = vapid_public_key

    def SetPushToken(  # noqa: N802
        self,
        request: push_pb2.SetPushTokenRequest,
        context: Context,  # noqa: ARG002
    ) -> push_pb2.SetPushTokenResponse:
        """Note how a device is reached."""
        body = check_values(PushTokenBody, {"provider": request.provider, "token": request.token})
        set_push_token(self._ports, caller(), request.device_id, body)
        return push_pb2.SetPushTokenResponse()

    def RemovePushToken(  # noqa: N802
        self,
        request: push_pb2.RemovePushTokenRequest,
        context: Context,  # noqa: ARG002
    ) -> push_pb2.RemovePushTokenResponse:
        """Forget how a device is reached."""
        remove_push_token(self._ports, caller(), request.device_id)
        return push_pb2.RemovePushTokenResponse()

    def GetPushPreferences(  # noqa: N802
        self,
        request: push_pb2.GetPushPreferencesRequest,  # noqa: ARG002
        context: Context,  # noqa: ARG002
    ) -> push_pb2.PushPreferences:
        """Return what the caller prefers."""
        return _preferences(get_push_preferences(self._ports, caller()))

    def SetPushPreferences(self, request: push_pb2.PushPreferences, context: Context) -> push_pb2.PushPreferences:  # noqa: N802, ARG002
        """Replace what the caller prefers."""
        quiet = request.quiet_hours
        given: dict[str, object] = {
            "time_zone": request.time_zone,
            "previews": request.previews,
            "language": request.language,
            "quiet_hours": {"start": quiet.start, "end": quiet.end} if request.HasField("quiet_hours") else None,
        }
        return _preferences(set_push_preferences(self._ports, caller(), check_values(PushPreferencesBody, given)))

    def GetVapidKey(self, request: push_pb2.GetVapidKeyRequest, context: Context) -> push_pb2.VapidKey:  # noqa: N802, ARG002
        """Return what browsers subscribe with."""
        return push_pb2.VapidKey(public_key=self._vapid_public_key)


def _preferences(one: PushPreferences) -> push_pb2.PushPreferences:
    written = push_pb2.PushPreferences(time_zone=one.time_zone, previews=one.previews, language=one.language)
    if one.quiet_hours is not None:
        start, end = one.quiet_hours
        written.quiet_hours.start, written.quiet_hours.end = write_time_of_day(start), write_time_of_day(end)
    return written
