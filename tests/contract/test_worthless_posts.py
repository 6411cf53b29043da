"""The contract of ConnectionsApi for calls that are worth something for a while only, by the fake and over HTTP."""

import time
from collections.abc import Iterator

import pytest

from gochat_aws.connections_api import Call, HttpConnectionsApi, Outcome
from gochat_aws.sigv4 import Credentials
from tests.fakes.connections import InMemoryConnections
from tests.fakes.connections_server import ConnectionsServer, serve_connections

CREDENTIALS = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="secret", session_token="token")
ALICE, BOB, CAROL = "aLiCe1VqDoAMCJYA=", "b0b/+VqDoAMCJYA=", "caroL"

CALLS = [
    Call(connection_id=ALICE, body=b"late", worthless_after_s=time.time() - 1),
    Call(connection_id=ALICE, body=b"1"),
    Call(connection_id=ALICE, body=b"due", worthless_after_s=time.time() + 3600),
    Call(connection_id=ALICE, body=b"late", worthless_after_s=0.0),
    Call(connection_id=BOB, body=b"2"),
    Call(connection_id=CAROL, body=b"late", worthless_after_s=0.0),
]
TOLD = [
    Outcome.TOO_LATE,
    Outcome.DELIVERED,
    Outcome.DELIVERED,
    Outcome.TOO_LATE,
    Outcome.DELIVERED,
    Outcome.TOO_LATE,
]


@pytest.fixture
def server() -> Iterator[ConnectionsServer]:
    with serve_connections() as running:
        yield running


@pytest.fixture
def api(server: ConnectionsServer) -> Iterator[HttpConnectionsApi]:
    made = HttpConnectionsApi(server.endpoint, region="eu-west-1", credentials=lambda: CREDENTIALS)
    yield made
    made.close()


def test_what_is_worthless_when_its_turn_comes_is_passed_over(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    assert [reply.outcome for reply in api.send_all(CALLS, timeout_s=5.0)] == TOLD

    assert server.bodies(ALICE) == [b"1", b"due"]
    assert server.bodies(CAROL) == []


def test_the_fake_passes_the_same_over() -> None:
    fake = InMemoryConnections()

    assert [reply.outcome for reply in fake.send_all(CALLS, timeout_s=5.0)] == TOLD

    assert fake.posted[ALICE] == [b"1", b"due"]


def test_what_grows_worthless_while_it_is_throttled_makes_way(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    server.statuses[ALICE].extend([429] * 4)
    soon = Call(connection_id=ALICE, body=b"typing", worthless_after_s=time.time() + 0.2)

    told = api.send_all([soon, Call(connection_id=ALICE, body=b"message")], timeout_s=5.0)

    assert [reply.outcome for reply in told] == [Outcome.TOO_LATE, Outcome.DELIVERED]
    assert server.bodies(ALICE)[-1] == b"message"
