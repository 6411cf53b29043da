import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pytest
from redis.crc import key_slot

from gochat_core.clock import SystemClock
from gochat_core.errors import InvalidCredentials
from gochat_core.ids import IdMaker
from gochat_core.types import CellId, ConnectionId, DeviceId, SessionId, UserId
from gochat_repo.cache import Cache, command
from gochat_repo.connections import Connection, Connections
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_pool import MySqlSettings
from gochat_repo.read_through import ReadThrough
from gochat_repo.session_endings import SessionEndings
from gochat_repo.session_state import ending_commands, state_key
from gochat_repo.sessions import NewSession, SessionState, SessionStore, parse_state, state_command
from gochat_repo.users import User, UserStore
from local_stage.services.redis import RedisCluster
from tests.integration.repo.conftest import redis_settings

T = TypeVar("T")

CLOCK = SystemClock()
IDS = IdMaker(CLOCK)
PHONE = DeviceId("phone")


@dataclass(kw_only=True)
class Stores:
    """The stores of accounts over one database and one cache."""

    database: Database
    cache: Cache
    users: UserStore
    sessions: SessionStore
    connections: Connections
    endings: SessionEndings

    def register(self) -> User:
        """Make an account whose password's hash is `hash`."""
        user = User(
            user_id=UserId(IDS.next_id()),
            username=f"alice-{uuid.uuid4().hex[:12]}",
            display_name="Alice",
            avatar_url=None,
            created_at_ms=CLOCK.now_ms(),
        )
        self.users.create_user(user, "hash")
        return user

    def login(self, user: User, *, device: DeviceId = PHONE, password_hash: str = "hash") -> SessionId:
        """Open a session."""
        now_ms = CLOCK.now_ms()
        new = NewSession(
            session_id=SessionId(IDS.next_id()),
            user_id=user.user_id,
            device_id=device,
            platform="ios",
            salt=b"s" * 16,
            opened_at_ms=now_ms,
            expires_at_ms=now_ms + 1_000_000,
        )
        self.endings.open_session(new, password_hash=password_hash)
        return new.session_id

    def connect(self, user: User, session_id: SessionId, *, device: DeviceId = PHONE) -> Connection:
        """Register an open connection."""
        connection = Connection(
            user_id=user.user_id,
            device_id=device,
            session_id=session_id,
            cell_id=CellId("g1"),
            connection_id=ConnectionId(f"{uuid.uuid4().hex[:12]}="),
            connected_at_ms=CLOCK.now_ms(),
        )
        self.connections.register(connection)
        return connection

    def cached(self, user: User, session_id: SessionId) -> SessionState:
        """Return what Redis says of a session."""
        return parse_state(self.cache.run([state_command(user.user_id, session_id)])[0])

    def is_active(self, user: User, session_id: SessionId) -> bool:
        """Return what everybody is told of a session."""
        return self.sessions.is_active(user.user_id, session_id, now_ms=CLOCK.now_ms())


@pytest.fixture
def stores(database: Database, redis_cluster: RedisCluster) -> Iterator[Stores]:
    """Give the test the stores."""
    cache = Cache(redis_settings(redis_cluster))
    connections = Connections(database, cache)
    yield Stores(
        database=database,
        cache=cache,
        users=UserStore(database, ReadThrough(database, cache)),
        sessions=SessionStore(database, cache),
        connections=connections,
        endings=SessionEndings(database, cache, connections),
    )
    cache.close()


def test_a_sessions_state_and_its_users_tokens_share_a_slot() -> None:
    user_id = UserId(7_000_000_000_000_000_001)
    slots = {
        key_slot(key.encode())
        for key in (state_key(user_id, SessionId(1)), state_key(user_id, SessionId(2)), f"bucket:{{{user_id}}}")
    }
    assert len(slots) == 1


def test_a_login_is_known_to_redis_at_once_and_its_end_too(stores: Stores) -> None:
    user = stores.register()
    session = stores.login(user)
    assert stores.cached(user, session) is SessionState.ACTIVE
    stores.endings.revoke_all(user.user_id, now_ms=CLOCK.now_ms())
    assert stores.cached(user, session) is SessionState.REVOKED


def test_an_active_session_costs_no_look_at_the_table(stores: Stores) -> None:
    user = stores.register()
    session = stores.login(user)
    before = stores.database.round_trips
    assert stores.is_active(user, session)
    assert stores.database.round_trips == before


def test_a_session_that_redis_forgot_is_looked_up_once(stores: Stores) -> None:
    user = stores.register()
    session = stores.login(user)
    stores.cache.run([command("DEL", state_key(user.user_id, session))])
    assert stores.is_active(user, session)
    assert stores.cached(user, session) is SessionState.ACTIVE


