from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pytest

from gochat_core.ids import single_conversation_id
from gochat_core.types import ConversationId, UserId
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from logic.conversations.create_conversation import create_single_conversation
from logic.conversations.get_conversation import access_conversation
from logic.conversations.list_conversations import list_conversations
from logic.conversations.update_conversation import update_conversation
from logic.messages.list_messages import list_messages
from logic.sync.plan_sync import LIMITS, REACH_BACK_MS, SyncCursor, SyncLimits
from tests.fixtures.bulk_chats import insert_chats, lengthen_chat
from tests.fixtures.row_reads import row_reads
from tests.fixtures.services import fresh_database
from tests.integration.messages.conftest import open_stage
from tests.integration.messages.frames import ALICE, BOB, CAROL, CHAT
from tests.integration.messages.stage import Stage
from tests.integration.sync.device import Device, Person

CHATS = 10_000
CHANGED = 20
MAX_ROUND_TRIPS = 4

_names = count()


@pytest.fixture(scope="module")
def busy(mysql_server: MySqlServer, redis_cluster: RedisCluster) -> Iterator[tuple[Stage, list[ConversationId]]]:
    """Bob has ten thousand chats."""
    with fresh_database(mysql_server, label="sync") as name, open_stage(mysql_server, redis_cluster, name) as stage:
        peers = [UserId(10_000 + number) for number in range(CHATS)]
        chats = insert_chats(stage.doors[0].database, BOB, peers, at_ms=stage.clock.now_ms() - 10 * CHATS)
        yield stage, chats


def caught_up(stage: Stage, chats: list[ConversationId]) -> Device:
    """Return a device that has everything but names 1,000 cursors only, and has been away for a while."""
    stage.clock.advance_ms(10 * REACH_BACK_MS)
    device = Device(door=stage.doors[0], user_id=BOB)
    device.cursors = {chat: SyncCursor(seq=1, change=0) for chat in chats[:1_000]}
    device.token = device.ask(token=None).token
    while True:
        answer = device.ask()
        device.token = answer.token
        if not answer.has_more:
            break
    stage.clock.advance_ms(10 * REACH_BACK_MS)
    return device


