"""Lets people talk for as long as is wanted, in rounds; after each round everything is held to the reference model."""

import asyncio
import itertools
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from tests.fixtures.stage import Stage
from tests.model.phone import Frame, Phone
from tests.soak.actor import SECOND_DEVICE, WEIGHTS, Actor
from tests.soak.checking import Problem, TalkCheck
from tests.soak.faults import Faults
from tests.soak.talks import Talk
from tests.soak.tally import Tally
from tests.soak.wire import PASSWORD, Line, NeverAnsweredError, Refused

SETTLE_S = 150.0
"""How long what is under way may take to arrive after a round, before it counts as lost: outages are over by then, and
what a dead function left unannounced or a mapping put off has come again."""

QUIET_S = 1.0
QUIET_WITHIN_S = 15.0
"""How long is listened for what is still on its way live."""

AT_ONCE = 8
"""So many talks are checked, and accounts made, side by side."""

GROUP_OF = 4
"""So many people talk in a small group."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of everything; the soak ends with the first of `minutes` and `steps`."""

    users: int = 12
    peers: int = 3
    groups: int = 2
    crowd: int = 100
    """Members of one more group of everybody, who never say a word and make it a large one; 0: there is none."""
    minutes: float | None = None
    steps: int | None = None
    round_s: float = 60.0
    faults: Sequence[str] = ()
    seed: int = field(default_factory=lambda: random.randrange(1 << 32))


