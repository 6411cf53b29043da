"""/devices/…/push-token and /users/me/push-preferences: how somebody who is away is told."""

from gateway.http.answers import NO_CONTENT, Answer
from gateway.http.logic_client import call
from gateway.http.request import Request
from gateway.http.routing import Route, Services
from gochat_contracts.logic import push_pb2
from gochat_contracts.push_settings import PushPreferencesBody, PushTokenBody, check_push_preferences, check_push_token


def set_push_token(request: Request, services: Services) -> Answer:
    """Note how one of the caller's devices is reached."""
    body = request.read(PushTokenBody)
    check_push_token(body.provider, body.token)
    message = push_pb2.SetPushTokenRequest(
        device_id=request.path["device_id"], provider=body.provider, token=body.token
    )
    call(services.logic.push.SetPushToken, message, request)
    return NO_CONTENT


def remove_push_token(request: Request, services: Services) -> Answer:
    """Forget how one of the caller's devices is reached."""
    message = push_pb2.RemovePushTokenRequest(device_id=request.path["device_id"])
    call(services.logic.push.RemovePushToken, message, request)
    return NO_CONTENT


def get_push_preferences(request: Request, services: Services) -> Answer:
    """Return what the caller prefers."""
    return _preferences(call(services.logic.push.GetPushPreferences, push_pb2.GetPushPreferencesRequest(), request))


def set_push_preferences(request: Request, services: Services) -> Answer:
    """Replace what the caller prefers."""
    body = request.read(PushPreferencesBody)
    check_push_preferences(body)
    message = push_pb2.PushPreferences(time_zone=body.time_zone, previews=body.previews, language=body.language)
    if body.quiet_hours is not None:
        message.quiet_hours.start, message.quiet_hours.end = body.quiet_hours.start, body.quiet_hours.end
    return _preferences(call(services.logic.push.SetPushPreferences, message, request))


def get_vapid_key(request: Request, services: Services) -> Answer:
    """Return what browsers subscribe with."""
    held = call(services.logic.push.GetVapidKey, push_pb2.GetVapidKeyRequest(), request)
    return Answer(value={"public_key": held.public_key})


def _preferences(held: push_pb2.PushPreferences) -> Answer:
    quiet = {"start": held.quiet_hours.start, "end": held.quiet_hours.end} if held.HasField("quiet_hours") else None
    return Answer(
        value={
            "quiet_hours": quiet,
            "time_zone": held.time_zone,
            "previews": held.previews,
            "language": held.language,
        }
    )


ROUTES = (
    Route(method="PUT", path="/devices/<device_id>/push-token", answer=set_push_token),
    Route(method="DELETE", path="/devices/<device_id>/push-token", answer=remove_push_token),
    Route(method="GET", path="/users/me/push-preferences", answer=get_push_preferences),
    Route(method="PUT", path="/users/me/push-preferences", answer=set_push_preferences),
    Route(method="GET", path="/push/vapid-key", answer=get_vapid_key),
)