def change_some(stage: Stage, chats: list[ConversationId]) -> None:
    """Let something happen in CHANGED chats: a message, a mutation, or both."""
    for number, chat in enumerate(chats[:: len(chats) // CHANGED]):
        peer = UserId(10_000 + chats.index(chat))
        person = Person(door=stage.doors[0], user_id=peer)
        assert single_conversation_id(peer, BOB) == chat
        if number % 3 != 1:
            person.send(chat, f"m{next(_names)}", to=BOB)
        if number % 3 != 0:
            person.edit(chat, 1, f"edited {next(_names)}")


def test_what_changed_in_20_of_10_000_chats_takes_4_round_trips_and_reads_what_changed(
    busy: tuple[Stage, list[ConversationId]],
) -> None:
    stage, chats = busy
    few = chats[: CHATS // 10]
    device = caught_up(stage, chats)
    change_some(stage, few)
    database = stage.doors[0].database
    before = database.round_trips
    answer = device.ask()
    assert database.round_trips - before <= MAX_ROUND_TRIPS
    assert len(answer.conversations) == CHANGED
    reads = row_reads(database, device.ask)
    assert reads < 60 * CHANGED, "rows by key for each conversation and message, and nothing of the other 9,980"
    device = caught_up(stage, chats)
    assert row_reads(database, device.ask) < 20, "nothing changed"


def test_conversations_that_are_not_named_and_large_reactions_take_no_more_round_trips(
    busy: tuple[Stage, list[ConversationId]],
) -> None:
    stage, chats = busy
    device = caught_up(stage, chats)
    lively = chats[-1]
    peer = Person(door=stage.doors[0], user_id=UserId(10_000 + CHATS - 1))
    peer.send(lively, f"m{next(_names)}", to=BOB)
    stage.doors[0].database.transaction(
        lambda tx: tx.execute(
            "UPDATE messages SET reactions = %s WHERE conversation_id = %s",
            ('[["\U0001f44d",21,[1]]]', bytes.fromhex(lively)),
        )
    )
    change_some(stage, chats)
    database = stage.doors[0].database
    before = database.round_trips
    answer = device.ask(named=chats[:300:500])
    assert database.round_trips - before == MAX_ROUND_TRIPS
    assert len(answer.conversations) == CHANGED + 1


def test_the_first_page_of_everything_reads_a_page(busy: tuple[Stage, list[ConversationId]]) -> None:
    stage, _ = busy
    device = Device(door=stage.doors[0], user_id=BOB)
    database = stage.doors[0].database
    before = database.round_trips
    answer = device.ask()
    assert database.round_trips - before <= MAX_ROUND_TRIPS
    assert (len(answer.conversations), answer.has_more) == (LIMITS.conversations, True)
    assert row_reads(database, device.ask) < 20 * LIMITS.conversations


def test_the_first_message_since_a_token_is_found_by_halving(busy: tuple[Stage, list[ConversationId]]) -> None:
    stage, _ = busy
    database = stage.doors[0].database
    length = 60_000
    (chat,) = insert_chats(database, ALICE, [UserId(99_999)], at_ms=stage.clock.now_ms())
    lengthen_chat(database, chat, last_seq=length, step_ms=100)
    since_seq = 2_000
    device = Device(door=stage.doors[0], user_id=ALICE)
    stage.clock.advance_ms(since_seq * 100 + REACH_BACK_MS)
    device.token = device.ask().token
    stage.clock.advance_ms(length * 100)
    (told,) = device.ask().conversations
    assert (told.messages[0].seq, len(told.messages)) == (since_seq + 2, LIMITS.messages)
    assert told.has_more
    reads = row_reads(database, device.ask)
    assert reads < 12 * LIMITS.messages, f"{reads} of {length}"


def test_an_answer_stays_below_its_bytes(stage: Stage) -> None:
    people = [Person(door=stage.doors[0], user_id=UserId(number)) for number in range(500, 505)]
    stage.add_users(*(person.user_id for person in people))
    for person in people:
        for number in range(4):
            person.send(single_conversation_id(person.user_id, BOB), f"m{number}", text="x" * 8_000, to=BOB)
    device = Device(door=stage.doors[0], user_id=BOB, limits=SyncLimits(bytes=30_000))
    answer = device.ask()
    assert [len(one.messages) for one in answer.conversations] == [2], "with the last message once more, 30 kB are full"
    assert answer.conversations[0].has_more
    assert answer.has_more
    device.sync()
    for person in people:
        assert sorted(device.held[single_conversation_id(person.user_id, BOB)]) == [1, 2, 3, 4]


def test_the_history_costs_the_same_at_every_seq_both_ways(busy: tuple[Stage, list[ConversationId]]) -> None:
    stage, _ = busy
    database = stage.doors[0].database
    length = 50_000
    (chat,) = insert_chats(database, CAROL, [UserId(99_998)], at_ms=stage.clock.now_ms())
    lengthen_chat(database, chat, last_seq=length)
    for is_upwards in (True, False):
        costs = []
        for seq in (100, 10_000, length - 100):
            read = partial(
                list_messages,
                *(database, CAROL, chat),
                before_seq=seq if is_upwards else None,
                after_seq=None if is_upwards else seq,
                limit=50,
            )
            costs.append(row_reads(database, read))
        assert max(costs) - min(costs) <= 2
        assert max(costs) < 60


def test_a_thousand_conversations_are_listed_in_3_round_trips_at_most(
    busy: tuple[Stage, list[ConversationId]],
) -> None:
    database = busy[0].doors[0].database
    before = database.round_trips
    page = list_conversations(database, BOB, limit=50, cursor=None)
    assert database.round_trips - before <= 2, "one, and one more where more than 20 reacted"
    assert len(page.entries) == 50


def test_what_a_member_does_to_its_list_takes_the_same_few_round_trips(stage: Stage) -> None:
    bob, alice = (Person(door=stage.doors[0], user_id=user_id) for user_id in (BOB, ALICE))
    database = stage.doors[0].database
    stage.connect(BOB)

    def trips(work: Callable[[], object]) -> int:
        before = database.round_trips
        work()
        return database.round_trips - before

    telling = 3  # read what is to be told, find the connections that no cache knows, tick it off
    assert trips(lambda: create_single_conversation(bob.ports, BOB, ALICE)) <= 7 + telling + 1
    assert trips(lambda: create_single_conversation(bob.ports, BOB, ALICE)) == 2
    alice.send(CHAT, "m1")
    assert trips(lambda: update_conversation(bob.ports, BOB, CHAT, is_muted=True, is_pinned=None)) <= 4 + telling
    assert trips(lambda: update_conversation(bob.ports, BOB, CHAT, is_muted=True, is_pinned=None)) <= 3
    assert trips(lambda: bob.hide(CHAT)) <= 4 + telling
    assert trips(lambda: bob.hide(CHAT)) <= 4
    assert trips(lambda: access_conversation(database, BOB, CHAT)) == 1
