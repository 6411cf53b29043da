import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from gochat_core.errors import Blocked, NotFriends
from gochat_core.ids import IdMaker
from gochat_core.types import UserId
from gochat_repo.conversations import lock_conversations
from gochat_repo.friendships import delete_friendship, insert_friendship
from gochat_repo.mysql import Transaction
from gochat_repo.presence import Presence
from logic.contacts.block_user import block_user, unblock_user
from logic.contacts.ports import ContactPorts
from logic.contacts.remove_friend import remove_friend
from logic.pipeline.store_commands import CommandStore
from tests.integration.messages.frames import (
    ALICE,
    BOB,
    CAROL,
    CHAT,
    LAPTOP,
    act,
    command,
    delivered,
    edit,
    frame,
    react,
    read,
    recall,
    typing,
    unreact,
)
from tests.integration.messages.stage import Door, Stage

FRIENDS_ONLY = partial(CommandStore, contacts_only=True)


def ports_of(door: Door) -> ContactPorts:
    return ContactPorts(
        database=door.database,
        announcer=door.announcer,
        clock=door.clock,
        ids=IdMaker(door.clock),
        presence=Presence(door.database, door.cache),
    )


def refusals(stage: Stage, user_id: UserId) -> list[tuple[str, str]]:
    """Return what a sender was refused since the last time, with the codes."""
    told = [
        *((one["client_msg_id"], one["code"]) for one in stage.told(user_id, "message.rejected")),
        *((one["action"], one["code"]) for one in stage.told(user_id, "request.rejected")),
    ]
    stage.producer.records.clear()
    return told


@pytest.fixture
def blocked(stage: Stage) -> Stage:
    """Give Alice and Bob a chat with a message of each; then Bob blocks Alice."""
    for user_id in (ALICE, BOB):
        stage.connect(user_id)
    stage.doors[0].apply(frame("a1"), frame("b1", sender=BOB, peer=ALICE))
    block_user(ports_of(stage.doors[0]), BOB, ALICE)
    stage.producer.records.clear()
    return stage


def test_a_blocked_senders_messages_are_refused_over_both_doors(blocked: Stage) -> None:
    door = blocked.doors[0]
    door.apply(frame("a2"), frame("a3", names_peer=False))
    assert refusals(blocked, ALICE) == [("a2", "blocked"), ("a3", "blocked")]
    with pytest.raises(Blocked):
        door.send_over_rest("a4")
    assert blocked.stored() == [(1, "a1"), (2, "b1")]


def test_a_blocked_sender_cannot_begin_a_chat(stage: Stage) -> None:
    stage.connect(ALICE)
    block_user(ports_of(stage.doors[0]), BOB, ALICE)
    stage.doors[0].apply(frame("a1"))
    assert refusals(stage, ALICE) == [("a1", "blocked")]
    assert stage.rows("SELECT 1 FROM conversations") == []


def test_what_was_stored_before_the_block_is_answered_as_it_was(blocked: Stage) -> None:
    blocked.doors[0].apply(frame("a1"))
    assert [one["seq"] for one in blocked.told(ALICE, "message.stored")] == [1]
    sent = blocked.doors[0].send_over_rest("a1")
    assert (sent.message.seq, sent.is_new) == (1, False)


def test_a_block_has_one_direction(blocked: Stage) -> None:
    blocked.doors[0].apply(frame("b2", sender=BOB, peer=ALICE))
    assert len(blocked.told(ALICE, "message.new")) == 1
    assert blocked.stored()[-1] == (3, "b2")


def test_a_block_of_both_stops_both(blocked: Stage) -> None:
    block_user(ports_of(blocked.doors[0]), ALICE, BOB)
    blocked.doors[0].apply(frame("a2"), frame("b2", sender=BOB, peer=ALICE))
    assert refusals(blocked, BOB) == [("b2", "blocked")]
    assert len(blocked.stored()) == 2


def test_an_unblocked_sender_is_heard_again(blocked: Stage) -> None:
    unblock_user(ports_of(blocked.doors[0]), BOB, ALICE)
    blocked.doors[0].apply(frame("a2"))
    assert len(blocked.told(BOB, "message.new")) == 1


def test_nothing_new_can_be_said_by_editing_or_reacting(blocked: Stage) -> None:
    blocked.doors[0].apply(edit(1, "read this"), react(2, by=ALICE))
    assert refusals(blocked, ALICE) == [("message.edit", "blocked"), ("reaction.add", "blocked")]
    assert blocked.message(1).content == b'{"text":"hello"}'
    assert blocked.message(2).reactions == ()


def test_what_was_said_can_still_be_taken_back(stage: Stage) -> None:
    for user_id in (ALICE, BOB):
        stage.connect(user_id)
    door = stage.doors[0]
    door.apply(frame("a1"), frame("b1", sender=BOB, peer=ALICE), react(2, by=ALICE))
    block_user(ports_of(door), BOB, ALICE)
    stage.producer.records.clear()
    door.apply(recall(1), unreact(2, by=ALICE), edit(1, "hello"))
    assert refusals(stage, ALICE) == [("message.edit", "message_not_found")]
    assert stage.message(1).recalled_at_ms is not None
    assert stage.message(2).reactions == ()


