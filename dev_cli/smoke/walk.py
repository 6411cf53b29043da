"""What the smoke test does: two fresh users talk to each other over every door, and leave nothing behind."""

import secrets
from collections.abc import Callable

from gochat_client.door import Door
from gochat_client.faults import StepFailedError
from gochat_client.guest import Guest
from gochat_client.steps import Steps, Timing
from gochat_client.talk import Talk

TURNS = 3


class Walk:
    """One smoke test; `steps` tells of each step that was begun."""

    def __init__(self, make_door: Callable[[], Door], *, patience_s: float, tell: Callable[[Timing], None]) -> None:
        suffix = secrets.token_hex(5)
        self.steps = Steps(tell)
        self._patience_s = patience_s
        self._ada, self._ben = (
            Guest(
                name=f"smoke-{called}-{suffix}",
                called=called,
                device_id="smoke",
                door=make_door(),
                password=secrets.token_urlsafe(24),
            )
            for called in ("ada", "ben")
        )

    def take(self) -> None:
        """Take every step; whatever happens, the users are deleted and all is closed. Raises StepFailedError."""
        try:
            self._talk()
        finally:
            self._leave()

    def _talk(self) -> None:
        guests = (self._ada, self._ben)
        with self.steps.step("the REST door answers"):
            self._ada.door.call("GET", "/health")
        with self.steps.step("two users register"):
            for guest in guests:
                guest.register()
        with self.steps.step("they log in"):
            for guest in guests:
                guest.log_in()
        with self.steps.step("they become friends"):
            self._ada.befriend(self._ben)
            self._ben.befriend(self._ada)
        with self.steps.step("they connect"):
            for guest in guests:
                guest.connect(guest.websocket_url, patience_s=self._patience_s)
        Talk(self.steps, self._ada, self._ben).go(turns=TURNS)

    def _leave(self) -> None:
        """Close what is open and delete the users that were made; a second failure does not hide the first."""
        made = [guest for guest in (self._ada, self._ben) if guest.user_id]
        if not made:
            return
        with self.steps.step("they delete themselves"):
            failures = [failure for guest in made if (failure := _delete(guest))]
            if failures:
                raise failures[0]


def _delete(guest: Guest) -> StepFailedError | None:
    try:
        guest.disconnect()
        if not guest.door.token:
            guest.log_in()
        guest.door.call("DELETE", "/users/me")
    except StepFailedError as failure:
        return StepFailedError(
            f"{guest.name} could not be deleted: {failure.message}",
            advice="The account holds nothing but this test's messages.",
        )
    return None
