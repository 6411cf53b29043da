"""Profiles among the columns of a join: what others' lists show of a user."""

from gochat_repo.mysql import Row
from gochat_repo.users import User


def profile_columns(table: str) -> str:
    """Return the columns of a profile for a SELECT that joins `users` under this name; `profile_from_row` reads them.

    One that was erased has no username: join by `username IS NOT NULL` to leave it out.
    """
    return f"{table}.user_id, {table}.username, {table}.display_name, {table}.avatar_url, {table}.created_at_ms"


PROFILE_WIDTH = 5
"""How many columns that are."""


def profile_from_row(columns: Row) -> User:
    """Read the columns that `profile_columns` names."""
    user_id, username, display_name, avatar_url, created_at_ms = columns
    return User(
        user_id=user_id,
        username=username,
        display_name=display_name,
        avatar_url=avatar_url,
        created_at_ms=created_at_ms,
    )
