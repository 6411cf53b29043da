"""GetUser: somebody's public profile."""

from gochat_core.ids import parse_user_id
from gochat_repo.users import User, UserStore


def get_user(users: UserStore, user_id: str) -> User:
    """Return a profile; raises `UserNotFound`, also for an account that was erased."""
    return users.get_user(parse_user_id(user_id))
