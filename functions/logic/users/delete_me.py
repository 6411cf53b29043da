"""DeleteMe: erase the caller's account; messages stay, without a name."""

from gochat_core.clock import Clock
from gochat_core.tokens import Identity
from gochat_repo.connections import Connection
from gochat_repo.session_endings import SessionEndings
from gochat_repo.users import UserStore


def delete_me(users: UserStore, endings: SessionEndings, clock: Clock, caller: Identity) -> list[Connection]:
    """Erase the account, end its logins and return their connections. Idempotent."""
    with users.changing_profile(caller.user_id):
        return endings.erase_account(caller.user_id, now_ms=clock.now_ms())
