from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from gochat_contracts.logic import conversations_pb2, messages_pb2, users_pb2
from gochat_core.errors import GochatError
from gochat_core.token_signing import parse_token_secret
from gochat_repo.migrate import migrate_from
from local_stage.services.kafka import KafkaBroker
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from tests.fakes.token_keys import public_jwks
from tests.fixtures.services import fresh_database
from tests.integration.messages.rpc_people import SECRET_KEYS, Door, Person


@pytest.fixture(scope="module")
def door(mysql_server: MySqlServer, redis_cluster: RedisCluster, kafka_broker: KafkaBroker) -> Iterator[Door]:
    kafka_broker.create_topics(**{"im-task-topic": 1})
    with fresh_database(mysql_server, label="rpc") as name:
        environ = {
            "GOCHAT_STAGE": "local",
            "GOCHAT_MYSQL_HOST": mysql_server.host,
            "GOCHAT_MYSQL_PORT": str(mysql_server.port),
            "GOCHAT_MYSQL_USER": mysql_server.user,
            "GOCHAT_MYSQL_DATABASE": name,
            "GOCHAT_REDIS_HOST": redis_cluster.host,
            "GOCHAT_REDIS_PORT": str(redis_cluster.port),
            "GOCHAT_KAFKA_BOOTSTRAP": kafka_broker.address,
            "GOCHAT_TOKEN_PUBLIC_KEYS": public_jwks(parse_token_secret(SECRET_KEYS)),
            "GOCHAT_TOKEN_SECRET_ARN": "unused",
            "GOCHAT_VAPID_PUBLIC_KEY": "unused",
            "GOCHAT_MEDIA_ENDPOINT": "http://unused",
            "AWS_REGION": "us-east-1",
        }
        migrate_from(environ)
        opened = Door(environ)
        yield opened
        opened.database.close()


@pytest.fixture
def people(door: Door) -> tuple[Person, Person, Person]:
    return door.person("alice"), door.person("bob"), door.person("carol")


def refusal(work: Any) -> str:
    with pytest.raises(GochatError) as raised:
        work()
    return raised.value.code


def ids(page: Any) -> list[str]:
    return [one.conversation_id for one in page.conversations]


People = tuple[Person, Person, Person]


def test_the_same_pair_has_one_chat_whoever_opens_it(people: People) -> None:
    alice, bob, _ = people
    first, again = alice.open_chat(bob), bob.open_chat(alice)
    assert (first.created, again.created) == (True, False)
    assert first.conversation.conversation_id == again.conversation.conversation_id
    assert str(first.conversation.peer.user_id) == bob.user_id
    assert str(again.conversation.peer.user_id) == alice.user_id
    assert (first.conversation.member_count, first.conversation.last_seq) == (2, 0)
    assert not first.conversation.HasField("last_message")


@pytest.mark.parametrize(
    ("type_", "members", "code"),
    [
        ("single", ["404"], "user_not_found"),
        ("single", ["nobody"], "user_not_found"),
        ("single", [], "invalid_request"),
        ("single", ["1", "2"], "invalid_request"),
        ("group", ["1"], "invalid_request"),
    ],
)
def test_chats_that_cannot_be(people: People, type_: str, members: Sequence[str], code: str) -> None:
    alice = people[0]
    request = conversations_pb2.CreateConversationRequest(type=type_, member_ids=members)
    assert refusal(lambda: alice.call(alice.door.conversations.CreateConversation, request)) == code


def test_nobody_chats_with_oneself(people: People) -> None:
    assert refusal(lambda: people[0].open_chat(people[0])) == "invalid_request"


def test_nobody_opens_a_chat_with_an_erased_account(people: People) -> None:
    alice, bob, _ = people
    chat = alice.open_chat(bob).conversation.conversation_id
    bob.call(bob.door.users.DeleteMe, users_pb2.DeleteMeRequest())
    assert refusal(lambda: people[2].open_chat(bob)) == "user_not_found"
    assert refusal(lambda: alice.send(chat, "m1")) == "user_not_found"
    assert alice.conversation(chat).peer.username == ""


def test_a_message_is_stored_once_and_answered_alike(people: People) -> None:
    alice, bob, _ = people
    chat = alice.open_chat(bob).conversation.conversation_id
    first = alice.send(chat, "m1", mentions=[bob.user_id])
    again = alice.send(chat, "m1", mentions=[bob.user_id])
    assert (first.created, again.created) == (True, False)
    assert first.message == again.message
    assert (first.message.seq, first.message.content, list(first.message.mentions)) == (
        1,
        b'{"text":"hello"}',
        [bob.user_id],
    )
    assert refusal(lambda: alice.send(chat, "m1", "other")) == "client_msg_id_conflict"
    assert alice.history(chat) == ([1], False)


