"""AuthService: decodes, calls one use case, encodes."""

import grpc

from gochat_contracts.accounts import LoginBody, PasswordBody, RegisterBody
from gochat_contracts.logic import auth_pb2, auth_pb2_grpc, ended_pb2
from gochat_core.bodies import check_values
from gochat_core.tokens import TICKET_LIFETIME_S
from logic.auth.authenticate import authenticate
from logic.auth.change_password import change_password
from logic.auth.create_ticket import create_ticket
from logic.auth.list_sessions import list_sessions
from logic.auth.logout import logout
from logic.auth.ports import AuthPorts
from logic.auth.refresh_session import Reused, refresh_session
from logic.auth.register import register
from logic.auth.revoke_session import revoke_session
from logic.rpc.account_messages import (
    ended_message,
    reused_message,
    session_message,
    token_pair_message,
    user_message,
)
from logic.rpc.calls import caller, current_call

Context = grpc.ServicerContext


class AuthService(auth_pb2_grpc.AuthServiceServicer):
    """Accounts and logins over gRPC; errors are rendered by the boundary around it."""

    def __init__(self, ports: AuthPorts) -> None:
        self._ports = ports

    def Register(self, request: auth_pb2.RegisterRequest, context: Context) -> auth_pb2.RegisterResponse:  # noqa: N802, ARG002
        """Make an account."""
        body = check_values(
            RegisterBody,
            {
                "username": request.username,
                "password": request.password,
                "display_name": request.display_name if request.HasField("display_name") else None,
            },
        )
        return auth_pb2.RegisterResponse(user=user_message(register(self._ports, body, source_ip=request.source_ip)))

    def Authenticate(self, request: auth_pb2.AuthenticateRequest, context: Context) -> auth_pb2.TokenPair:  # noqa: N802, ARG002
        """Check a password and open a session."""
        body = check_values(
            LoginBody,
            {
                "username": request.username,
                "password": request.password,
                "device_id": request.device_id,
                "platform": request.platform,
            },
        )
        return token_pair_message(authenticate(self._ports, body))

    def RefreshSession(self, request: auth_pb2.RefreshSessionRequest, context: Context) -> auth_pb2.TokenPair:  # noqa: N802, ARG002
        """Rotate a refresh token."""
        key = request.idempotency_key if request.HasField("idempotency_key") else None
        answer = refresh_session(self._ports, request.refresh_token, idempotency_key=key)
        if isinstance(answer, Reused):
            current_call().outcome = "refresh_reused"
            return reused_message(answer.ended)
        return token_pair_message(answer)

    def Logout(self, request: auth_pb2.LogoutRequest, context: Context) -> ended_pb2.EndedSessions:  # noqa: N802, ARG002
        """End the caller's session, or all."""
        return ended_message(logout(self._ports, caller(), all_devices=request.all_devices))

    def ChangePassword(self, request: auth_pb2.ChangePasswordRequest, context: Context) -> ended_pb2.EndedSessions:  # noqa: N802, ARG002
        """Set another password."""
        body = check_values(PasswordBody, {"old_password": request.old_password, "new_password": request.new_password})
        return ended_message(change_password(self._ports, caller(), body))

    def ListSessions(self, request: auth_pb2.ListSessionsRequest, context: Context) -> auth_pb2.ListSessionsResponse:  # noqa: N802, ARG002
        """Return the caller's logins."""
        who = caller()
        return auth_pb2.ListSessionsResponse(
            sessions=[session_message(one, current=who.session_id) for one in list_sessions(self._ports, who)]
        )

    def RevokeSession(self, request: auth_pb2.RevokeSessionRequest, context: Context) -> ended_pb2.EndedSessions:  # noqa: N802, ARG002
        """End one of the caller's logins."""
        return ended_message(revoke_session(self._ports, caller(), request.session_id))

    def CreateTicket(self, request: auth_pb2.CreateTicketRequest, context: Context) -> auth_pb2.CreateTicketResponse:  # noqa: N802, ARG002
        """Return a ticket for one WebSocket connection."""
        return auth_pb2.CreateTicketResponse(
            ticket=create_ticket(self._ports, caller()), expires_in_s=TICKET_LIFETIME_S
        )
