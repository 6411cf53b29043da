"""What breaks while people talk: functions, Redis, MySQL and sockets of a local stage, at random times."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import redis

from local_stage.supervisor.control import Action, ServiceName
from tests.fixtures.stage import Stage
from tests.soak.actor import Actor
from tests.soak.tally import Tally

FUNCTIONS = (
    "gateway-websocket",
    "gateway-deliver",
    "gateway-http",
    "logic-upstream",
    "logic-rpc",
    "task-worker",
)

KINDS = {"functions": 10, "flush": 6, "sockets": 8, "redis": 2, "mysql": 1}
"""Each kind of fault with how often it is drawn."""

REDIS_AWAY_S = 4.0
MYSQL_AWAY_S = 4.0
PAUSES_S = 3.0, 15.0
"""How long everything is well between two faults."""


class Faults:
    """Breaks one thing after the other until told to stop; leaves everything running."""

    def __init__(
        self, stage: Stage, actors: Sequence[Actor], kinds: Sequence[str], tally: Tally, dice: random.Random
    ) -> None:
        self._stage, self._actors, self._tally, self._dice = stage, actors, tally, dice
        self._weights = {kind: KINDS[kind] for kind in kinds}

    async def break_until(self, stop: asyncio.Event) -> None:
        """Break something now and then."""
        while self._weights and not await _stopped(stop, self._dice.uniform(*PAUSES_S)):
            (kind,) = self._dice.choices(list(self._weights), list(self._weights.values()))
            doers: dict[str, Callable[[], Awaitable[None]]] = {
                "functions": self._kill_function,
                "flush": self._flush,
                "sockets": self._cut_sockets,
                "redis": lambda: self._away("redis", "stop", REDIS_AWAY_S),
                "mysql": lambda: self._away("mysql", "kill", MYSQL_AWAY_S),
            }
            await doers[kind]()

    async def _kill_function(self) -> None:
        function = self._dice.choice(FUNCTIONS)
        if await asyncio.to_thread(self._stage.kill_function, function):
            self._tally.faults[f"{function} killed"] += 1

    async def _flush(self) -> None:
        with redis.Redis.from_url(self._stage.services["redis"]) as cache:
            await asyncio.to_thread(cache.flushall)
        self._tally.faults["Redis flushed"] += 1

    async def _cut_sockets(self) -> None:
        some = self._dice.sample(list(self._actors), k=max(1, len(self._actors) // 4))
        for actor in some:
            await actor.line.hang_up(politely=False)
        self._tally.faults["sockets cut"] += len(some)

    async def _away(self, service: ServiceName, action: Action, seconds: float) -> None:
        await asyncio.to_thread(self._stage.control, service, action)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._stage.control, service, "restart")
        self._tally.faults[f"{service} {action}"] += 1


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
