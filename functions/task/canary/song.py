"""One run of the canary: two accounts that stay talk to each other, tidy up, and every step is measured."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools import Logger

from gochat_client.door import Door
from gochat_client.faults import StepFailedError
from gochat_client.steps import Steps
from gochat_client.talk import Talk
from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from gochat_core.metrics import Metrics
from task.canary.accounts import Account, make_accounts

TURNS = 1


@dataclass(kw_only=True)
class Canary:
    """What lives as long as the container; `every_minutes` moves it from cell to cell."""

    read_seed: Callable[[], str]
    """Raises Unavailable."""
    make_door: Callable[[], Door]
    patience_s: float
    """How long each frame may take."""
    every_minutes: int
    clock: Clock
    logger: Logger
    metrics: Metrics
    _seed: str = field(default="", repr=False)
    _accounts: tuple[Account, ...] = ()

    def sing(self) -> dict[str, Any]:
        """Take every step, measure and log them, and return how it went; never raises for a stage that fails.

        Safe to repeat and after a run that ended anywhere: accounts are made when they are missing, logins are renewed,
        and what was left in the conversation is cleared with the rest.
        """
        steps, began_ms = Steps(), self.clock.now_ms()
        fault: StepFailedError | Unavailable | None = None
        try:
            self._walk(steps)
        except (StepFailedError, Unavailable) as caught:
            fault = caught
            for account in self._accounts:
                account.forget()
        return self._tell(steps, fault, took_ms=self.clock.now_ms() - began_ms)

    def _walk(self, steps: Steps) -> None:
        ada, ben = self._enter(steps)
        with self._connections(steps, ada, ben):
            talk = Talk(steps, ada.guest, ben.guest)
            talk.go(turns=TURNS)
        with steps.step("they tidy up"):
            for account in (ada, ben):
                account.guest.door.call("DELETE", f"/conversations/{talk.conversation}")

    def _enter(self, steps: Steps) -> tuple[Account, Account]:
        seed = self.read_seed()
        if seed != self._seed:
            self._seed, self._accounts = seed, make_accounts(seed, self.make_door)
        ada, ben = self._accounts
        with steps.step("the REST door answers"):
            ada.guest.door.call("GET", "/health")
        with steps.step("they log in"):
            new = [account.enter(self.clock) for account in (ada, ben)]
        if any(new):
            # Asked again by every container: a first run may have ended between the two halves.
            with steps.step("they become friends"):
                ada.guest.befriend(ben.guest)
                ben.guest.befriend(ada.guest)
        return ada, ben

    @contextmanager
    def _connections(self, steps: Steps, *accounts: Account) -> Iterator[None]:
        """Keep both connected, each through another cell where there are several; the next run takes the next ones."""
        try:
            with steps.step("they connect"):
                listed = accounts[0].guest.door.call("GET", "/gateways")["gateways"]
                urls = sorted(str(gateway["url"]) for gateway in listed)
                turn = self.clock.now_ms() // (self.every_minutes * 60_000)
                for number, account in enumerate(accounts):
                    account.guest.connect(urls[(turn + number) % len(urls)], patience_s=self.patience_s)
            yield
        finally:
            for account in accounts:
                account.guest.disconnect()

    def _tell(self, steps: Steps, fault: StepFailedError | Unavailable | None, *, took_ms: int) -> dict[str, Any]:
        told = {timing.step: round(timing.seconds * 1000) for timing in steps.timings}
        for step, milliseconds in told.items():
            self.metrics.emit({"CanaryStep": ("Milliseconds", milliseconds)}, step=step)
        self.metrics.emit(
            {"CanarySucceeded": ("Count", int(fault is None)), "CanaryDuration": ("Milliseconds", took_ms)}
        )
        if fault is None:
            self.logger.info("canary done", extra={"took_ms": took_ms, "steps": told})
            return {"ok": True, "steps": told}
        # A secret that can't be read is a step too, though nobody timed it.
        failed = steps.failed or "the secret is read"
        advice = fault.advice if isinstance(fault, StepFailedError) else ""
        self.logger.error(
            "canary failed", extra={"step": failed, "reason": str(fault), "advice": advice, "steps": told}
        )
        return {"ok": False, "failed": failed, "reason": str(fault), "steps": told}
