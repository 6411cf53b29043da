"""Who went is told to be offline when it is time, whatever happens meanwhile; the last word is true."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from gochat_core.errors import Unavailable
from gochat_core.types import UserId
from gochat_repo.connections import Connection, Connections
from gochat_repo.departures import LEASE_MS, Departures
from gochat_repo.presence import TOLD_AT_ONCE, Presence
from gochat_repo.session_endings import SessionEndings
from task.sweep.departures import LOOK_AHEAD_MS, DepartureSweep
from tests.integration.messages.frames import ALICE, BOB, CAROL, LAPTOP, PHONE
from tests.integration.messages.stage import Stage
from tests.integration.sweeps.conftest import in_time, presence_told, too_late

pytestmark = pytest.mark.needs_redis

GRACE_MS = 30_000


@dataclass
class People:
    """Alice, who has subscribed to Bob and Carol on her phone, and the sweep that tells her of them."""

    stage: Stage
    connections: Connections = field(init=False)
    presence: Presence = field(init=False)
    sweep: DepartureSweep = field(init=False)

    def __post_init__(self) -> None:
        door = self.stage.doors[0]
        self.connections = Connections(door.database, door.cache, self.stage.clock)
        self.presence = Presence(door.database, door.cache)
        self.sweep = DepartureSweep(
            departures=Departures(door.cache),
            presence=self.presence,
            connections=self.connections,
            producer=self.stage.producer,
            clock=self.stage.clock,
            offline_after_ms=GRACE_MS,
            pause=lambda seconds: self.stage.clock.advance_ms(round(seconds * 1000)),
        )
        at_alice = self.stage.connect(ALICE)
        self.presence.subscribe(ALICE, at_alice.connection_id, [BOB, CAROL], now_ms=self.stage.clock.now_ms())

    def come(self, user_id: UserId, device_id: str = PHONE) -> Connection:
        """Open a connection, as `$connect` does."""
        self.stage.clock.advance_ms(1)
        connection = self.stage.connect(user_id, PHONE if device_id == PHONE else LAPTOP)
        self.presence.come_online(user_id, connection.connection_id, now_ms=self.stage.clock.now_ms())
        return connection

    def go(self, connection: Connection) -> None:
        """End a connection, as `$disconnect` does."""
        self.connections.remove(connection.user_id, connection.device_id, connection.connection_id)

    def pass_ms(self, ms: int) -> None:
        self.stage.clock.advance_ms(ms)

    def run(self) -> dict[str, int]:
        """Sweep once."""
        return {name: count for name, count in self.sweep.announce_due(in_time(self.stage)).items() if count}

    def told(self) -> list[tuple[str, bool]]:
        """Return what Alice was told."""
        return presence_told(self.stage, ALICE)


@pytest.fixture
def people(stage: Stage) -> People:
    return People(stage)


def test_offline_is_told_once_and_not_before_its_time(people: People) -> None:
    people.go(people.come(BOB))
    gone_at_ms = people.stage.clock.now_ms()
    people.pass_ms(GRACE_MS - 1)
    assert people.run() == {}
    people.pass_ms(1)
    assert people.run() == {"WentOffline": 1}
    assert people.told() == [(str(BOB), False)]
    people.pass_ms(LEASE_MS + GRACE_MS)
    assert people.run() == {}
    (presence,) = people.presence.load([BOB], now_ms=0).values()
    assert presence.last_seen_ms == gone_at_ms


def test_whoever_came_back_in_time_makes_no_noise(people: People) -> None:
    people.go(people.come(BOB))
    people.pass_ms(GRACE_MS - 1)
    people.come(BOB)
    people.pass_ms(GRACE_MS)
    people.run()
    assert people.told() == []


def test_who_has_another_device_has_not_gone(people: People) -> None:
    people.come(BOB, LAPTOP)
    people.go(people.come(BOB))
    people.pass_ms(GRACE_MS)
    people.run()
    assert people.told() == []


def test_a_replaced_connection_is_no_departure(people: People) -> None:
    replaced = people.come(BOB)
    people.stage.clock.advance_ms(5)
    people.connections.register(replace_id(replaced, people.stage.clock.now_ms()), replacing=replaced)
    people.go(replaced)
    people.pass_ms(GRACE_MS)
    assert people.run() == {}


def replace_id(connection: Connection, at_ms: int) -> Connection:
    return Connection(
        user_id=connection.user_id,
        device_id=connection.device_id,
        session_id=connection.session_id,
        cell_id=connection.cell_id,
        connection_id=type(connection.connection_id)("newer="),
        connected_at_ms=at_ms,
    )


@pytest.mark.parametrize("end", ["revoke", "erase"])
def test_a_login_that_ended_takes_its_user_offline(people: People, end: str) -> None:
    connection = people.come(BOB)
    door = people.stage.doors[0]
    door.database.transaction(
        lambda tx: tx.execute(
            "INSERT INTO sessions (session_id, user_id, device_id, platform, salt, generation, rotated_at_ms,"
            " created_at_ms, last_used_at_ms, expires_at_ms) VALUES (%s, %s, %s, 'ios', %s, 0, 1, 1, 1, %s)",
            (connection.session_id, BOB, PHONE, b"s" * 16, people.stage.clock.now_ms() + 10**9),
        )
    )
    endings = SessionEndings(door.database, door.cache, people.connections)
    if end == "revoke":
        endings.revoke(BOB, [connection.session_id], now_ms=people.stage.clock.now_ms())
    else:
        endings.erase_account(BOB, now_ms=people.stage.clock.now_ms())
    people.pass_ms(GRACE_MS)
    people.run()
    assert people.told() == [(str(BOB), False)]


def test_two_sweeps_at_once_tell_it_once(people: People) -> None:
    people.go(people.come(BOB))
    people.pass_ms(GRACE_MS)
    first, second = people.sweep.departures, people.sweep.departures
    due_ms = people.stage.clock.now_ms() - GRACE_MS
    assert first.claim(gone_before_ms=due_ms, limit=100).users == (BOB,)
    assert second.claim(gone_before_ms=due_ms, limit=100).users == ()


def test_what_a_sweep_died_with_is_told_by_a_later_one(people: People) -> None:
    people.go(people.come(BOB))
    people.pass_ms(GRACE_MS)
    people.stage.producer.available = False
    with pytest.raises(Unavailable):
        people.run()
    people.stage.producer.available = True
    people.pass_ms(LEASE_MS)
    people.run()
    assert people.told() == [(str(BOB), False)]


def test_who_goes_again_while_a_sweep_deals_with_it_is_not_forgotten(people: People) -> None:
    people.go(people.come(BOB))
    people.pass_ms(GRACE_MS)
    claim = people.sweep.departures.claim(gone_before_ms=people.stage.clock.now_ms() - GRACE_MS, limit=100)
    people.go(people.come(BOB))
    people.sweep.departures.release(claim, claim.users)
    people.pass_ms(GRACE_MS)
    people.run()
    assert people.told() == [(str(BOB), False)]


def test_the_last_word_is_true_for_who_comes_back_while_it_is_told(people: People) -> None:
    people.go(people.come(BOB))
    people.pass_ms(GRACE_MS)

    class Slow:
        """A broker that is so slow that Bob comes back meanwhile."""

        def produce(self, records: object, after: Callable[..., None] = people.stage.producer.produce) -> None:
            after(records)
            if people.told() == [(str(BOB), False)]:
                people.come(BOB)

    people.sweep = replace(people.sweep, producer=Slow())
    assert people.run() == {"WentOffline": 1, "CameBack": 1}
    assert people.told() == [(str(BOB), False), (str(BOB), True)]


def test_who_comes_back_after_it_was_told_is_told_to_be_back(people: People) -> None:
    people.go(people.come(BOB))
    people.pass_ms(GRACE_MS)
    people.run()
    connection = people.stage.connect(BOB)
    watchers = people.presence.come_online(BOB, connection.connection_id, now_ms=people.stage.clock.now_ms())
    assert set(watchers) == {ALICE}


def test_what_a_handshake_could_not_tell_is_told_by_the_sweep(people: People) -> None:
    people.come(BOB)
    people.presence.put_off(BOB)
    people.run()
    assert people.told() == [(str(BOB), True)]


def test_a_user_with_very_many_subscribers_is_told_of_by_the_sweep(people: People) -> None:
    now_ms = people.stage.clock.now_ms()
    for number in range(TOLD_AT_ONCE):
        people.presence.subscribe(UserId(1000 + number), replace_id(people.stage.connect(ALICE), 1).connection_id,
                                  [BOB], now_ms=now_ms)  # fmt: skip
    connection = people.stage.connect(BOB)
    assert people.presence.come_online(BOB, connection.connection_id, now_ms=now_ms) == {}
    assert people.run() == {"CameBack": 1}
    assert people.told() == [(str(BOB), True)]


def test_departures_that_come_due_soon_are_waited_for(people: People) -> None:
    people.go(people.come(BOB))
    people.pass_ms(GRACE_MS - LOOK_AHEAD_MS + 1)
    before_ms = people.stage.clock.now_ms()
    assert people.sweep.announce_soon_due(in_time(people.stage))["WentOffline"] == 1
    assert people.stage.clock.now_ms() - before_ms == LOOK_AHEAD_MS - 1
    assert people.told() == [(str(BOB), False)]


def test_nothing_is_waited_for_that_comes_later_or_is_due_already(people: People) -> None:
    people.go(people.come(BOB))
    before_ms = people.stage.clock.now_ms()
    assert people.sweep.announce_soon_due(in_time(people.stage)) == {}
    people.pass_ms(2 * GRACE_MS)
    assert people.sweep.announce_soon_due(in_time(people.stage)) == {}
    assert people.stage.clock.now_ms() - before_ms == 2 * GRACE_MS


def test_a_sweep_without_time_leaves_everything_to_the_next(people: People) -> None:
    people.go(people.come(BOB))
    people.pass_ms(GRACE_MS)
    people.sweep.announce_due(too_late(people.stage))
    assert people.told() == []
    assert people.run() == {"WentOffline": 1}


def test_round_trips_do_not_grow_with_the_number_of_departures(people: People) -> None:
    door = people.stage.doors[0]
    door.connections.find([CAROL])  # so that Redis knows the script that fills the cache
    prices = []
    for users in ([BOB], [BOB, CAROL]):
        for user in users:
            people.go(people.come(user))
        people.pass_ms(GRACE_MS)
        before = door.database.round_trips, door.cache.round_trips
        people.run()
        prices.append((door.database.round_trips - before[0], door.cache.round_trips - before[1]))
    # A look and a second one; two claims, of which the second finds nothing, what was told, subscribers and their
    # connections, the note, the release. The first time, connections are read from the database and filled in.
    assert prices == [(3, 8), (2, 7)]
