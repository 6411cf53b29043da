"""The contract of ConnectionsApi, held by the in-memory fake and by the real one over HTTP and TLS; then HTTP's own."""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gochat_aws.connections_api import MAX_POST_BYTES, Call, ConnectionsApi, HttpConnectionsApi, Outcome, count_outcomes
from gochat_aws.sigv4 import Credentials
from tests.fakes.connections import InMemoryConnections
from tests.fakes.connections_server import ConnectionsServer, make_certificate, serve_connections

CREDENTIALS = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="secret", session_token="token")
ALICE, BOB, CAROL = "aLiCe1VqDoAMCJYA=", "b0b/+VqDoAMCJYA=", "caroL"


@dataclass
class Stage:
    """An API together with a way to see what arrived and to end connections."""

    api: ConnectionsApi
    server: ConnectionsServer | None = None
    fake: InMemoryConnections | None = None

    def bodies(self, connection_id: str) -> list[bytes]:
        if self.server:
            return self.server.bodies(connection_id)
        assert self.fake
        return self.fake.posted[connection_id]

    def end(self, connection_id: str) -> None:
        (self.server or self.fake).gone.add(connection_id)  # type: ignore[union-attr]  # one of the two is there


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    folder: Path = tmp_path_factory.mktemp("tls")
    return make_certificate(folder)


@pytest.fixture
def server() -> Iterator[ConnectionsServer]:
    with serve_connections() as running:
        yield running


@pytest.fixture
def api(server: ConnectionsServer) -> Iterator[HttpConnectionsApi]:
    made = connect(server)
    yield made
    made.close()


def connect(server: ConnectionsServer, context: ssl.SSLContext | None = None) -> HttpConnectionsApi:
    return HttpConnectionsApi(
        server.endpoint, region="eu-west-1", credentials=lambda: CREDENTIALS, attempt_timeout_s=0.3, context=context
    )


@pytest.fixture(params=["fake", "http", "https"])
def stage(request: pytest.FixtureRequest, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Stage]:
    if request.param == "fake":
        fake = InMemoryConnections()
        yield Stage(api=fake, fake=fake)
        return
    tls = request.param == "https"
    with serve_connections(contexts[0] if tls else None) as server:
        api = connect(server, contexts[1] if tls else None)
        yield Stage(api=api, server=server)
        api.close()


def outcomes(api: ConnectionsApi, *calls: Call, timeout_s: float = 5.0) -> list[Outcome]:
    return [reply.outcome for reply in api.send_all(calls, timeout_s=timeout_s)]


def post(connection_id: str, body: bytes = b"{}", *, retry_gone_until_s: float = 0.0) -> Call:
    return Call(connection_id=connection_id, body=body, retry_gone_until_s=retry_gone_until_s)


def test_posts_to_one_connection_arrive_in_their_order_and_all_are_told_delivered(stage: Stage) -> None:
    calls = [post(who, f"{number}".encode()) for number in range(40) for who in (ALICE, BOB, CAROL)]

    assert outcomes(stage.api, *calls) == [Outcome.DELIVERED] * 120

    for who in (ALICE, BOB, CAROL):
        assert stage.bodies(who) == [f"{number}".encode() for number in range(40)]


def test_what_follows_for_a_connection_that_is_gone_is_not_sent_and_harms_nobody(stage: Stage) -> None:
    stage.end(ALICE)

    told = outcomes(stage.api, post(ALICE), post(BOB, b"1"), post(ALICE), post(BOB, b"2"))

    assert told == [Outcome.GONE, Outcome.DELIVERED, Outcome.GONE, Outcome.DELIVERED]
    assert stage.bodies(BOB) == [b"1", b"2"]


def test_a_connection_is_ended_after_its_last_post(stage: Stage) -> None:
    told = outcomes(stage.api, post(ALICE, b"bye"), Call(connection_id=ALICE, method="DELETE"), post(BOB))

    assert told == [Outcome.DELIVERED] * 3
    assert stage.bodies(ALICE) == [b"bye"]
    assert outcomes(stage.api, post(ALICE)) == [Outcome.GONE]


def test_more_than_128_kib_is_too_large_and_the_next_post_goes_out(stage: Stage) -> None:
    largest, larger = b"x" * MAX_POST_BYTES, b"x" * (MAX_POST_BYTES + 1)

    assert outcomes(stage.api, post(ALICE, larger), post(ALICE, largest)) == [Outcome.TOO_LARGE, Outcome.DELIVERED]

    assert stage.bodies(ALICE) == [largest]


def test_an_id_that_no_path_can_carry_is_nobodys(stage: Stage) -> None:
    assert outcomes(stage.api, post(".."), post(""), post(BOB)) == [
        Outcome.GONE,
        Outcome.GONE,
        Outcome.DELIVERED,
    ]


def test_nothing_to_send_is_nothing_done(stage: Stage) -> None:
    assert stage.api.send_all([], timeout_s=1.0) == []


def test_asking_for_a_connection_tells_whether_it_is_there(stage: Stage) -> None:
    stage.end(BOB)

    assert outcomes(stage.api, *(Call(connection_id=who, method="GET") for who in (ALICE, BOB))) == [
        Outcome.DELIVERED,
        Outcome.GONE,
    ]


def test_a_get_brings_what_api_gateway_knows(server: ConnectionsServer, api: HttpConnectionsApi) -> None:
    for server.chunked in (False, True):
        reply = api.send_all([Call(connection_id=ALICE, method="GET")], timeout_s=5.0)[0]

        assert reply.body == b'{"connectedAt":"2026-11-23T07:00:00Z"}'


