"""GET /gateways tells where to connect, best first, whatever the registry knows."""

from collections import Counter

import pytest

from gateway.http import wiring
from gateway.http.gateways import Gateways
from gochat_aws.invoke_channel import InvokeChannel
from gochat_aws.registry.instances import GATEWAY, GATEWAY_LOAD, Instance
from tests.fakes.clock import SettableClock
from tests.fakes.http_api import HttpApi
from tests.fakes.token_keys import make_token_secret, public_jwks

Known = dict[str, tuple[Instance, ...]]


def _cell(cell_id: str, *, weight: int = 100, healthy: bool = True, draining: bool = False) -> Instance:
    return Instance(
        instance_id=cell_id,
        endpoint=f"wss://{cell_id}.example.org/test",
        region="us-east-1",
        weight=weight,
        healthy=healthy,
        draining=draining,
    )


def _load(cell_id: str, connections: int) -> Instance:
    return Instance(instance_id=cell_id, connections=connections)


@pytest.fixture
def known() -> Known:
    return {}


@pytest.fixture
def api(known: Known) -> HttpApi:
    def unreachable(payload: bytes, timeout_s: float) -> bytes:
        raise AssertionError("im-logic is not asked where to connect")

    settings = wiring.Settings(
        stage="test",
        token_public_keys=public_jwks(make_token_secret()),
        logic_function="unused",
        connections_endpoints='{"g1": "https://g1.example.org/test"}',
        websocket_url="wss://first.example.org/test",
        http_url="https://example.org",
    )
    app = wiring.build(
        settings,
        channel=InvokeChannel(unreachable),
        connections={},
        clock=SettableClock(),
        instances=lambda service: known.get(service, ()),
    )
    return HttpApi(app.handle)


def _told(api: HttpApi) -> list[str]:
    answer = api.send("GET", "/gateways")
    assert answer.status == 200
    return [one["gateway_id"] for one in answer.json["gateways"]]


def test_anybody_may_ask_and_is_told_health_first_then_weight_then_load(api: HttpApi, known: Known) -> None:
    known[GATEWAY] = (_cell("ill", healthy=False), _cell("full"), _cell("empty"), _cell("small", weight=10))
    known[GATEWAY_LOAD] = (_load("full", 5_000), _load("empty", 7))
    assert _told(api) == ["empty", "full", "small", "ill"]


def test_a_draining_cell_is_told_to_nobody(api: HttpApi, known: Known) -> None:
    known[GATEWAY] = (_cell("g1", draining=True), _cell("g2"))
    assert _told(api) == ["g2"]


def test_without_a_registry_the_deployment_s_first_cell_is_told(api: HttpApi) -> None:
    (first,) = api.send("GET", "/gateways").json["gateways"]
    assert (first["gateway_id"], first["url"]) == ("g1", "wss://first.example.org/test")


def test_logins_are_spread_over_healthy_cells_by_their_weights() -> None:
    cells = (_cell("g1", weight=75), _cell("g2", weight=25), _cell("ill", healthy=False), _cell("out", draining=True))
    gateways = Gateways(instances=lambda _: cells, fallback=_cell("fallback"))
    told = Counter(gateways.pick_url() for _ in range(8_000))
    assert set(told) == {cells[0].endpoint, cells[1].endpoint}
    # Five standard deviations: 5 x root of 8,000 x 0.75 x 0.25.
    assert abs(told[cells[1].endpoint] - 2_000) < 194
