"""Whatever order people come, go, subscribe and sweeps run and fail in: the last word that anybody heard is true."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gateway.websocket.caller import Caller
from gateway.websocket.presence import announce_online, subscribe_presence
from gateway.websocket.wiring import Wiring, build
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import DownstreamRecord, decode
from gochat_core.errors import Unavailable
from gochat_core.ids import single_conversation_id
from gochat_core.types import ConnectionId, DeviceId, SessionId, UserId
from gochat_repo.connections import Connection, Connections
from gochat_repo.conversations import NewSingleConversation, insert_single_conversations
from gochat_repo.departures import LEASE_MS, Departures
from gochat_repo.presence import Presence
from local_stage.services.redis import RedisCluster
from task.sweep.departures import DepartureSweep
from tests.integration.messages.conftest import flush
from tests.integration.messages.frames import G1
from tests.integration.messages.stage import Stage
from tests.integration.sweeps.conftest import in_time

GRACE_MS = 30_000

SELDOM = st.integers(min_value=0, max_value=7).map(lambda number: number == 0)
DEVICES = [DeviceId("phone"), DeviceId("laptop")]
DEVICE = st.sampled_from(DEVICES)
SECONDS = st.sampled_from([1, 31, 61])

_USERS = count(2_000_000, 2)
_CONNECTIONS = count(1)


class Broker:
    """The stage's broker, during whose work other things may happen."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.meanwhile: Callable[[], None] | None = None

    def produce(self, records: Sequence[OutgoingRecord]) -> None:
        self._stage.producer.produce(records)
        happens, self.meanwhile = self.meanwhile, None
        if records and happens is not None:
            happens()


