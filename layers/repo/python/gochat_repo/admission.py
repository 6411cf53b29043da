"""Asks, in one round trip, whether a caller's login still stands and whether it goes too fast."""

from dataclasses import dataclass

from gochat_core.types import ConversationId, SessionId, UserId
from gochat_repo.cache import Cache, CacheUnavailable
from gochat_repo.session_state import SessionState, parse_state, state_command
from gochat_repo.sessions import SessionStore
from gochat_repo.token_bucket import Rate, conversation_bucket, spend_command, user_bucket


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """The answer: `wait_ms` is 0 for who may go on."""

    is_active: bool
    wait_ms: int


class Gate:
    """Admits frames and calls. Without Redis the rates are not kept (fail open), and logins are asked of MySQL.

    A door without a `user_rate` has none: REST is throttled by the platform.
    """

    def __init__(
        self, cache: Cache, sessions: SessionStore, *, conversation_rate: Rate, user_rate: Rate | None = None
    ) -> None:
        self._cache = cache
        self._sessions = sessions
        self._user_rate = user_rate
        self._conversation_rate = conversation_rate

    def admit(
        self, user_id: UserId, session_id: SessionId, *, conversation_id: ConversationId | None, now_ms: int
    ) -> Admission:
        """Spend a token of the user, one of the conversation if one is named, and read the login's state.

        One cache round trip; a state that Redis does not know costs a database round trip and one more to keep it.
        Raises `Unavailable` when neither store can tell.
        """
        commands = [state_command(user_id, session_id)]
        if self._user_rate is not None:
            commands.append(spend_command(user_bucket(user_id), self._user_rate, now_ms=now_ms))
        if conversation_id is not None:
            bucket = conversation_bucket(conversation_id)
            commands.append(spend_command(bucket, self._conversation_rate, now_ms=now_ms))
        try:
            state, *waits = self._cache.run(commands)
        except CacheUnavailable:
            state, waits = None, []
        known = parse_state(state)
        if known is SessionState.UNKNOWN:
            is_active = self._sessions.load_active(user_id, session_id, now_ms=now_ms)
        else:
            is_active = known is SessionState.ACTIVE
        return Admission(is_active=is_active, wait_ms=max(waits, default=0))
