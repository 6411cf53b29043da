"""How fast the REST door lets somebody send, and that both doors count in the same bucket."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.websocket import wiring as websocket_wiring
from gochat_core.clock import SystemClock
from gochat_core.tokens import TokenVerifier
from gochat_core.types import ConversationId
from local_stage.services.redis import RedisCluster, start_redis
from tests.fakes.http_api import HttpAnswer
from tests.integration.rest.conftest import Login, Rest, build_rest, build_rpc

pytestmark = pytest.mark.needs_redis

BURST = 3
SLOW = {"GOCHAT_CONVERSATION_MESSAGES_PER_S": str(BURST)}
"""Both functions read the limit from the one variable."""


class Time:
    """Stands still, so that no bucket fills up while a slow machine runs a test."""

    def __init__(self) -> None:
        self.now_ms = SystemClock().now_ms()


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Stop the clock of every part."""
    time = Time()
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: time.now_ms)
    return time


@dataclasses.dataclass(kw_only=True)
class Chat:
    """Alice's chat with Bob, over a door whose limit is low."""

    rest: Rest
    alice: Login
    conversation_id: str

    def say(self, client_msg_id: str, *, key: str | None = None) -> HttpAnswer:
        body = {"client_msg_id": client_msg_id, "type": "text", "content": {"text": "hi"}}
        headers = {} if key is None else {"Idempotency-Key": key}
        url = f"/conversations/{self.conversation_id}/messages"
        return self.rest.api.send("POST", url, token=self.alice.token, body=body, headers=headers)


def open_chat(rest: Rest) -> Chat:
    alice, bob = rest.login(rest.register("alice")), rest.register("bob")
    body: Any = {"type": "single", "member_ids": [bob["user_id"]]}
    opened = rest.api.send("POST", "/conversations/create", token=alice.token, body=body)
    return Chat(rest=rest, alice=alice, conversation_id=opened.json["conversation"]["conversation_id"])


@pytest.fixture
def chat(rest: Rest) -> Chat:
    return open_chat(build_rest(build_rpc(rest.rpc.environ | SLOW, rest.secret), rest.secret))


def test_more_messages_than_a_conversation_takes_are_refused_until_there_is_room(chat: Chat) -> None:
    assert [chat.say(f"m-{number}").status for number in range(BURST)] == [201] * BURST
    answer = chat.say("m-more")
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, "rate_limited", "1")
    history = chat.rest.api.send("GET", f"/conversations/{chat.conversation_id}/messages", token=chat.alice.token)
    assert len(history.json["messages"]) == BURST


def test_both_doors_spend_from_one_bucket(chat: Chat, time: Time) -> None:
    environ = chat.rest.rpc.environ | SLOW | {"GOCHAT_CELL_ID": "g1"}
    gate = websocket_wiring.build(environ).gate
    verifier = TokenVerifier(environ["GOCHAT_TOKEN_PUBLIC_KEYS"], SystemClock())
    who = verifier.verify_access_token(chat.alice.token)
    for _ in range(BURST):
        chat_id = ConversationId(chat.conversation_id)
        assert gate.admit(who.user_id, who.session_id, conversation_id=chat_id, now_ms=time.now_ms).wait_ms == 0
    assert chat.say("m-1").code == "rate_limited"


def test_a_refusal_for_speed_is_not_kept_under_the_key(chat: Chat, time: Time) -> None:
    for number in range(BURST):
        chat.say(f"m-{number}")
    assert chat.say("m-key", key="k").status == 429
    time.now_ms += 1_000
    assert chat.say("m-key", key="k").status == 201


def test_other_requests_spend_nothing_and_the_token_costs_no_round_trip(chat: Chat) -> None:
    url = f"/conversations/{chat.conversation_id}/messages"
    for _ in range(BURST + 1):
        assert chat.rest.api.send("GET", url, token=chat.alice.token).status == 200
    before = chat.rest.rpc.cache.round_trips
    assert chat.rest.api.send("GET", url, token=chat.alice.token).status == 200
    reading = chat.rest.rpc.cache.round_trips - before
    assert reading == 1
    for number in range(BURST):
        assert chat.say(f"m-{number}").status == 201
    before = chat.rest.rpc.cache.round_trips
    assert chat.say("m-more").status == 429
    assert chat.rest.rpc.cache.round_trips - before == reading


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    cluster = start_redis(tmp_path_factory.mktemp("redis"))
    yield cluster
    cluster.stop()


def test_without_redis_nobody_is_too_fast(rest: Rest, own_redis: RedisCluster) -> None:
    own = {"GOCHAT_REDIS_HOST": own_redis.host, "GOCHAT_REDIS_PORT": str(own_redis.port)}
    chat = open_chat(build_rest(build_rpc(rest.rpc.environ | SLOW | own, rest.secret), rest.secret))
    own_redis.stop()
    assert [chat.say(f"m-{number}").status for number in range(2 * BURST)] == [201] * (2 * BURST)
