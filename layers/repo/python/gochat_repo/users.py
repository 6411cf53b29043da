"""Accounts: the table `users`, with profiles cached under `user:{id}`; password hashes are never cached."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import msgspec

from gochat_core.errors import UsernameTaken, UserNotFound
from gochat_core.types import UserId
from gochat_repo.cached_kinds import Kind
from gochat_repo.mysql import Database, Row, Transaction
from gochat_repo.mysql_errors import DuplicateKey
from gochat_repo.read_through import ReadThrough


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A profile as everybody may see it; an erased account has neither username nor name."""

    user_id: UserId
    username: str
    display_name: str
    avatar_url: str | None
    created_at_ms: int


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user with what a login needs; never leaves im-logic."""

    user: User
    password_hash: str = field(repr=False)
    last_login_at_ms: int | None


_COLUMNS = "user_id, username, display_name, avatar_url, created_at_ms"


def _load_users(tx: Transaction, user_ids: Sequence[UserId]) -> dict[UserId, User]:
    sql = f"SELECT {_COLUMNS} FROM users WHERE user_id IN %s AND username IS NOT NULL"  # noqa: S608 - constant
    return {user.user_id: user for user in map(_user, tx.query(sql, (tuple(user_ids),)))}


PROFILES: Kind[UserId, User] = Kind(
    name="user",
    load=_load_users,
    encode=msgspec.json.Encoder().encode,
    decode=msgspec.json.Decoder(User).decode,
    is_local=True,
)
"""An account that was erased is none."""


class UserStore:
    """The table `users` and its cache. While Redis is away, everything is read from MySQL."""

    def __init__(self, database: Database, values: ReadThrough) -> None:
        self._database = database
        self._values = values

    def create_user(self, user: User, password_hash: str) -> None:
        """Insert an account; raises `UsernameTaken`, and `DuplicateKey` when the id (not the name) is in use."""

        def work(tx: Transaction) -> None:
            tx.execute(
                "INSERT INTO users (user_id, username, password_hash, display_name, created_at_ms)"
                " VALUES (%s, %s, %s, %s, %s)",
                (user.user_id, user.username, password_hash, user.display_name, user.created_at_ms),
            )

        try:
            with self.changing_profile(user.user_id):
                self._database.transaction(work)
        except DuplicateKey:
            if self.find_account(user.username) is None:
                raise
            raise UsernameTaken from None

    def find_account(self, username: str) -> Account | None:
        """Return the account of a (lower-case) username, from the writer: a login may follow its registration."""
        return self._find_account("username = %s", username)

    def find_account_by_id(self, user_id: UserId) -> Account | None:
        """Return an account that was not erased, from the writer."""
        return self._find_account("user_id = %s AND username IS NOT NULL", user_id)

    def get_user(self, user_id: UserId) -> User:
        """Return a profile; raises `UserNotFound`, also for an erased account."""
        user = self._values.get(PROFILES, user_id)
        if user is None:
            raise UserNotFound
        return user

    def remember(self, user: User) -> None:
        """Keep a profile that was just read from the writer."""
        self._values.remember(PROFILES, {user.user_id: user})

    def changing_profile(self, user_id: UserId) -> AbstractContextManager[None]:
        """Invalidate a profile around the block that changes or erases it."""
        return self._values.changing(PROFILES, [user_id])

    def update_profile(self, user_id: UserId, *, display_name: str | None, avatar_url: str | None) -> User:
        """Change what is not None (an empty avatar_url removes it) and return the profile; raises `UserNotFound`."""

        def work(tx: Transaction) -> User:
            if display_name is not None:
                tx.execute(
                    "UPDATE users SET display_name = %s WHERE user_id = %s AND username IS NOT NULL",
                    (display_name, user_id),
                )
            if avatar_url is not None:
                tx.execute(
                    "UPDATE users SET avatar_url = NULLIF(%s, '') WHERE user_id = %s AND username IS NOT NULL",
                    (avatar_url, user_id),
                )
            changed = _load_users(tx, [user_id]).get(user_id)
            if changed is None:
                raise UserNotFound
            return changed

        with self.changing_profile(user_id):
            return self._database.transaction(work)

    def search_users(self, prefix: str, *, after: str, limit: int) -> list[User]:
        """Return users whose username begins with `prefix` and comes after `after`, in the names' order."""
        sql = (
            f"SELECT {_COLUMNS} FROM users WHERE username >= %s AND username < %s AND username > %s"  # noqa: S608
            " ORDER BY username LIMIT %s"
        )
        # No character of a username is greater than the tilde.
        rows = self._database.read_replica(lambda tx: tx.query(sql, (prefix, prefix + "~", after, limit)))
        return [_user(row) for row in rows]

    def _find_account(self, where: str, value: object) -> Account | None:
        sql = f"SELECT {_COLUMNS}, password_hash, last_login_at_ms FROM users WHERE {where}"  # noqa: S608
        rows = self._database.read(lambda tx: tx.query(sql, (value,)))
        if not rows:
            return None
        return Account(user=_user(rows[0]), password_hash=rows[0][5], last_login_at_ms=rows[0][6])


def lock_account(tx: Transaction, user_id: UserId) -> str | None:
    """Lock an account's row for this transaction and return its password's hash; None once it is erased."""
    rows = tx.query("SELECT password_hash FROM users WHERE user_id = %s FOR UPDATE", (user_id,))
    return rows[0][0] if rows else None


def save_login(tx: Transaction, user_id: UserId, *, now_ms: int) -> None:
    """Note when the user last logged in."""
    tx.execute("UPDATE users SET last_login_at_ms = %s WHERE user_id = %s", (now_ms, user_id))


def save_password(tx: Transaction, user_id: UserId, password_hash: str) -> None:
    """Write another password's hash, within the transaction that ends the other logins."""
    tx.execute(
        "UPDATE users SET password_hash = %s WHERE user_id = %s AND username IS NOT NULL", (password_hash, user_id)
    )


def erase_user(tx: Transaction, user_id: UserId, *, now_ms: int) -> None:
    """Empty an account: the username is free again, the row stays for the messages it sent. Idempotent."""
    tx.execute(
        "UPDATE users SET username = NULL, password_hash = NULL, display_name = '', avatar_url = NULL,"
        " deleted_at_ms = %s WHERE user_id = %s AND username IS NOT NULL",
        (now_ms, user_id),
    )


def _user(row: Row) -> User:
    return User(
        user_id=UserId(row[0]),
        username=row[1],
        display_name=row[2],
        avatar_url=row[3],
        created_at_ms=row[4],
    )
