"""/auth: register, log in, refresh, log out, passwords, sessions, tickets."""

from gateway.http import encode
from gateway.http.answers import NO_CONTENT, Answer
from gateway.http.logic_client import call
from gateway.http.request import Request
from gateway.http.routing import Route, Services
from gochat_contracts.accounts import LoginBody, LogoutBody, PasswordBody, RefreshBody, RegisterBody
from gochat_contracts.logic import auth_pb2
from gochat_core.errors import Unauthenticated


def register(request: Request, services: Services) -> Answer:
    """Make an account."""
    body = request.read(RegisterBody)
    message = auth_pb2.RegisterRequest(
        username=body.username,
        password=body.password,
        display_name=body.display_name,
        source_ip=request.source_ip,
    )
    response = call(services.logic.auth.Register, message, request)
    return Answer(status=201, value={"user": encode.user(response.user)})


def login(request: Request, services: Services) -> Answer:
    """Open a session for a device."""
    body = request.read(LoginBody)
    message = auth_pb2.AuthenticateRequest(
        username=body.username, password=body.password, device_id=body.device_id, platform=body.platform
    )
    pair = call(services.logic.auth.Authenticate, message, request)
    services.closer.close(pair.ended_connections)
    return Answer(value=encode.tokens(pair, websocket_url=services.gateways.pick_url()))


def refresh(request: Request, services: Services) -> Answer:
    """Rotate a refresh token; where it had been used before, close what its login had open."""
    key = request.idempotency_key()
    message = auth_pb2.RefreshSessionRequest(refresh_token=request.read(RefreshBody).refresh_token, idempotency_key=key)
    pair = call(services.logic.auth.RefreshSession, message, request)
    services.closer.close(pair.ended_connections)
    if pair.reused:
        raise Unauthenticated("The refresh token had been used before; its login has ended")
    return Answer(value=encode.tokens(pair, websocket_url=services.gateways.pick_url()))


def logout(request: Request, services: Services) -> Answer:
    """End this login, or all."""
    message = auth_pb2.LogoutRequest(all_devices=request.read(LogoutBody).all_devices)
    services.closer.close(call(services.logic.auth.Logout, message, request).connections)
    return NO_CONTENT


def change_password(request: Request, services: Services) -> Answer:
    """Set another password and end every other login."""
    body = request.read(PasswordBody)
    message = auth_pb2.ChangePasswordRequest(old_password=body.old_password, new_password=body.new_password)
    services.closer.close(call(services.logic.auth.ChangePassword, message, request).connections)
    return NO_CONTENT


def list_sessions(request: Request, services: Services) -> Answer:
    """List the caller's logins."""
    response = call(services.logic.auth.ListSessions, auth_pb2.ListSessionsRequest(), request)
    return Answer(value={"sessions": [encode.session(one) for one in response.sessions]})


def revoke_session(request: Request, services: Services) -> Answer:
    """End one of the caller's logins."""
    message = auth_pb2.RevokeSessionRequest(session_id=request.path["session_id"])
    services.closer.close(call(services.logic.auth.RevokeSession, message, request).connections)
    return NO_CONTENT


def create_ticket(request: Request, services: Services) -> Answer:
    """Give a ticket for one WebSocket connection."""
    response = call(services.logic.auth.CreateTicket, auth_pb2.CreateTicketRequest(), request)
    return Answer(value={"ticket": response.ticket, "expires_in": response.expires_in_s})


ROUTES = (
    Route(method="POST", path="/auth/register", answer=register, is_open=True),
    Route(method="POST", path="/auth/login", answer=login, is_open=True),
    Route(method="POST", path="/auth/refresh", answer=refresh, is_open=True),
    Route(method="POST", path="/auth/logout", answer=logout),
    Route(method="POST", path="/auth/password", answer=change_password),
    Route(method="GET", path="/auth/sessions", answer=list_sessions),
    Route(method="DELETE", path="/auth/sessions/<session_id>", answer=revoke_session),
    Route(method="POST", path="/auth/ticket", answer=create_ticket),
)
