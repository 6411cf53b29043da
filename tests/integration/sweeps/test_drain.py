"""A draining cell is emptied: each of its connections is told where to go, then closed; no other cell is touched."""

import json

import pytest

from gateway.sweep import drain as drain_module
from gateway.sweep.drain import Drain
from gochat_aws.invoke_channel import InvokeChannel
from gochat_aws.registry.instances import Instance
from gochat_contracts.repo.repo_pb2 import CountConnectionsRequest
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.clock import SystemClock
from gochat_core.sweeps import TimeLimit
from repo.rpc import wiring
from tests.fakes.connections import InMemoryConnections
from tests.integration.messages.frames import ALICE, BOB, G1, LAPTOP
from tests.integration.messages.stage import Stage

DRAINING = Instance(instance_id="g1", endpoint="wss://g1.example.org/test", draining=True)
OTHER = Instance(instance_id="g2", endpoint="wss://g2.example.org/test")


@pytest.fixture
def cells() -> list[Instance]:
    return [DRAINING, OTHER]


@pytest.fixture
def api() -> InMemoryConnections:
    return InMemoryConnections()


@pytest.fixture
def repo(stage: Stage) -> RepoServiceStub:
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
    stage.clock.now = SystemClock().now_ms() - 60_000
    return RepoServiceStub(InvokeChannel(server.handle_payload))


@pytest.fixture
def drain(repo: RepoServiceStub, api: InMemoryConnections, cells: list[Instance]) -> Drain:
    return Drain(cell_id=G1, instances=lambda _: tuple(cells), repo=repo, connections=api)


def run(drain: Drain) -> int:
    clock = SystemClock()
    return drain.move_clients(TimeLimit(clock=clock, ends_at_ms=clock.now_ms() + 30_000))["ConnectionsMoved"]


def test_each_connection_is_told_where_to_go_and_then_closed(
    stage: Stage, drain: Drain, api: InMemoryConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain_module, "PAGE", 2)
    opened = [stage.connect(ALICE), stage.connect(ALICE, LAPTOP), stage.connect(BOB)]
    assert run(drain) == 3
    for one in opened:
        (frame,) = api.posted[one.connection_id]
        told = {"gateway_id": "g2", "websocket_url": "wss://g2.example.org/test"}
        assert json.loads(frame) == {"event": "session.moved", "data": told}
    assert sorted(api.deleted) == sorted(one.connection_id for one in opened)


def test_a_cell_that_does_not_drain_is_left_alone(
    stage: Stage, drain: Drain, api: InMemoryConnections, cells: list[Instance]
) -> None:
    stage.connect(ALICE)
    cells[0] = Instance(instance_id="g1", endpoint=DRAINING.endpoint)
    assert run(drain) == 0
    assert api.calls == []


def test_nobody_is_moved_while_no_other_cell_could_take_them(
    stage: Stage, drain: Drain, api: InMemoryConnections, cells: list[Instance]
) -> None:
    stage.connect(ALICE)
    cells[1] = Instance(instance_id="g2", endpoint=OTHER.endpoint, healthy=False)
    assert run(drain) == 0
    cells[1] = Instance(instance_id="g2", endpoint=OTHER.endpoint, draining=True)
    assert run(drain) == 0
    assert api.calls == []


def test_connections_are_counted_by_cell(stage: Stage, repo: RepoServiceStub) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    counted = repo.CountConnections(CountConnectionsRequest(cell_ids=["g1", "g2"]))
    assert dict(counted.connections) == {"g1": 2, "g2": 0}
