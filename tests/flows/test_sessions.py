"""Seed flow 2 and the handshake, through the deployed local stage."""

import base64
import json
import time

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.flows.stock_client import PASSWORD, Person, Socket, text_message

pytestmark = pytest.mark.timeout(300)

REVOKED_WITHIN_S = 5.0
"""Promise 7."""


def refused_handshake(person: Person, *, token: str | None = None, query: str = "") -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with pytest.raises(InvalidStatus) as refused, connect(person.websocket_url + query, additional_headers=headers):
        pass
    return refused.value.response.status_code


def test_a_browser_opens_with_the_token_as_subprotocol(alice: Person) -> None:
    subprotocols = [Subprotocol("gochat.v1"), Subprotocol(f"bearer.{alice.tokens['access_token']}")]
    with Socket(connect(alice.websocket_url, subprotocols=subprotocols)) as socket:
        assert socket.connection.subprotocol == "gochat.v1"
        assert socket.call("hello")["data"]["user_id"] == alice.user_id


def test_a_ticket_opens_one_connection(alice: Person) -> None:
    ticket = alice.rest.post("/auth/ticket").json()["ticket"]
    with Socket(connect(f"{alice.websocket_url}?ticket={ticket}")) as socket:
        assert socket.call("hello")["data"]["user_id"] == alice.user_id
    assert refused_handshake(alice, query=f"?ticket={ticket}") in (401, 403)


def test_a_handshake_without_a_good_token_is_refused(alice: Person) -> None:
    good = alice.tokens["access_token"]
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = "1"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    assert refused_handshake(alice) in (401, 403)
    for token in ("", "x", f"{head}.{forged}.{signature}", f"{unsigned}.{forged}.", alice.tokens["refresh_token"]):
        assert refused_handshake(alice, token=token) in (401, 403), token


def test_a_second_connection_of_a_device_replaces_the_first(alice: Person, bob: Person) -> None:
    with alice.connect() as first:
        first.call("hello")
        with alice.connect() as second:
            second.call("hello")
            first.wait_event("session.replaced")
            assert first.wait_closed() == 1000
            with bob.connect() as at_bob:
                at_bob.call("message.send", text_message("still there?", to=alice.user_id))
                conversation_id = at_bob.wait_event("message.stored")["data"]["conversation_id"]
            assert len(second.wait_messages(1, conversation_id)) == 1