class TwoPeople(RuleBasedStateMachine):
    """Alice hears of Bob, who comes and goes with two devices while everything fails that can."""

    stage: Stage
    redis: RedisCluster
    parts: Wiring
    broker: Broker
    sweep: DepartureSweep

    @initialize()
    def meet(self) -> None:
        first = next(_USERS)
        self.alice, self.bob = UserId(first), UserId(first + 1)
        self.stage.add_users(self.alice, self.bob)
        chat = single_conversation_id(self.alice, self.bob)
        new = NewSingleConversation(conversation_id=chat, members=(self.alice, self.bob))
        self.stage.doors[0].database.transaction(lambda tx: insert_single_conversations(tx, [new], now_ms=1))
        self.stage.producer.records.clear()
        self.broker.meanwhile = None
        self.open: dict[DeviceId, Caller] = {}
        self.at_alice = self.connect(self.alice, DeviceId("phone"))
        self.heard: bool | None = None
        self.ask()

    @rule(device=DEVICE)
    def come(self, device: DeviceId) -> None:
        former = self.open.get(device)
        self.open[device] = self.connect(self.bob, device)
        announce_online(self.parts, self.open[device])
        if former is not None:
            self.leave(former)
        self.listen()

    @rule(devices=st.sampled_from([DEVICES[:1], DEVICES[1:], DEVICES]))
    def go(self, devices: Sequence[DeviceId]) -> None:
        for device in devices:
            if device in self.open:
                self.leave(self.open.pop(device))

    @rule()
    def ask(self) -> None:
        now_ms = self.stage.clock.now_ms()
        (state,) = subscribe_presence(self.parts, self.at_alice, [self.alice, self.bob], now_ms=now_ms).states
        assert (state.user_id, state.online) == (str(self.bob), bool(self.open)), "exact when asked"
        self.heard = state.online

    @rule(really=SELDOM)
    def connect_again(self, really: bool) -> None:
        if really:
            self.at_alice = self.connect(self.alice, DeviceId("phone"))
            self.heard = None

    @rule(after_s=SECONDS)
    def run_sweep(self, after_s: int) -> None:
        self.stage.clock.advance_ms(after_s * 1000)
        self.sweep.announce_due(in_time(self.stage))
        self.listen()

    @rule(after_s=SECONDS, device=DEVICE, comes=st.booleans())
    def run_sweep_while_somebody_moves(self, after_s: int, device: DeviceId, comes: bool) -> None:
        self.broker.meanwhile = lambda: self.come(device) if comes else self.go(DEVICES)
        self.run_sweep(after_s)
        self.broker.meanwhile = None

    @rule(device=DEVICE)
    def come_while_the_broker_is_away(self, device: DeviceId) -> None:
        self.stage.producer.available = False
        self.come(device)
        self.stage.producer.available = True

    @rule(after_s=SECONDS, is_held=st.booleans())
    def let_a_sweep_die(self, after_s: int, is_held: bool) -> None:
        self.stage.clock.advance_ms(after_s * 1000)
        self.stage.producer.fail_after = int(is_held)
        with contextlib.suppress(Unavailable):
            self.sweep.announce_due(in_time(self.stage))
        self.stage.producer.fail_after = None
        self.listen()

    @rule(really=SELDOM)
    def flush_the_cache(self, really: bool) -> None:
        if really:
            flush(self.redis)
            self.heard = None

    @rule()
    def come_to_rest(self) -> None:
        for _ in range(2):
            self.run_sweep((GRACE_MS + LEASE_MS) // 1000)
        assert self.heard in (None, bool(self.open)), "the last word is true"

    def connect(self, user_id: UserId, device_id: DeviceId) -> Caller:
        self.stage.clock.advance_ms(1)
        caller = Caller(
            user_id=user_id,
            device_id=device_id,
            session_id=SessionId(1),
            cell_id=G1,
            connection_id=ConnectionId(f"{next(_CONNECTIONS)}="),
            connected_at_ms=self.stage.clock.now_ms(),
            ticket_id=None,
            ticket_expires_at_ms=0,
        )
        connection = Connection(**{name: getattr(caller, name) for name in Connection.__struct_fields__})
        former = self.parts.connections.register(connection)
        self.parts.connections.register(connection, replacing=former)
        return caller

    def leave(self, caller: Caller) -> None:
        self.parts.connections.remove(caller.user_id, caller.device_id, caller.connection_id)

    def listen(self) -> None:
        """Hear what was told since the last time; nobody hears who has not subscribed."""
        records, self.stage.producer.records[:] = list(self.stage.producer.records), []
        for raw in records:
            record = decode(DownstreamRecord, raw.value)
            if record.user_id != self.alice:
                continue  # a former walk's
            assert [one.connection_id for one in record.connections] == [self.at_alice.connection_id]
            assert self.heard is not None, "told to whoever has not subscribed"
            for item in record.items:
                data: dict[str, Any] = msgspec.json.decode(item.data)
                assert data["user_id"] == str(self.bob)
                self.heard = data["online"]


def test_the_last_word_that_anybody_heard_is_true(stage: Stage, redis_cluster: RedisCluster) -> None:
    door = stage.doors[0]
    environ = {
        "GOCHAT_STAGE": "test",
        "GOCHAT_CELL_ID": G1,
        "GOCHAT_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "GOCHAT_MYSQL_HOST": stage.mysql.mysql_host,
        "GOCHAT_MYSQL_PORT": str(stage.mysql.mysql_port),
        "GOCHAT_MYSQL_USER": stage.mysql.mysql_user,
        "GOCHAT_MYSQL_DATABASE": stage.mysql.mysql_database,
        "GOCHAT_REDIS_HOST": stage.redis.redis_host,
        "GOCHAT_REDIS_PORT": str(stage.redis.redis_port),
    }
    broker = Broker(stage)
    connections = Connections(door.database, door.cache, stage.clock)
    presence = Presence(door.database, door.cache)
    TwoPeople.stage, TwoPeople.redis, TwoPeople.broker = stage, redis_cluster, broker
    TwoPeople.parts = replace(
        build(environ), clock=stage.clock, producer=broker, connections=connections, presence=presence
    )
    TwoPeople.sweep = DepartureSweep(
        departures=Departures(door.cache),
        presence=presence,
        connections=connections,
        producer=broker,
        clock=stage.clock,
        offline_after_ms=GRACE_MS,
    )
    run_state_machine_as_test(
        TwoPeople,
        settings=settings(
            max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
