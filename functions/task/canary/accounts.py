"""The canary's two accounts: who they are follows from one secret, and whatever they lack is made when it is missed."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from gochat_client.door import Door
from gochat_client.faults import StepFailedError
from gochat_client.guest import Guest
from gochat_core.clock import Clock

DEVICE_ID = "canary"

TOKEN_USED_MS = 10 * 60_000
"""How long an access token is used, of the 15 minutes that it is good for (docs/api/openapi.yaml, `expires_in`)."""


@dataclass(kw_only=True)
class Account:
    """One of the two, with the login that the container keeps from run to run."""

    guest: Guest
    renew_at_ms: int = 0

    def enter(self, clock: Clock) -> bool:
        """See to it that there is a login that is good for this run, and tell whether it is a new one.

        A run that has failed forgets its logins, so the next one begins at the password. Raises StepFailedError.
        """
        now_ms = clock.now_ms()
        if self.guest.refresh_token and now_ms < self.renew_at_ms:
            return False
        self.renew_at_ms = now_ms + TOKEN_USED_MS
        return not self._refresh() and self._log_in()

    def forget(self) -> None:
        """Forget the login."""
        self.guest.forget()

    def _refresh(self) -> bool:
        if not self.guest.refresh_token:
            return False
        try:
            self.guest.refresh()
        except StepFailedError as failure:
            # It was used already (an answer that was lost), or its session was ended.
            if failure.code != "unauthenticated":
                raise
            return False
        return True

    def _log_in(self) -> bool:
        try:
            self.guest.log_in()
        except StepFailedError as failure:
            if failure.code != "invalid_credentials":
                raise
            # Not known: the first run of this stage. Were it only another password, registering would say so.
            self.guest.register()
            self.guest.log_in()
        return True


def make_accounts(seed: str, make_door: Callable[[], Door]) -> tuple[Account, Account]:
    """Derive both accounts from the secret's text: nobody else can know their names, take them first, or log in."""
    ada, ben = (Account(guest=_guest(seed, called, make_door())) for called in ("ada", "ben"))
    return ada, ben


def _guest(seed: str, called: str, door: Door) -> Guest:
    return Guest(
        name=f"canary-{called}-{_derive(seed, f'name of {called}')[:12]}",
        called=called,
        device_id=DEVICE_ID,
        door=door,
        password=_derive(seed, f"password of {called}"),
    )


def _derive(seed: str, purpose: str) -> str:
    return hmac.new(seed.encode(), purpose.encode(), hashlib.sha256).hexdigest()