def test_logging_out_stops_rest_the_handshake_and_the_open_connection(alice: Person) -> None:
    with alice.connect() as socket:
        socket.call("hello")
        before = time.monotonic()
        assert alice.rest.post("/auth/logout").status_code == 204
        socket.wait_event("session.revoked", within_s=REVOKED_WITHIN_S)
        socket.wait_closed(within_s=REVOKED_WITHIN_S)
        assert time.monotonic() - before < REVOKED_WITHIN_S + 1
    answer = alice.rest.get("/users/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert refused_handshake(alice, token=alice.tokens["access_token"]) in (401, 403)
    refreshed = alice.open.post("/auth/refresh", json={"refresh_token": alice.tokens["refresh_token"]})
    assert refreshed.status_code == 401


def test_a_reused_refresh_token_revokes_the_whole_family(alice: Person) -> None:
    stolen = alice.tokens["refresh_token"]
    rotated = alice.open.post("/auth/refresh", json={"refresh_token": stolen})
    assert rotated.status_code == 200
    alice.tokens = rotated.json()
    with alice.connect() as socket:
        socket.call("hello")
        assert alice.open.post("/auth/refresh", json={"refresh_token": stolen}).status_code == 401
        socket.wait_closed(within_s=REVOKED_WITHIN_S)
    assert alice.rest.get("/users/me").status_code == 401


def test_a_lost_refresh_answer_is_given_again_under_the_same_key(alice: Person) -> None:
    body = {"refresh_token": alice.tokens["refresh_token"]}
    first = alice.open.post("/auth/refresh", json=body, headers={"Idempotency-Key": "try-1"})
    again = alice.open.post("/auth/refresh", json=body, headers={"Idempotency-Key": "try-1"})
    assert (first.status_code, again.status_code) == (200, 200)
    for token in ("access_token", "refresh_token"):
        assert first.json()[token] == again.json()[token]


def test_changing_the_password_ends_every_other_login(alice: Person) -> None:
    tablet = alice.with_device("tablet")
    wrong = alice.rest.post("/auth/password", json={"old_password": "not mine at all", "new_password": "x" * 12})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    with tablet.connect() as at_tablet:
        at_tablet.call("hello")
        changed = alice.rest.post("/auth/password", json={"old_password": PASSWORD, "new_password": "a new one 42"})
        assert changed.status_code == 204
        at_tablet.wait_closed(within_s=REVOKED_WITHIN_S)
    assert tablet.rest.get("/users/me").status_code == 401
    assert alice.rest.get("/users/me").status_code == 200


def test_sessions_are_listed_and_one_is_revoked(alice: Person) -> None:
    tablet = alice.with_device("tablet")
    sessions = alice.rest.get("/auth/sessions").json()["sessions"]
    assert {session["device_id"] for session in sessions} == {"phone", "tablet"}
    (other,) = [session for session in sessions if session["device_id"] == "tablet"]
    assert alice.rest.delete(f"/auth/sessions/{other['session_id']}").status_code == 204
    assert tablet.rest.get("/users/me").status_code == 401
    missing = alice.rest.delete("/auth/sessions/12345")
    assert (missing.status_code, missing.json()["code"]) == (404, "session_not_found")


def test_guessing_a_password_is_stopped_and_told_when_to_go_on(alice: Person) -> None:
    guess = {"username": alice.username, "password": "wrong-wrong", "device_id": "d", "platform": "web"}
    codes = [alice.open.post("/auth/login", json=guess).json()["code"] for _ in range(11)]
    assert codes == ["invalid_credentials"] * 10 + ["too_many_attempts"]
    stopped = alice.open.post("/auth/login", json={**guess, "password": PASSWORD})
    assert stopped.status_code == 429
    assert int(stopped.headers["retry-after"]) > 0


def test_an_erased_account_is_gone_but_its_messages_stay(alice: Person, bob: Person) -> None:
    with alice.connect() as socket:
        socket.call("message.send", text_message("remember me", to=bob.user_id))
        conversation_id = socket.wait_event("message.stored")["data"]["conversation_id"]
        assert alice.rest.delete("/users/me").status_code == 204
        socket.wait_closed(within_s=REVOKED_WITHIN_S)
    assert [message["content"] for message in bob.history(conversation_id)] == [{"text": "remember me"}]
    assert bob.rest.get(f"/users/{alice.user_id}").json()["code"] == "user_not_found"
    again = alice.open.post(
        "/auth/login",
        json={"username": alice.username, "password": PASSWORD, "device_id": "d", "platform": "web"},
    )
    assert again.json()["code"] == "invalid_credentials"


def test_every_refusal_is_a_problem_document_with_its_request_id(alice: Person) -> None:
    def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
        body: dict[str, object] = answer.json()
        assert body["code"] == code
        assert body["status"] == status
        assert body["request_id"] == answer.headers["x-request-id"]
        return body

    faults = problem(
        alice.open.post("/auth/register", json={"username": "A b", "password": "short"}), 400, "invalid_request"
    )
    listed = faults["errors"]
    assert isinstance(listed, list)
    assert {fault["field"] for fault in listed} == {"username", "password"}
    problem(alice.open.post("/auth/register", content=b"{"), 400, "invalid_request")
    problem(
        alice.open.post("/auth/register", json={"username": alice.username.upper(), "password": PASSWORD}),
        409,
        "username_taken",
    )
    with httpx.Client(base_url=f"{alice.http_url}/api/v1") as nobody:
        problem(nobody.get("/users/me"), 401, "unauthenticated")
        problem(nobody.get("/nowhere"), 404, "not_found")
    problem(alice.rest.get("/users/abc"), 404, "user_not_found")
    problem(alice.rest.get("/conversations", params={"limit": "0"}), 400, "invalid_request")
    problem(alice.rest.get("/conversations", params={"cursor": "tampered"}), 400, "invalid_request")