@pytest.mark.parametrize(("chat", "code"), [("ab" * 16, "conversation_not_found"), ("no-id", "conversation_not_found")])
def test_an_unknown_conversation_is_not_found_at_any_door(people: People, chat: str, code: str) -> None:
    alice = people[0]
    for work in (
        lambda: alice.send(chat, "m1"),
        lambda: alice.history(chat),
        lambda: alice.conversation(chat),
        lambda: alice.read(chat, 1),
    ):
        assert refusal(work) == code


def test_an_outsider_cannot_tell_a_chat_from_a_missing_one(people: People) -> None:
    alice, bob, carol = people
    chat = alice.open_chat(bob).conversation.conversation_id
    alice.send(chat, "m1")
    for work in (
        lambda: carol.send(chat, "m1"),
        lambda: carol.history(chat),
        lambda: carol.conversation(chat),
        lambda: carol.read(chat, 1),
    ):
        assert refusal(work) == "conversation_not_found"
    assert ids(carol.conversations()) == []


def test_bad_messages_are_refused_with_their_faults(people: People) -> None:
    alice, bob, _ = people
    chat = alice.open_chat(bob).conversation.conversation_id
    request = messages_pb2.SendMessageRequest(
        conversation_id=chat, client_msg_id="no spaces", type="text", content=b"{}"
    )
    with pytest.raises(GochatError) as raised:
        alice.call(alice.door.messages.SendMessage, request)
    assert raised.value.code == "invalid_request"
    assert {fault.field for fault in raised.value.faults} == {"client_msg_id", "content.text"}


def test_the_history_is_paged_both_ways(people: People) -> None:
    alice, bob, _ = people
    chat = alice.open_chat(bob).conversation.conversation_id
    for number in range(7):
        alice.send(chat, f"m{number}")
    assert bob.history(chat, limit=3) == ([5, 6, 7], True)
    assert bob.history(chat, limit=3, before_seq=5) == ([2, 3, 4], True)
    assert bob.history(chat, limit=3, before_seq=2) == ([1], False)
    assert bob.history(chat, limit=3, after_seq=0) == ([1, 2, 3], True)
    assert bob.history(chat, limit=4, after_seq=3) == ([4, 5, 6, 7], False)
    assert bob.history(chat, limit=4, after_seq=7) == ([], False)
    assert bob.history(chat, before_seq=2**64 - 1) == ([1, 2, 3, 4, 5, 6, 7], False)
    assert refusal(lambda: bob.history(chat, before_seq=3, after_seq=1)) == "invalid_request"
    assert refusal(lambda: bob.history(chat, limit=101)) == "invalid_request"


def test_unread_counts_follow_from_cursors(people: People) -> None:
    alice, bob, _ = people
    chat = alice.open_chat(bob).conversation.conversation_id
    for number in range(3):
        alice.send(chat, f"m{number}")
    assert (bob.conversation(chat).unread_count, alice.conversation(chat).unread_count) == (3, 0)
    assert bob.read(chat, 2) == (2, 1)
    assert bob.read(chat, 1) == (2, 1), "never back"
    assert bob.read(chat, 99) == (3, 0), "beyond the end is the end"
    assert alice.conversation(chat).peer_read_seq == 3
    assert alice.conversation(chat).peer_delivered_seq == 3
    bob.send(chat, "reply")
    assert (bob.conversation(chat).unread_count, alice.conversation(chat).unread_count) == (0, 1)
    assert bob.conversation(chat).read_seq == 4, "what one sends counts as read"
    assert alice.conversation(chat).peer_read_seq == 3, "but moves no receipt"


def test_the_list_shows_the_newest_activity_first_and_its_last_message(people: People) -> None:
    alice, bob, carol = people
    with_bob = alice.open_chat(bob).conversation.conversation_id
    with_carol = alice.open_chat(carol).conversation.conversation_id
    bob.send(with_bob, "m1", "to you")
    carol.send(with_carol, "m1")
    bob.send(with_bob, "m2", "again")
    page = alice.conversations()
    assert ids(page) == [with_bob, with_carol]
    assert (page.conversations[0].last_message.seq, page.conversations[0].last_message.content) == (
        2,
        b'{"text":"again"}',
    )
    assert [one.unread_count for one in page.conversations] == [2, 1]
    assert not page.HasField("next_cursor")


def test_the_list_is_paged_without_gaps_or_repeats(people: People, door: Door) -> None:
    alice = people[0]
    chats = {alice.open_chat(door.person(f"p{number}")).conversation.conversation_id for number in range(7)}
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = alice.conversations(limit=2, cursor=cursor)
        seen += ids(page)
        cursor = page.next_cursor if page.HasField("next_cursor") else None
    assert cursor is None
    assert len(seen) == 7
    assert set(seen) == chats
    assert refusal(lambda: alice.conversations(cursor="made-up")) == "invalid_request"