def test_a_reader_that_saw_the_row_before_the_commit_cannot_bring_the_session_back(stores: Stores) -> None:
    user = stores.register()
    session = stores.login(user)
    stores.cache.run([command("DEL", state_key(user.user_id, session))])
    # The revocation is under way: announced, not yet committed. Somebody reads the row and fills in what it says.
    stores.cache.run(ending_commands(user.user_id, [session]))
    assert stores.is_active(user, session)
    assert stores.cached(user, session) is SessionState.UNKNOWN
    stores.endings.revoke(user.user_id, [session], now_ms=CLOCK.now_ms())
    assert stores.cached(user, session) is SessionState.REVOKED
    assert not stores.is_active(user, session)


def test_a_reader_that_fills_after_the_commit_cannot_bring_the_session_back(stores: Stores) -> None:
    user = stores.register()
    session = stores.login(user)
    stores.endings.revoke(user.user_id, [session], now_ms=CLOCK.now_ms())
    assert not stores.sessions.load_active(user.user_id, session, now_ms=CLOCK.now_ms())
    assert stores.cached(user, session) is SessionState.REVOKED


def test_a_revocation_that_fails_ends_nothing(stores: Stores) -> None:
    user = stores.register()
    session = stores.login(user)
    with pytest.raises(InvalidCredentials):
        stores.endings.change_password(
            user.user_id, old_hash="another", new_hash="new", kept=SessionId(0), now_ms=CLOCK.now_ms()
        )
    assert stores.is_active(user, session)


def test_somebody_elses_session_is_nobodys(stores: Stores) -> None:
    alice, bob = stores.register(), stores.register()
    session = stores.login(alice)
    assert not stores.is_active(bob, session)
    assert stores.endings.revoke(bob.user_id, [session], now_ms=CLOCK.now_ms()) == []
    assert stores.is_active(alice, session)


def test_a_password_that_changed_while_it_was_checked_opens_no_session(stores: Stores) -> None:
    user = stores.register()
    kept = stores.login(user)
    stores.endings.change_password(user.user_id, old_hash="hash", new_hash="new", kept=kept, now_ms=CLOCK.now_ms())
    with pytest.raises(InvalidCredentials):
        stores.login(user, device=DeviceId("tablet"))
    stores.login(user, device=DeviceId("tablet"), password_hash="new")


def test_an_account_that_was_erased_while_its_password_was_checked_opens_no_session(stores: Stores) -> None:
    user = stores.register()
    stores.endings.erase_account(user.user_id, now_ms=CLOCK.now_ms())
    with pytest.raises(InvalidCredentials):
        stores.login(user)


def test_connections_end_with_their_session_and_no_other(stores: Stores) -> None:
    user = stores.register()
    phone, tablet = stores.login(user), stores.login(user, device=DeviceId("tablet"))
    gone, stays = stores.connect(user, phone), stores.connect(user, tablet, device=DeviceId("tablet"))
    assert stores.endings.revoke(user.user_id, [phone], now_ms=CLOCK.now_ms()) == [gone]
    assert stores.connections.list_by_users([user.user_id]) == {user.user_id: (stays,)}
    assert stores.connections.find([user.user_id]) == {user.user_id: (stays,)}


class InterruptedDatabase(Database):
    """Runs something between a transaction's work and its commit."""

    before_commit: Callable[[], None]

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        def interrupted(tx: Transaction) -> T:
            result = work(tx)
            self.before_commit()
            return result

        return super().transaction(interrupted)


def test_a_connection_that_registers_before_the_commit_is_found_after_it(
    stores: Stores, migrated: MySqlSettings
) -> None:
    user = stores.register()
    phone = stores.login(user)
    late: list[Connection] = []
    interrupted = InterruptedDatabase(migrated)
    # $connect has found its login standing, and registers now.
    interrupted.before_commit = lambda: late.append(stores.connect(user, phone))
    endings = SessionEndings(interrupted, stores.cache, stores.connections)
    assert endings.revoke_all(user.user_id, now_ms=CLOCK.now_ms()) == late
    assert len(late) == 1
    assert stores.connections.list_by_users([user.user_id]) == {}
    interrupted.close()


def test_a_session_runs_out_by_itself(stores: Stores) -> None:
    user = stores.register()
    session = stores.login(user)
    found = stores.sessions.find_session(session)
    assert found is not None
    assert not stores.sessions.load_active(user.user_id, session, now_ms=found.expires_at_ms)
