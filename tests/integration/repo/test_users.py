import dataclasses
import uuid
from collections.abc import Iterator

import msgspec
import pytest

from gochat_core.clock import SystemClock
from gochat_core.errors import UsernameTaken, UserNotFound
from gochat_core.ids import IdMaker
from gochat_core.types import UserId
from gochat_repo.cache import Cache, command
from gochat_repo.mysql import Database
from gochat_repo.mysql_errors import DuplicateKey
from gochat_repo.read_through import ReadThrough
from gochat_repo.users import User, UserStore
from local_stage.services.redis import RedisCluster
from tests.integration.repo.conftest import redis_settings

IDS = IdMaker(SystemClock())


@pytest.fixture
def cache(redis_cluster: RedisCluster) -> Iterator[Cache]:
    """Give the test a client of the cache."""
    client = Cache(redis_settings(redis_cluster))
    yield client
    client.close()


@pytest.fixture
def users(database: Database, cache: Cache) -> UserStore:
    """Give the test the store."""
    return UserStore(database, ReadThrough(database, cache))


@pytest.fixture
def alice(users: UserStore) -> User:
    """Make an account."""
    user = User(
        user_id=UserId(IDS.next_id()),
        username=f"alice-{uuid.uuid4().hex[:12]}",
        display_name="Älice 😀",
        avatar_url=None,
        created_at_ms=1_795_413_600_123,
    )
    users.create_user(user, "hash")
    return user


def test_a_profile_is_read_once_and_then_cached_without_the_password(
    users: UserStore, database: Database, cache: Cache, alice: User
) -> None:
    assert users.get_user(alice.user_id) == alice
    before = database.round_trips
    assert users.get_user(alice.user_id) == alice
    assert database.round_trips == before
    assert b"hash" not in cache.run([command("GET", f"user:{alice.user_id}")])[0]


def test_a_cached_profile_never_outlives_its_change(users: UserStore, alice: User) -> None:
    users.get_user(alice.user_id)
    changed = users.update_profile(alice.user_id, display_name="Alice", avatar_url="https://example.org/a")
    assert (changed.display_name, changed.avatar_url) == ("Alice", "https://example.org/a")
    assert users.get_user(alice.user_id) == changed
    assert users.update_profile(alice.user_id, display_name=None, avatar_url="").avatar_url is None


def test_a_reader_cannot_fill_in_an_old_profile_after_a_change(users: UserStore, alice: User) -> None:
    changed = users.update_profile(alice.user_id, display_name="Alice", avatar_url=None)
    users.remember(alice)
    assert users.get_user(alice.user_id) == changed


def test_a_profile_that_another_release_cached_is_read_again(users: UserStore, cache: Cache, alice: User) -> None:
    cache.run([command("SET", f"user:{alice.user_id}", b'{"user_id":1}')])
    assert users.get_user(alice.user_id) == alice


def test_a_taken_name_and_a_taken_id_are_told_apart(users: UserStore, alice: User) -> None:
    with pytest.raises(UsernameTaken):
        users.create_user(msgspec.structs.replace(alice, user_id=UserId(IDS.next_id())), "hash")
    with pytest.raises(DuplicateKey):
        users.create_user(msgspec.structs.replace(alice, username=f"other-{uuid.uuid4().hex[:9]}"), "hash")


def test_nobody_is_found_under_an_id_that_nobody_has(users: UserStore) -> None:
    with pytest.raises(UserNotFound):
        users.get_user(UserId(1))
    with pytest.raises(UserNotFound):
        users.update_profile(UserId(1), display_name="x", avatar_url=None)
    assert users.find_account("nobody-at-all") is None
    assert users.find_account_by_id(UserId(1)) is None


def test_the_password_never_shows_in_an_accounts_text_form(users: UserStore, alice: User) -> None:
    account = users.find_account(alice.username)
    assert account is not None
    assert account == dataclasses.replace(account, user=alice, password_hash="hash")
    assert "'hash'" not in repr(account)
