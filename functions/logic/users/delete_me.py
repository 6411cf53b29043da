"""DeleteMe: erase the caller's account; messages stay, without a name, and groups go on without the caller."""

from gochat_core.clock import Clock
from gochat_core.tokens import Identity
from gochat_repo.connections import Connection
from gochat_repo.session_endings import SessionEndings
from gochat_repo.users import UserStore
from logic.groups.leave_every_group import leave_every_group
from logic.groups.ports import GroupPorts


def delete_me(
    users: UserStore, endings: SessionEndings, groups: GroupPorts, clock: Clock, caller: Identity
) -> list[Connection]:
    """Leave the groups, erase the account, end its logins and return their connections. Idempotent."""
    leave_every_group(groups, caller.user_id)
    with users.changing_profile(caller.user_id):
        return endings.erase_account(caller.user_id, now_ms=clock.now_ms())
