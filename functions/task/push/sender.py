"""Sends one push through its provider: retried with jitter inside the time there is, guarded by a breaker."""

import random
import time
from collections.abc import Callable, Mapping

from gochat_core.clock import Clock
from task.push.breaker import Breaker
from task.push.providers.provider import Answer, Push, PushProvider, Refused, TryAgain

TRIES = 3
FIRST_PAUSE_S = 0.2
CALL_TIMEOUT_S = 5.0


class Sender:
    """The providers of one container, each of their services with its breaker; safe for several threads."""

    def __init__(
        self,
        providers: Mapping[str, PushProvider],
        clock: Clock,
        *,
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._providers = providers
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._clock = clock
        self._pause = pause
        self._jitter = jitter

    def send(self, push: Push, *, until_ms: int) -> Answer:
        """Send, at most TRIES times and not beyond `until_ms`, and return the last answer."""
        provider = self._providers.get(push.provider)
        if provider is None:
            return Refused(reason="no_provider")
        # One step of the dict, so that threads which come at once get the same breaker.
        breaker = self._breakers.setdefault((push.provider, provider.service(push)), Breaker(self._clock))
        answer: Answer = TryAgain(reason="no_time")
        for number in range(TRIES):
            if (wait_ms := breaker.wait_ms()) > 0:
                return TryAgain(reason="provider_away", after_s=wait_ms / 1000)
            left_s = (until_ms - self._clock.now_ms()) / 1000
            if left_s <= 0:
                return answer
            answer = provider.send(push, timeout_s=min(CALL_TIMEOUT_S, left_s))
            breaker.note(is_up=not isinstance(answer, TryAgain))
            if not isinstance(answer, TryAgain) or number == TRIES - 1:
                return answer
            # Full jitter: those who failed together must not come back together.
            wait_s = max(answer.after_s, FIRST_PAUSE_S * 2**number * self._jitter())
            if self._clock.now_ms() + wait_s * 1000 >= until_ms:
                return answer
            self._pause(wait_s)
        return answer
