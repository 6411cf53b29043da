"""Idempotency-Key: the same request gets its first answer again, has one effect, and a key is its user's own."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from gochat_contracts.call_metadata import IDEMPOTENCY_KEY
from gochat_contracts.logic import users_pb2, users_pb2_grpc
from tests.fakes.http_api import HttpAnswer
from tests.integration.rest.conftest import Login, Rest

NAME = {"display_name": "Alice A."}


@pytest.fixture
def alice(rest: Rest) -> Login:
    return rest.login(rest.register("alice"))


@pytest.fixture
def bob(rest: Rest) -> Any:
    return rest.register("bob")


def send(rest: Rest, login: Login, method: str, url: str, body: object = None, *, key: str | None) -> HttpAnswer:
    headers = {} if key is None else {"Idempotency-Key": key}
    return rest.api.send(method, url, token=login.token, body=body, headers=headers)


def what_matters(answer: HttpAnswer) -> tuple[int, str]:
    """Return status and body; a problem names the request that it answers, which is another one each time."""
    return answer.status, answer.text.replace(answer.headers["x-request-id"], "")


def opening(bob: Any) -> object:
    return {"type": "single", "member_ids": [bob["user_id"]]}


def test_the_same_request_with_the_same_key_gets_its_first_answer_again(rest: Rest, alice: Login, bob: Any) -> None:
    first = send(rest, alice, "POST", "/conversations/create", opening(bob), key="k-1")
    assert first.status == 201
    again = send(rest, alice, "POST", "/conversations/create", opening(bob), key="k-1")
    assert what_matters(again) == what_matters(first)
    assert send(rest, alice, "POST", "/conversations/create", opening(bob), key="k-2").status == 200


def test_an_answer_is_told_again_although_the_world_has_moved_on(rest: Rest, alice: Login) -> None:
    first = send(rest, alice, "PATCH", "/users/me", NAME, key="rename")
    send(rest, alice, "PATCH", "/users/me", {"display_name": "Alice B."}, key=None)
    again = send(rest, alice, "PATCH", "/users/me", NAME, key="rename")
    assert what_matters(again) == what_matters(first)
    assert rest.api.send("GET", "/users/me", token=alice.token).json["user"]["display_name"] == "Alice B."


def test_the_same_key_with_another_body_or_on_another_route_is_a_conflict(rest: Rest, alice: Login, bob: Any) -> None:
    first = send(rest, alice, "PATCH", "/users/me", NAME, key="k")
    for method, url, body in [
        ("PATCH", "/users/me", {"display_name": "Mallory"}),
        ("POST", "/conversations/create", opening(bob)),
        ("DELETE", "/users/me", None),
    ]:
        answer = send(rest, alice, method, url, body, key="k")
        assert (answer.status, answer.code) == (409, "idempotency_conflict")
    assert rest.api.send("GET", "/users/me", token=alice.token).json == first.json


def test_spaces_and_the_order_of_fields_make_no_other_request(rest: Rest, alice: Login) -> None:
    first = send(rest, alice, "PATCH", "/users/me", '{"display_name":"A","avatar_url":null}', key="k")
    again = send(rest, alice, "PATCH", "/users/me", '{ "avatar_url": null, "display_name": "A" }', key="k")
    assert (first.status, what_matters(again)) == (200, what_matters(first))


def test_a_key_belongs_to_its_user(rest: Rest, alice: Login) -> None:
    carol = rest.login(rest.register("carol"))
    send(rest, alice, "PATCH", "/users/me", NAME, key="k")
    answer = send(rest, carol, "PATCH", "/users/me", {"display_name": "Carol"}, key="k")
    assert (answer.status, answer.json["user"]["display_name"]) == (200, "Carol")


def test_a_refusal_is_told_again_too(rest: Rest, alice: Login) -> None:
    body = {"type": "single", "member_ids": ["1"]}
    first = send(rest, alice, "POST", "/conversations/create", body, key="k")
    assert (first.status, first.code) == (404, "user_not_found")
    insert = "INSERT INTO users (user_id, username, display_name, created_at_ms) VALUES (1, 'first', 'First', 0)"
    rest.rpc.database.transaction(lambda tx: tx.execute(insert))
    try:
        assert what_matters(send(rest, alice, "POST", "/conversations/create", body, key="k")) == what_matters(first)
        assert send(rest, alice, "POST", "/conversations/create", body, key=None).status == 201
    finally:
        rest.rpc.database.transaction(lambda tx: tx.execute("DELETE FROM users WHERE user_id = 1"))


def test_an_erased_account_hears_its_204_again_and_nothing_else(rest: Rest, alice: Login) -> None:
    assert send(rest, alice, "DELETE", "/users/me", key="bye").status == 204
    assert send(rest, alice, "DELETE", "/users/me", key="bye").status == 204
    for key in (None, "another"):
        assert send(rest, alice, "DELETE", "/users/me", key=key).status == 401
    assert send(rest, alice, "PATCH", "/users/me", NAME, key="bye").status == 401


@pytest.mark.parametrize("key", ["", "x" * 256, "kéy", "a\tb"])
def test_a_key_that_is_none_is_refused_and_changes_nothing(rest: Rest, alice: Login, key: str) -> None:
    answer = send(rest, alice, "PATCH", "/users/me", NAME, key=key)
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", ["Idempotency-Key"])
    assert rest.api.send("GET", "/users/me", token=alice.token).json["user"]["display_name"] != NAME["display_name"]


def test_requests_that_read_ignore_a_key_whatever_it_is(rest: Rest, alice: Login) -> None:
    for key in ("k", "", "x" * 300):
        assert send(rest, alice, "GET", "/users/me", key=key).status == 200


def test_many_at_once_with_one_key_have_one_effect_and_one_answer(rest: Rest, alice: Login, bob: Any) -> None:
    chat = send(rest, alice, "POST", "/conversations/create", opening(bob), key=None).json["conversation"]
    url = f"/conversations/{chat['conversation_id']}/messages"
    body = {"client_msg_id": "m-1", "type": "text", "content": {"text": "once"}}
    start = threading.Barrier(8)

    def one(_: int) -> HttpAnswer:
        start.wait()
        return send(rest, alice, "POST", url, body, key="send")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(8)))
    answered = {what_matters(answer) for answer in answers if answer.status != 503}
    assert len(answered) == 1
    assert {answer.status for answer in answers} <= {201, 503}
    assert what_matters(send(rest, alice, "POST", url, body, key="send")) in answered
    assert len(rest.api.send("GET", url, token=alice.token).json["messages"]) == 1


@pytest.mark.needs_redis
def test_a_key_costs_four_database_round_trips_and_its_repeat_three_in_all(rest: Rest, alice: Login) -> None:
    def cost(key: str | None) -> tuple[int, int]:
        before = rest.rpc.round_trips()
        assert send(rest, alice, "PATCH", "/users/me", NAME, key=key).status == 200
        after = rest.rpc.round_trips()
        return after[0] - before[0], after[1] - before[1]

    cost(None)  # opens the connections, and the cache learns of the login
    plain, keyed, again = cost(None), cost("k"), cost("k")
    assert (keyed[0] - plain[0], keyed[1] - plain[1]) == (4, 0)
    assert again == (3, 1)


def test_a_key_of_a_method_that_keeps_none_is_ignored(rest: Rest, alice: Login) -> None:
    stub = users_pb2_grpc.UserServiceStub(rest.rpc.channel)
    metadata = (("authorization", f"Bearer {alice.token}"), (IDEMPOTENCY_KEY, "k"))
    for _ in range(2):
        assert stub.GetMe(users_pb2.GetMeRequest(), metadata=metadata).user.username
    with pytest.raises(grpc.RpcError):
        stub.GetMe(users_pb2.GetMeRequest(), metadata=metadata[1:])