class Soak:
    """One soak of one stage."""

    def __init__(self, stage: Stage, plan: Plan, show: Callable[[str], None]) -> None:
        self._stage, self._plan, self._show = stage, plan, show
        self._dice = random.Random(plan.seed)
        self.tally = Tally()
        self._talks: dict[str, Talk] = {}
        self._actors: dict[str, list[Actor]] = {}

    async def run(self) -> Tally:
        """Talk, break and check until the plan is fulfilled or a promise is broken."""
        await self._gather()
        began_s = time.monotonic()
        while not self._is_over(began_s) and not self.tally.problems:
            await self._talk(began_s)
            await self._check()
            self._show(self.tally.line())
        await asyncio.gather(*(actor.line.close() for actor in self._everyone()))
        return self.tally

    def _everyone(self) -> list[Actor]:
        return list(itertools.chain.from_iterable(self._actors.values()))

    def _is_over(self, began_s: float) -> bool:
        minutes, steps = self._plan.minutes, self._plan.steps
        is_late = minutes is not None and time.monotonic() - began_s >= minutes * 60
        return is_late or (steps is not None and self.tally.steps.total() >= steps)

    async def _gather(self) -> None:
        """Make the accounts, of which every third has a second device, and who talks with whom."""
        run = uuid.uuid4().hex[:8]
        devices = [
            self._device(f"soak-{run}-{number}", device, weights)
            for number in range(self._plan.users)
            for device, weights in (("phone", WEIGHTS), ("laptop", SECOND_DEVICE))
            if device == "phone" or number % 3 == 0
        ]
        for actor, registers in devices:
            if registers:
                await actor.line.register()
            actor.phone.user = await actor.line.log_in()
            self._actors.setdefault(actor.user, []).append(actor)
        users = list(self._actors)
        for at, step in itertools.product(range(len(users)), range(1, self._plan.peers + 1)):
            one, other = users[at], users[(at + step) % len(users)]
            chat_id = single_conversation_id(UserId(int(one)), UserId(int(other)))
            if one != other and chat_id not in self._talks:
                self._take_up(Talk(chat_id, (one, other)))
        await self._gather_groups(run)
        await asyncio.gather(*(actor.line.connected() for actor in self._everyone()))
        self._show(f"{len(users)} people, {len(devices)} devices, {len(self._talks)} talks; seed {self._plan.seed}")

    async def _gather_groups(self, run: str) -> None:
        """Make the small groups, each of other people, and the large one of everybody."""
        users = list(self._actors)
        for number in range(self._plan.groups):
            first = number * GROUP_OF % len(users)
            await self._make_group(tuple((users[first:] + users[:first])[:GROUP_OF]), ())
        if self._plan.crowd:
            free = asyncio.Semaphore(AT_ONCE)
            line = self._actors[users[0]][0].line

            async def register(number: int) -> str:
                body = {"username": f"silent-{run}-{number}", "password": PASSWORD}
                async with free:
                    answer = await line.call("POST", "/auth/register", body)
                return str(answer.json()["user"]["user_id"])

            silent = await asyncio.gather(*map(register, range(self._plan.crowd)))
            await self._make_group(tuple(users), silent)

    async def _make_group(self, members: tuple[str, ...], silent: Sequence[str]) -> None:
        owner = self._actors[members[0]][0].line
        body = {"name": f"{len(members)} people", "member_ids": [*members[1:], *silent]}
        chat_id = (await owner.call("POST", "/groups/create", body)).json()["conversation"]["conversation_id"]
        read_seqs = {}
        for user in members:
            answer = await self._actors[user][0].line.call("GET", f"/conversations/{chat_id}")
            state = answer.json()["conversation"]
            read_seqs[user] = state["read_seq"]
        talk = Talk(chat_id, members, is_group=True)
        talk.begin_group(read_seqs, state["last_seq"])
        self._take_up(talk)

    def _take_up(self, talk: Talk) -> None:
        self._talks[talk.chat_id] = talk
        for actor in itertools.chain.from_iterable(self._actors[user] for user in talk.members):
            actor.talks[talk.chat_id] = talk

    def _device(self, username: str, name: str, weights: dict[str, int]) -> tuple[Actor, bool]:
        made: list[Actor] = []

        def hear(frame: Frame) -> None:
            made[0].hear(frame)

        line = Line(self._stage.http_url, username, name, self.tally, hear)
        dice = random.Random(self._dice.randrange(1 << 62))
        made.append(Actor(line, Phone("", name), {}, self.tally, dice, weights))
        return made[0], name == "phone"

    async def _talk(self, began_s: float) -> None:
        """Let everybody act for one round, and end all that breaks with it."""
        stop, calm = asyncio.Event(), asyncio.Event()
        faults = Faults(self._stage, self._everyone(), self._plan.faults, self.tally, self._dice)
        async with asyncio.TaskGroup() as group:
            breaking = group.create_task(faults.break_until(calm))
            for actor in self._everyone():
                group.create_task(actor.act_until(stop))
            ends_s = time.monotonic() + self._plan.round_s
            while time.monotonic() < ends_s and not self._is_over(began_s):
                await asyncio.sleep(min(1.0, self._plan.round_s / 10))
            calm.set()
            await breaking
            stop.set()

    async def _check(self) -> None:
        """Hold every talk to the model, again and again until it fits or the time is over."""
        await self._hear_out()
        await self._catch_up(self._everyone())
        free = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._check_talk(talk, free) for talk in self._talks.values()))

    async def _hear_out(self) -> None:
        """Wait until nothing comes live any more, so that what is counted as live does not depend on when one looks."""
        before, ends_s = -1, time.monotonic() + QUIET_WITHIN_S
        while time.monotonic() < ends_s:
            heard = sum(len(seqs) for actor in self._everyone() for seqs in actor.heard.values())
            if heard == before:
                return
            before = heard
            await asyncio.sleep(QUIET_S)

    async def _catch_up(self, actors: Sequence[Actor]) -> None:
        async def catch_up(actor: Actor) -> None:
            try:
                await actor.line.connected()
                await actor.sync()
            except (NeverAnsweredError, Refused) as fault:
                self.tally.problem("other", f"{actor.user} can't catch up: {fault!r}")

        await asyncio.gather(*map(catch_up, actors))

    async def _check_talk(self, talk: Talk, free: asyncio.Semaphore) -> None:
        deadline = time.monotonic() + SETTLE_S
        async with free:
            while True:
                look = TalkCheck(talk, self._actors)
                try:
                    problems: list[Problem] = await look.look()
                except (NeverAnsweredError, Refused) as fault:
                    problems = [("other", f"{talk.chat_id} can't be looked at: {fault!r}")]
                if not problems:
                    look.conclude(self.tally)
                    return
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(1.0)
                await self._catch_up([actor for user in talk.members for actor in self._actors[user]])
        for kind, what in problems:
            self.tally.problem(kind, what)
