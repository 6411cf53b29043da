"""What has expired goes, in chunks; what has not stays; old connections go as by their `$disconnect`."""

import pytest

from gochat_core.types import UserId
from gochat_repo.connection_checks import LIFETIME_MS, OVERAGE_MS, ConnectionChecks
from gochat_repo.connections import Connections
from gochat_repo.expired_rows import FAILURES_MARGIN_MS, SESSION_MARGIN_MS, TICKET_MARGIN_MS, ExpiredRows
from task.sweep import expired_rows
from task.sweep.expired_rows import RowSweep
from tests.integration.messages.frames import ALICE, BOB, G1, LAPTOP, PHONE
from tests.integration.messages.stage import Stage
from tests.integration.sweeps.conftest import in_time, too_late

TABLES = {
    "used_tickets": "INSERT INTO used_tickets (ticket_id, expires_at_ms) VALUES",
    "login_failures": "INSERT INTO login_failures (username, window_started_at_ms, failures) VALUES",
    "sessions": "INSERT INTO sessions (session_id, expires_at_ms, user_id, device_id, platform, salt, generation,"
    " rotated_at_ms, created_at_ms, last_used_at_ms) VALUES",
    "idempotency_keys": "INSERT INTO idempotency_keys (key_hash, expires_at_ms, user_id, request_hash, seed, attempt,"
    " claimed_at_ms) VALUES",
}
MARGINS = {
    "used_tickets": TICKET_MARGIN_MS,
    "login_failures": FAILURES_MARGIN_MS,
    "sessions": SESSION_MARGIN_MS,
    "idempotency_keys": 0,
}


def put(stage: Stage, table: str, number: int, at_ms: int) -> None:
    """Insert a row whose time is over at `at_ms`."""
    rest: dict[str, tuple[object, ...]] = {
        "used_tickets": (),
        "login_failures": (1,),
        "sessions": (number, "phone", "ios", b"s" * 16, 0, 1, 1, 1),
        "idempotency_keys": (1, b"r" * 32, b"s" * 16, 1, 1),
    }
    key: object = number if table == "sessions" else f"{number:032d}"
    if table == "idempotency_keys":
        key = str(key).encode()
    stage.doors[0].database.transaction(lambda tx: tx.execute_rows(TABLES[table], [(key, at_ms, *rest[table])]))


def count(stage: Stage, table: str) -> int:
    return int(stage.rows(f"SELECT COUNT(*) FROM {table}")[0][0])


@pytest.fixture
def sweep(stage: Stage) -> RowSweep:
    door = stage.doors[0]
    checks = ConnectionChecks(door.database, Connections(door.database, door.cache, stage.clock))
    return RowSweep(rows=ExpiredRows(door.database), checks=checks, clock=stage.clock)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_what_has_expired_goes_and_nothing_else(
    stage: Stage, sweep: RowSweep, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expired_rows, "CHUNK", 2)
    over_ms = stage.clock.now_ms() - MARGINS[table] - 1
    for number in range(5):
        put(stage, table, number, over_ms - number)
    put(stage, table, 5, stage.clock.now_ms() - MARGINS[table] + 1)

    sweep.delete_expired_rows(too_late(stage))
    assert count(stage, table) == 6
    counts = sweep.delete_expired_rows(in_time(stage))
    assert sum(counts.values()) == 5
    assert count(stage, table) == 1
    assert sum(sweep.delete_expired_rows(in_time(stage)).values()) == 0


def test_connections_past_the_platform_s_lifetime_go_and_count_as_departures(stage: Stage, sweep: RowSweep) -> None:
    stage.connect(ALICE)
    stage.clock.advance_ms(LIFETIME_MS + OVERAGE_MS)
    stage.connect(BOB)
    stage.clock.advance_ms(1)
    assert sweep.remove_overaged_connections(in_time(stage)) == {"ConnectionsOveraged": 1}
    assert set(stage.doors[0].connections.list_by_users([ALICE, BOB])) == {BOB}
    ((seen_at_ms,),) = stage.rows("SELECT last_seen_at_ms FROM users WHERE user_id = %s", ALICE)
    assert seen_at_ms == stage.clock.now_ms()


def test_a_connection_is_claimed_for_a_check_once_an_interval_and_the_longest_unchecked_first(
    stage: Stage, sweep: RowSweep
) -> None:
    first = stage.connect(ALICE)
    stage.clock.advance_ms(1)
    second = stage.connect(BOB)
    stage.clock.advance_ms(1000)
    third = stage.connect(ALICE, LAPTOP)

    def claim(limit: int) -> list[str]:
        now_ms = stage.clock.now_ms()
        due = sweep.checks.claim_due(G1, checked_before_ms=now_ms - 500, now_ms=now_ms, limit=limit)
        return [one.connection_id for one in due]

    assert claim(1) == [first.connection_id]
    assert claim(9) == [second.connection_id]
    assert claim(9) == []
    stage.clock.advance_ms(501)
    assert set(claim(9)) == {one.connection_id for one in (first, second, third)}


def test_connections_of_another_cell_are_left_to_its_own_sweep(stage: Stage, sweep: RowSweep) -> None:
    stage.connect(UserId(BOB), PHONE)
    now_ms = stage.clock.now_ms() + 1000
    assert sweep.checks.claim_due(type(G1)("g2"), checked_before_ms=now_ms, now_ms=now_ms, limit=9) == []
