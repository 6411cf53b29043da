"""How full each cell is stands beside it in the registry, written when it moved."""

import grpc
import pytest

from gateway.prober.loads import Loads
from gochat_aws.invoke_channel import InvokeChannel
from gochat_aws.invoke_server import InvokeServer
from gochat_aws.registry.cloud_map import CloudMap
from gochat_aws.registry.instances import GATEWAY, GATEWAY_LOAD, LOGIC, Instance
from gochat_contracts.repo import repo_pb2, repo_pb2_grpc
from gochat_core.clock import SystemClock
from gochat_core.errors import Unavailable
from gochat_core.sweeps import TimeLimit
from tests.integration.registry.conftest import NAMESPACE, Place

NOW = TimeLimit(clock=SystemClock(), ends_at_ms=0)


class Counting(repo_pb2_grpc.RepoServiceServicer):
    """RepoService, as far as it counts connections."""

    def __init__(self) -> None:
        self.connections = {"g1": 0, "g2": 0}
        self.is_away = False

    def CountConnections(  # noqa: N802
        self, request: repo_pb2.CountConnectionsRequest, context: grpc.ServicerContext
    ) -> repo_pb2.CountConnectionsResponse:
        if self.is_away:
            context.abort(grpc.StatusCode.UNAVAILABLE, "no database")
        return repo_pb2.CountConnectionsResponse(connections={one: self.connections[one] for one in request.cell_ids})


@pytest.fixture
def repo() -> Counting:
    return Counting()


@pytest.fixture
def cloud_map(place: Place) -> CloudMap:
    """A namespace with two cells beside im-logic."""
    client = place.clients["servicediscovery"]
    namespace_id = client.get_service(Id=place.service_id)["Service"]["NamespaceId"]
    ids = {
        name: client.create_service(Name=name, NamespaceId=namespace_id, HealthCheckCustomConfig={})["Service"]["Id"]
        for name in (GATEWAY, GATEWAY_LOAD)
    }
    found = CloudMap(api=place.cloud_map().api, namespace=NAMESPACE, service_ids={LOGIC: place.service_id, **ids})
    for cell_id in ("g1", "g2"):
        found.register(GATEWAY, Instance(instance_id=cell_id, function="x", endpoint=f"wss://{cell_id}.example.org"))
    return found


@pytest.fixture
def loads(repo: Counting, cloud_map: CloudMap) -> Loads:
    server = InvokeServer()
    repo_pb2_grpc.add_RepoServiceServicer_to_server(repo, server)
    return Loads(repo=repo_pb2_grpc.RepoServiceStub(InvokeChannel(server.handle_payload)), cloud_map=cloud_map)


def _noted(cloud_map: CloudMap) -> dict[str, int]:
    return {one.instance_id: one.connections for one in cloud_map.discover(GATEWAY_LOAD).instances}


def test_loads_are_noted_and_again_only_when_they_moved(loads: Loads, repo: Counting, cloud_map: CloudMap) -> None:
    repo.connections = {"g1": 1_000, "g2": 10}
    assert loads.note(NOW) == {"LoadsWritten": 2}
    assert _noted(cloud_map) == {"g1": 1_000, "g2": 10}

    repo.connections = {"g1": 1_050, "g2": 20}
    assert loads.note(NOW) == {"LoadsWritten": 1}
    assert _noted(cloud_map) == {"g1": 1_000, "g2": 20}


def test_the_load_of_a_cell_that_went_goes(loads: Loads, cloud_map: CloudMap, repo: Counting) -> None:
    repo.connections["g3"] = 5
    cloud_map.register(GATEWAY, Instance(instance_id="g3", function="x", endpoint="wss://g3.example.org"))
    loads.note(NOW)
    cloud_map.deregister(GATEWAY, "g3")
    loads.note(NOW)
    assert set(_noted(cloud_map)) == {"g1", "g2"}


def test_one_cell_alone_is_not_counted(loads: Loads, cloud_map: CloudMap, repo: Counting) -> None:
    repo.is_away = True
    cloud_map.deregister(GATEWAY, "g2")
    assert loads.note(NOW) == {"LoadsWritten": 0}


def test_a_database_that_is_away_leaves_loads_as_they_were(loads: Loads, repo: Counting, cloud_map: CloudMap) -> None:
    loads.note(NOW)
    repo.is_away = True
    with pytest.raises(Unavailable):
        loads.note(NOW)
    assert _noted(cloud_map) == {"g1": 0, "g2": 0}
