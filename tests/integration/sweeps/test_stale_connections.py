"""Connections that ended unheard are found by asking, and reported as `deliver` reports those that it finds."""

import grpc
import msgspec
import pytest

from gateway.sweep import stale_connections
from gateway.sweep.stale_connections import ConnectionSweep
from gochat_aws.connections_api import Outcome
from gochat_aws.function_invoke import EventRefusedError
from gochat_aws.invoke_channel import InvokeChannel
from gochat_aws.invoke_outcome import InvokeRpcError
from gochat_contracts.deliver_reports import DeadConnections
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.clock import SystemClock
from gochat_core.errors import Unavailable
from gochat_core.sweeps import TimeLimit
from repo.rpc import wiring
from tests.fakes.connections import InMemoryConnections
from tests.integration.messages.frames import ALICE, BOB, G1, LAPTOP
from tests.integration.messages.stage import Stage

MINUTE_MS = 60_000


class Invoker:
    """Lambda, as far as it takes events."""

    def __init__(self) -> None:
        self.refuses = False
        self.reports: list[DeadConnections] = []

    def invoke_event(self, payload: bytes) -> None:
        if self.refuses:
            raise EventRefusedError
        self.reports.append(msgspec.json.decode(payload, type=DeadConnections))

    def reported(self) -> list[str]:
        return [one.connection_id for report in self.reports for one in report.connections]


@pytest.fixture
def api() -> InMemoryConnections:
    return InMemoryConnections()


@pytest.fixture
def invoker() -> Invoker:
    return Invoker()


@pytest.fixture
def sweep(stage: Stage, api: InMemoryConnections, invoker: Invoker) -> ConnectionSweep:
    server = wiring.build(
        {
            "GOCHAT_STAGE": "test",
            "GOCHAT_MYSQL_HOST": stage.mysql.mysql_host,
            "GOCHAT_MYSQL_PORT": str(stage.mysql.mysql_port),
            "GOCHAT_MYSQL_USER": stage.mysql.mysql_user,
            "GOCHAT_MYSQL_DATABASE": stage.mysql.mysql_database,
            "GOCHAT_REDIS_HOST": stage.redis.redis_host,
            "GOCHAT_REDIS_PORT": str(stage.redis.redis_port),
        }
    )
    # RepoService goes by the time of its own machine.
    stage.clock.now = SystemClock().now_ms() - MINUTE_MS
    return ConnectionSweep(
        repo=RepoServiceStub(InvokeChannel(server.handle_payload)),
        connections=api,
        invoker=lambda: invoker,
        cell_id=G1,
        check_every_ms=MINUTE_MS // 2,
    )


def run(sweep: ConnectionSweep, *, seconds: int = 60) -> dict[str, int]:
    clock = SystemClock()
    return dict(sweep.check_due(TimeLimit(clock=clock, ends_at_ms=clock.now_ms() + seconds * 1000)))


def test_who_is_gone_is_reported_and_who_is_there_is_not_asked_again_at_once(
    stage: Stage, sweep: ConnectionSweep, api: InMemoryConnections, invoker: Invoker
) -> None:
    gone, there = stage.connect(ALICE), stage.connect(BOB)
    api.gone.add(gone.connection_id)
    assert run(sweep) == {"ConnectionsChecked": 2, "ConnectionsStale": 1}
    assert {call.method for call in api.calls} == {"GET"}
    assert invoker.reported() == [gone.connection_id]
    assert run(sweep) == {"ConnectionsChecked": 0, "ConnectionsStale": 0}
    assert there.connection_id not in invoker.reported()


def test_connections_that_were_just_opened_are_not_due(stage: Stage, sweep: ConnectionSweep) -> None:
    stage.clock.now = SystemClock().now_ms()
    stage.connect(ALICE)
    assert run(sweep)["ConnectionsChecked"] == 0


def test_page_after_page_is_checked_while_there_is_time(
    stage: Stage, sweep: ConnectionSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale_connections, "PAGE", 1)
    for user, device in ((ALICE, None), (ALICE, LAPTOP), (BOB, None)):
        stage.connect(user, *([device] if device else []))
    assert run(sweep, seconds=0)["ConnectionsChecked"] == 0
    assert run(sweep)["ConnectionsChecked"] == 3


@pytest.mark.parametrize("outcome", [Outcome.RETRY_LATER, Outcome.REFUSED])
def test_whoever_could_not_be_asked_is_taken_for_alive(
    stage: Stage, sweep: ConnectionSweep, api: InMemoryConnections, invoker: Invoker, outcome: Outcome
) -> None:
    connection = stage.connect(ALICE)
    api.outcomes[connection.connection_id].append(outcome)
    assert run(sweep)["ConnectionsStale"] == 0
    assert invoker.reports == []


def test_a_report_that_was_not_taken_is_a_failure_to_be_seen(
    stage: Stage, sweep: ConnectionSweep, api: InMemoryConnections, invoker: Invoker
) -> None:
    api.gone.add(stage.connect(ALICE).connection_id)
    invoker.refuses = True
    with pytest.raises(Unavailable):
        run(sweep)


def test_a_repo_service_that_is_away_is_unavailable(sweep: ConnectionSweep, api: InMemoryConnections) -> None:
    def broken(payload: bytes, timeout_s: float) -> bytes:
        raise InvokeRpcError(grpc.StatusCode.UNAVAILABLE, "throttled")

    away = RepoServiceStub(InvokeChannel(broken))
    gone = ConnectionSweep(
        repo=away, connections=api, invoker=sweep.invoker, cell_id=G1, check_every_ms=sweep.check_every_ms
    )
    with pytest.raises(Unavailable):
        run(gone)
