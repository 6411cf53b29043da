"""What breaks while people talk: nothing acknowledged is lost or doubled, and everybody hears everything in the end."""

import threading
from collections.abc import Callable

import pytest
import redis

from tests.fixtures.stage import Stage
from tests.flows.load import Talk, more_accepted, talking
from tests.flows.stock_client import Person, eventually, text_message

pytestmark = pytest.mark.timeout(400)

Somebody = Callable[[str], Person]

DATABASE_AWAY_S = 60.0


def all_heard(talk: Talk, conversation_id: str) -> Callable[[], bool]:
    """Return a condition: the receiver got every message of the conversation live, on one socket or the next."""
    return lambda: (
        talk.heard(conversation_id)
        >= {
            message["seq"]
            for message in talk.receiver.history(conversation_id)
            if message["sender_id"] == talk.sender.user_id
        }
    )


def check_all_heard(talks: list[Talk]) -> None:
    for talk in talks:
        conversation_id = talk.check_nothing_lost_or_doubled()
        eventually(all_heard(talk, conversation_id), "every message reached the open connection", within_s=60)
        talk.close()


@pytest.mark.parametrize("function", ["logic-upstream", "gateway-deliver", "gateway-websocket"])
def test_killing_a_function_in_the_middle_of_its_work_loses_and_doubles_nothing(
    stage: Stage, somebody: Somebody, function: str
) -> None:
    with talking(somebody, pairs=4) as talks:
        for _ in range(5):
            eventually(lambda: stage.kill_function(function) > 0, f"{function} is at work", within_s=60)
            eventually(more_accepted(talks, 2), f"they go on after {function} died", within_s=60)
    check_all_heard(talks)


def test_flushing_redis_under_load_changes_no_number_and_loses_no_delivery(stage: Stage, somebody: Somebody) -> None:
    with redis.Redis.from_url(stage.services["redis"]) as cache, talking(somebody, pairs=4) as talks:
        for _ in range(10):
            cache.flushall()
            eventually(more_accepted(talks, 2), "they go on after the flush", within_s=60)
    check_all_heard(talks)


def test_after_a_flush_of_redis_the_next_message_still_reaches_idle_clients_live(
    stage: Stage, alice: Person, bob: Person
) -> None:
    tablet = bob.with_device("tablet")
    with alice.connect() as at_alice, bob.connect() as at_bob, tablet.connect() as at_tablet:
        for socket in (at_alice, at_bob, at_tablet):
            socket.call("hello")
        with redis.Redis.from_url(stage.services["redis"]) as cache:
            cache.flushall()
        data = text_message("do you hear me?", to=bob.user_id)
        assert at_alice.call("message.send", data)["event"] == "ack"
        stored = at_alice.wait_event("message.stored", client_msg_id=data["client_msg_id"])["data"]
        for socket in (at_bob, at_tablet):
            assert len(socket.wait_messages(1, stored["conversation_id"])) == 1


def test_with_redis_stopped_everything_goes_on(stage: Stage, somebody: Somebody) -> None:
    with talking(somebody, pairs=3) as talks:
        stage.control("redis", "stop")
        try:
            eventually(more_accepted(talks, 5), "they go on without Redis", within_s=90)
            newcomer = somebody("dave")
            with newcomer.connect() as socket:
                assert socket.call("hello")["data"]["user_id"] == newcomer.user_id
            assert newcomer.rest.get("/conversations").json() == {"conversations": [], "next_cursor": None}
        finally:
            stage.control("redis", "restart")
        eventually(more_accepted(talks, 5), "they go on with Redis back", within_s=60)
    check_all_heard(talks)


def test_a_minute_without_mysql_loses_and_doubles_nothing(stage: Stage, somebody: Somebody) -> None:
    with talking(somebody, pairs=3) as talks:
        stage.control("mysql", "kill")
        try:
            threading.Event().wait(DATABASE_AWAY_S)
        finally:
            stage.control("mysql", "restart")
        eventually(more_accepted(talks, 5), "they go on with MySQL back", within_s=90)
    check_all_heard(talks)


def test_a_connection_dropped_in_the_middle_of_delivery_harms_nobody_and_its_person_catches_up(
    stage: Stage, somebody: Somebody
) -> None:
    with talking(somebody, pairs=3) as talks:
        for _ in range(4):
            talks[0].listen().drop()
            eventually(more_accepted(talks, 3), "they go on", within_s=60)
            talks[0].listen()
    for talk in talks[1:]:
        assert talk.heard(talk.check_nothing_lost_or_doubled()), "the others heard their messages"
    check_all_heard(talks[1:])

    dropped = talks[0]
    conversation_id = dropped.check_nothing_lost_or_doubled()
    with dropped.sender.connect() as socket:
        data = text_message("are you back?", to=dropped.receiver.user_id)
        socket.call("message.send", data)
        seq = socket.wait_event("message.stored", client_msg_id=data["client_msg_id"])["data"]["seq"]
    eventually(lambda: seq in dropped.heard(conversation_id), "the new connection hears what comes now")
    dropped.close()


def test_a_redelivered_batch_is_answered_again_and_stored_once(stage: Stage, alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        sent = [text_message(f"number {number}", to=bob.user_id) for number in range(10)]
        for data in sent:
            at_alice.call("message.send", data)
            at_alice.wait_event("message.stored", client_msg_id=data["client_msg_id"])
        conversation_id = at_alice.wait_event("message.stored")["data"]["conversation_id"]
        for data in sent:  # what Kafka does after a crash: the same records once more
            at_alice.call("message.send", data)
        eventually(
            lambda: sum(frame.get("event") == "message.stored" for frame in list(at_alice.frames)) >= 20,
            "each resend is answered",
        )
        assert len(alice.history(conversation_id)) == 10
        assert [message["seq"] for message in at_bob.wait_messages(10, conversation_id)] == list(range(1, 11))
