"""Everything that ends logins: another login of the device, logout, a new password, erasure, a reused refresh token."""

import contextlib
from collections.abc import Callable, Sequence

from gochat_core.errors import InvalidCredentials
from gochat_core.types import SessionId, UserId
from gochat_repo.cache import Cache, CacheUnavailable, Command
from gochat_repo.connections import Connection, Connections, delete_session_connections
from gochat_repo.contact_erasure import erase_contacts
from gochat_repo.devices import erase_devices, save_device
from gochat_repo.mysql import Database, Transaction
from gochat_repo.push_log import erase_push_log
from gochat_repo.push_preferences import erase_push_preferences
from gochat_repo.push_tokens import drop_ended_tokens
from gochat_repo.session_state import active_command, ending_commands, revoked_commands
from gochat_repo.sessions import NewSession, insert_session, live_session_ids, revoke_sessions
from gochat_repo.users import erase_user, lock_account, save_login, save_password

Choice = Callable[[Transaction], list[SessionId]]


class SessionEndings:
    """End logins with their connections, and return the connections, which are still open, to be closed.

    Row locks: the user's row, then sessions, then connections (docs/concurrency.md). A `$connect` registers its
    connection first and checks its session then; here the session ends first and connections are looked up then. So
    of two that run at once, one sees the other.
    """

    def __init__(self, database: Database, cache: Cache, connections: Connections) -> None:
        self._database = database
        self._cache = cache
        self._connections = connections

    def open_session(self, new: NewSession, *, password_hash: str) -> list[Connection]:
        """Insert a login, end the device's former one, note the device and the last login.

        Raises `InvalidCredentials` when the account was erased, or its password changed, since the password was checked
        against `password_hash`. Not idempotent: a repeat is another login of the device and ends this one.
        """

        def before(tx: Transaction) -> None:
            if lock_account(tx, new.user_id) != password_hash:
                raise InvalidCredentials

        def after(tx: Transaction) -> None:
            insert_session(tx, new)
            save_device(tx, new.user_id, new.device_id, new.platform, now_ms=new.opened_at_ms)
            save_login(tx, new.user_id, now_ms=new.opened_at_ms)

        closed = self._end(
            new.user_id,
            lambda tx: live_session_ids(tx, new.user_id, device_id=new.device_id),
            now_ms=new.opened_at_ms,
            before=before,
            after=after,
        )
        self._run_cache([active_command(new.user_id, new.session_id)])
        return closed

    def revoke(self, user_id: UserId, session_ids: Sequence[SessionId], *, now_ms: int) -> list[Connection]:
        """End these logins, as far as they are the user's. Idempotent: a repeat returns what is still connected."""
        return self._end(
            user_id,
            lambda tx: [one for one in live_session_ids(tx, user_id) if one in session_ids],
            now_ms=now_ms,
            named=session_ids,
        )

    def revoke_all(self, user_id: UserId, *, now_ms: int) -> list[Connection]:
        """End every login of the user. Idempotent."""
        return self._end(user_id, lambda tx: live_session_ids(tx, user_id), now_ms=now_ms)

    def change_password(
        self, user_id: UserId, *, old_hash: str, new_hash: str, kept: SessionId, now_ms: int
    ) -> list[Connection]:
        """Write another password's hash and end every login but one.

        Raises `InvalidCredentials` when the password is no longer the one that was checked against `old_hash`.
        """

        def before(tx: Transaction) -> None:
            if lock_account(tx, user_id) != old_hash:
                raise InvalidCredentials
            save_password(tx, user_id, new_hash)

        return self._end(
            user_id,
            lambda tx: [one for one in live_session_ids(tx, user_id) if one != kept],
            now_ms=now_ms,
            before=before,
        )

    def erase_account(self, user_id: UserId, *, now_ms: int) -> list[Connection]:
        """Empty an account: its username is free again, its logins and contacts end, its messages stay. Idempotent."""

        def before(tx: Transaction) -> None:
            lock_account(tx, user_id)
            erase_user(tx, user_id, now_ms=now_ms)
            erase_devices(tx, user_id)
            erase_push_preferences(tx, user_id)
            erase_push_log(tx, user_id)

        return self._end(
            user_id,
            lambda tx: live_session_ids(tx, user_id),
            now_ms=now_ms,
            before=before,
            after=lambda tx: erase_contacts(tx, user_id),
        )

    def _end(
        self,
        user_id: UserId,
        choose: Choice,
        *,
        now_ms: int,
        before: Callable[[Transaction], None] | None = None,
        after: Callable[[Transaction], None] | None = None,
        named: Sequence[SessionId] = (),
    ) -> list[Connection]:
        """End the sessions that `choose` picks, in one transaction with what `before` and `after` write.

        `choose` runs once ahead as well, so that readers of these sessions' states ask the table before the commit.
        """
        likely = self._database.read(choose)
        self._run_cache(ending_commands(user_id, likely))
        self._connections.begin_change([user_id])

        def work(tx: Transaction) -> tuple[list[SessionId], list[Connection]]:
            if before is not None:
                before(tx)
            chosen = choose(tx)
            revoke_sessions(tx, chosen, now_ms=now_ms)
            closed = delete_session_connections(tx, user_id, chosen)
            if after is not None:
                after(tx)
            if chosen:
                # A device that is logged in again keeps its token; one that isn't is reached no more.
                drop_ended_tokens(tx, user_id)
            return chosen, closed

        ended, closed = self._database.transaction(work)
        self._run_cache(revoked_commands(user_id, ended))
        if closed:
            self._connections.note_departures([user_id])
        return closed + self._close_latecomers(user_id, [*{*likely, *ended, *named}])

    def _close_latecomers(self, user_id: UserId, session_ids: list[SessionId]) -> list[Connection]:
        """Remove what registered between our look at the connections and the commit, having seen the session stand."""
        late = self._connections.list_by_sessions(user_id, session_ids) if session_ids else []
        self._connections.remove_many([(one.user_id, one.device_id, one.connection_id) for one in late])
        self._connections.forget([user_id])
        return late

    def _run_cache(self, commands: list[Command]) -> None:
        # Redis is a cache: while it is away, every reader of a session's state asks the table.
        with contextlib.suppress(CacheUnavailable):
            self._cache.run(commands)
