"""ChangePassword: set another password and end every other login."""

from gochat_contracts.accounts import PasswordBody
from gochat_core.errors import InvalidCredentials, Unauthenticated
from gochat_core.tokens import Identity
from gochat_repo.connections import Connection
from logic.auth.guessing import count_attempt
from logic.auth.passwords import hash_password, is_password
from logic.auth.ports import AuthPorts


def change_password(ports: AuthPorts, caller: Identity, body: PasswordBody) -> list[Connection]:
    """Change the password and return the connections of the logins that ended with it.

    Raises `InvalidCredentials` for a wrong old password, and `TooManyAttempts`: who found an unlocked phone may not
    guess either. A repeat after success answers `InvalidCredentials`.
    """
    account = ports.users.find_account_by_id(caller.user_id)
    if account is None:
        raise Unauthenticated
    count_attempt(ports, account.user.username)
    if not is_password(body.old_password, account.password_hash):
        raise InvalidCredentials
    ended = ports.endings.change_password(
        caller.user_id,
        old_hash=account.password_hash,
        new_hash=hash_password(body.new_password),
        kept=caller.session_id,
        now_ms=ports.clock.now_ms(),
    )
    ports.failures.forget(account.user.username)
    return ended