def test_throttling_and_failures_are_tried_again_in_order(server: ConnectionsServer, api: HttpConnectionsApi) -> None:
    server.statuses[ALICE].extend([429, 500, 200, 503])

    assert outcomes(api, post(ALICE, b"1"), post(ALICE, b"2"), post(BOB)) == [Outcome.DELIVERED] * 3

    assert server.bodies(ALICE) == [b"1", b"1", b"1", b"2", b"2"]


def test_what_stays_throttled_is_for_later_with_all_that_follows_it(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    server.statuses[ALICE].extend([200] + [429] * 100)

    told = outcomes(api, post(ALICE, b"1"), post(ALICE, b"2"), post(ALICE, b"3"), post(BOB), timeout_s=0.6)

    assert told == [Outcome.DELIVERED, Outcome.RETRY_LATER, Outcome.RETRY_LATER, Outcome.DELIVERED]
    assert 3 <= len(server.bodies(ALICE)) <= 8, "it backs off"


def test_another_refusal_is_told_and_the_next_post_goes_out(server: ConnectionsServer, api: HttpConnectionsApi) -> None:
    server.statuses[ALICE].extend([403, 413])

    told = outcomes(api, post(ALICE), post(ALICE), post(ALICE))

    assert told == [Outcome.REFUSED, Outcome.TOO_LARGE, Outcome.DELIVERED]


def test_an_id_that_api_gateway_calls_invalid_is_gone(server: ConnectionsServer, api: HttpConnectionsApi) -> None:
    server.statuses[ALICE].append(400)

    assert outcomes(api, post(ALICE, retry_gone_until_s=time.time() + 5)) == [Outcome.GONE]


def test_a_young_connection_that_is_not_there_yet_is_tried_until_it_is(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    server.statuses[ALICE].extend([410, 410, 200])

    assert outcomes(api, post(ALICE, retry_gone_until_s=time.time() + 5)) == [Outcome.DELIVERED]
    assert len(server.bodies(ALICE)) == 3


def test_a_young_connection_that_never_comes_is_gone_in_the_end(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    server.gone.add(ALICE)

    assert outcomes(api, post(ALICE, retry_gone_until_s=time.time() + 0.4)) == [Outcome.GONE]
    assert len(server.bodies(ALICE)) >= 2


def test_posts_to_different_connections_run_at_once_and_those_to_one_never(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    server.delay_s = 0.02
    calls = [post(f"connection-{number % 50}") for number in range(100)]

    began_s = time.monotonic()
    told = outcomes(api, *calls)

    assert told == [Outcome.DELIVERED] * 100
    assert time.monotonic() - began_s < 1.0, "one after the other they would take 2 s"
    assert server.overlapped == set()


def test_connections_are_kept_from_one_batch_to_the_next_and_bounded(server: ConnectionsServer) -> None:
    api = HttpConnectionsApi(server.endpoint, region="eu-west-1", credentials=lambda: CREDENTIALS, max_connections=4)

    for _ in range(3):
        assert set(outcomes(api, *(post(f"c{n}") for n in range(200)))) == {Outcome.DELIVERED}

    assert api.opened == server.opened <= 4
    api.close()


def test_kept_connections_that_were_closed_meanwhile_cost_no_post(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    outcomes(api, *(post(f"c{n}") for n in range(20)))
    server.close_kept()
    server.received.clear()

    assert outcomes(api, *(post(f"c{n}") for n in range(20))) == [Outcome.DELIVERED] * 20
    assert len(server.received) == 20


def test_a_kept_connection_that_breaks_under_a_post_is_replaced_at_once(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    outcomes(api, post(ALICE))
    server.drop = 1

    began_s = time.monotonic()
    assert outcomes(api, post(ALICE)) == [Outcome.DELIVERED]

    assert time.monotonic() - began_s < 0.1


def test_a_fresh_connection_that_breaks_is_tried_again(server: ConnectionsServer, api: HttpConnectionsApi) -> None:
    server.drop = 2

    assert outcomes(api, post(ALICE), post(ALICE)) == [Outcome.DELIVERED] * 2


def test_silence_is_cut_off_and_tried_again_until_the_time_is_over(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    server.silent = True

    assert outcomes(api, post(ALICE), timeout_s=0.8) == [Outcome.RETRY_LATER]

    server.silent = False
    assert outcomes(api, post(ALICE)) == [Outcome.DELIVERED]


def test_an_endpoint_that_closes_after_each_answer_is_served_all_the_same(
    server: ConnectionsServer, api: HttpConnectionsApi
) -> None:
    server.say_close = True

    assert outcomes(api, *(post(f"c{n}") for n in range(10))) == [Outcome.DELIVERED] * 10
    assert server.opened == 10


def test_nobody_at_the_endpoint_is_for_later() -> None:
    api = HttpConnectionsApi("http://127.0.0.1:1/local", region="eu-west-1", credentials=lambda: CREDENTIALS)

    assert outcomes(api, post(ALICE), post(BOB), timeout_s=0.4) == [Outcome.RETRY_LATER] * 2


def test_a_certificate_that_nobody_vouches_for_is_never_posted_to(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    with serve_connections(contexts[0]) as server:
        api = connect(server, ssl.create_default_context())

        assert outcomes(api, post(ALICE), timeout_s=0.4) == [Outcome.RETRY_LATER]

        assert server.received == []
        api.close()


def test_outcomes_are_counted_by_name(server: ConnectionsServer, api: HttpConnectionsApi) -> None:
    server.gone.add(BOB)

    assert count_outcomes(api.send_all([post(ALICE), post(BOB), post(BOB)], timeout_s=5)) == {"delivered": 1, "gone": 2}
