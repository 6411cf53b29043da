"""GetMe: the caller's own profile."""

from gochat_core.errors import Unauthenticated, UserNotFound
from gochat_core.tokens import Identity
from gochat_repo.users import User, UserStore


def get_me(users: UserStore, caller: Identity) -> User:
    """Return the caller's profile; an account that was erased meanwhile has no login left."""
    try:
        return users.get_user(caller.user_id)
    except UserNotFound:
        raise Unauthenticated from None
