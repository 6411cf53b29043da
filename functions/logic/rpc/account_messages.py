"""Writes users, sessions, tokens and ended connections as protobuf messages."""

from collections.abc import Iterable

from gochat_contracts.logic import auth_pb2, ended_pb2, users_pb2
from gochat_core.types import SessionId
from gochat_repo.connections import Connection
from gochat_repo.sessions import Session
from gochat_repo.users import User
from logic.auth.token_pair import TokenPair


def user_message(user: User) -> users_pb2.User:
    """Write a profile."""
    return users_pb2.User(
        user_id=user.user_id,
        username=user.username,
        display_name=user.display_name,
        avatar_url=user.avatar_url,
        created_at_ms=user.created_at_ms,
    )


def session_message(session: Session, *, current: SessionId) -> auth_pb2.Session:
    """Write a login; `current` is the one that asks."""
    return auth_pb2.Session(
        session_id=session.session_id,
        device_id=session.device_id,
        platform=session.platform,
        created_at_ms=session.created_at_ms,
        last_used_at_ms=session.last_used_at_ms,
        current=session.session_id == current,
    )


def token_pair_message(pair: TokenPair) -> auth_pb2.TokenPair:
    """Write the answer to a login or a refresh."""
    return auth_pb2.TokenPair(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in_s=pair.expires_in_s,
        user=user_message(pair.user),
        ended_connections=_connections(pair.ended),
    )


def reused_message(ended: Iterable[Connection]) -> auth_pb2.TokenPair:
    """Write the answer to a refresh with a token that had been used before."""
    return auth_pb2.TokenPair(reused=True, ended_connections=_connections(ended))


def ended_message(ended: Iterable[Connection]) -> ended_pb2.EndedSessions:
    """Write which connections are to be closed."""
    return ended_pb2.EndedSessions(connections=_connections(ended))


def _connections(ended: Iterable[Connection]) -> list[ended_pb2.EndedConnection]:
    return [
        ended_pb2.EndedConnection(
            cell_id=one.cell_id, connection_id=one.connection_id, connected_at_ms=one.connected_at_ms
        )
        for one in ended
    ]