@pytest.mark.parametrize("who", [ALICE, BOB])
def test_neither_typing_nor_receipts_pass_between_the_two(blocked: Stage, who: UserId) -> None:
    blocked.connect(who, LAPTOP)
    blocked.doors[0].apply(typing(by=who), delivered(2, by=who), read(2, by=who))
    peer = BOB if who == ALICE else ALICE
    assert blocked.told(peer, "typing") == blocked.told(peer, "receipt") == []
    own = blocked.told(who, "receipt")
    assert [one["read_seq"] for one in own] == [2], "the reader's other devices hear of it"


def test_a_group_knows_no_blocks(blocked: Stage) -> None:
    group = blocked.add_group([ALICE, BOB, CAROL])
    blocked.doors[0].apply(act(command("g1", conversation_id=group)), typing(by=ALICE, chat=group))
    assert len(blocked.told(BOB, "message.new")) == len(blocked.told(BOB, "typing")) == 1


def test_a_block_takes_effect_with_its_answer(stage: Stage) -> None:
    door, other = stage.doors[0], stage.open_door()
    door.apply(frame("a0"))
    under_way, refused = threading.Event(), threading.Event()

    def send_on() -> None:
        for number in range(1, 1_000):
            try:
                other.send_over_rest(f"m{number}")
                under_way.set()
            except Blocked:
                refused.set()
                return

    sender = threading.Thread(target=send_on)
    sender.start()
    assert under_way.wait(30)
    block_user(ports_of(door), BOB, ALICE)
    at_the_answer = stage.stored()
    assert refused.wait(30)
    sender.join()
    assert stage.stored() == at_the_answer


@pytest.mark.parametrize("what", [block_user, remove_friend])
def test_a_message_that_is_being_stored_is_stored_before_a_block_or_the_end_of_a_friendship(
    stage: Stage, what: Callable[[ContactPorts, UserId, UserId], None]
) -> None:
    door, other = stage.doors[0], stage.open_door()
    door.apply(frame("a0"))
    waiting: list[Future[None]] = []

    def store(tx: Transaction) -> None:
        lock_conversations(tx, [CHAT])
        waiting.append(pool.submit(what, ports_of(other), BOB, ALICE))
        with pytest.raises(TimeoutError):
            waiting[0].result(timeout=0.3)

    with ThreadPoolExecutor(1) as pool:
        door.database.transaction(store)
        waiting[0].result(timeout=10)


# Friends only


@pytest.fixture
def friendly(stage: Stage) -> Door:
    """Open a door of a deployment where friends alone may write; Alice and Bob are friends, Carol is none of theirs."""
    for user_id in (ALICE, BOB, CAROL):
        stage.connect(user_id)
    door = stage.open_door(store_class=FRIENDS_ONLY)
    door.database.transaction(lambda tx: insert_friendship(tx, ALICE, BOB, now_ms=1))
    return door


def test_where_friends_alone_may_write_strangers_are_refused_over_both_doors(stage: Stage, friendly: Door) -> None:
    stage.doors[0].apply(frame("c1", sender=CAROL, peer=ALICE))
    stage.producer.records.clear()
    friendly.apply(frame("a1"), frame("c2", sender=CAROL, peer=ALICE), frame("c3", sender=CAROL, peer=BOB))
    assert refusals(stage, CAROL) == [("c2", "not_friends"), ("c3", "not_friends")]
    assert stage.stored() == [(1, "a1")]
    friendly.send_over_rest("a2")
    friendly.database.transaction(lambda tx: delete_friendship(tx, ALICE, BOB))
    with pytest.raises(NotFriends):
        friendly.send_over_rest("a3")
    assert friendly.send_over_rest("a2").message.seq == 2, "a resend is answered as the first was"


def test_where_friends_alone_may_write_a_block_is_told_as_one_and_groups_are_open(stage: Stage, friendly: Door) -> None:
    block_user(ports_of(friendly), BOB, ALICE)
    group = stage.add_group([ALICE, CAROL])
    friendly.apply(frame("a1"), act(command("g1", conversation_id=group)))
    assert refusals(stage, ALICE) == [("a1", "blocked")]
    assert stage.stored(group) == [(1, "g1")]


@pytest.mark.needs_redis
@pytest.mark.parametrize("classes", [{}, {"store_class": FRIENDS_ONLY}])
def test_looking_for_blocks_costs_no_round_trip(stage: Stage, classes: dict[str, Any]) -> None:
    door = stage.open_door(**classes)
    door.database.transaction(lambda tx: insert_friendship(tx, ALICE, BOB, now_ms=1))
    door.apply(frame("a1"))  # opens the chat, and the connections
    before = door.database.round_trips
    door.send_over_rest("a2")
    assert door.database.round_trips - before == 7, "six to store, one to tick off"
