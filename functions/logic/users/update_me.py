"""UpdateMe: change the caller's profile."""

from gochat_core.errors import Unauthenticated, UserNotFound
from gochat_core.tokens import Identity
from gochat_repo.users import User, UserStore


def update_me(users: UserStore, caller: Identity, *, display_name: str | None, avatar_url: str | None) -> User:
    """Change what is not None (an empty avatar_url removes it) and return the profile. Idempotent."""
    try:
        return users.update_profile(caller.user_id, display_name=display_name, avatar_url=avatar_url)
    except UserNotFound:
        raise Unauthenticated from None
