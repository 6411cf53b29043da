from gochat_repo.outbox import OutboxEntry, insert_outbox
from tests.integration.messages.frames import (
    ALICE,
    BOB,
    CAROL,
    CHAT,
    frame,
    react,
    read,
)
from tests.integration.messages.stage import Stage


def test_both_members_hear_that_their_chat_began_before_its_first_message(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    stage.doors[0].apply(frame("a"), frame("b"), read(1))
    for user, peer, unread in ((ALICE, BOB, 0), (BOB, ALICE, 1)):
        (created,) = stage.told(user, "conversation.created")
        seen = created["conversation"]
        assert seen["peer"]["user_id"] == str(peer)
        assert seen["peer"]["display_name"] == f"User {peer}"
        assert (seen["type"], seen["last_seq"], seen["unread_count"]) == ("single", 2, unread)
        assert seen["last_message"]["client_msg_id"] == "b"
    assert stage.told(ALICE, "conversation.created")[0]["conversation"]["peer_read_seq"] == 1
    order = [
        item.event
        for record in stage.producer.records
        if record.key == str(BOB).encode()
        for item in stage.items_of(record)
    ]
    assert order[:2] == ["conversation.created", "message.new"]
    stage.doors[0].apply(frame("c"))
    assert len(stage.told(BOB, "conversation.created")) == 1
    stage.check_all_announced()


def test_what_is_said_of_a_new_chat_is_what_is_read_of_it(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    stage.doors[0].apply(frame("a"), react(1), read(1))
    stage.check_all_announced()
    stage.doors[0].database.transaction(
        lambda tx: insert_outbox(tx, [OutboxEntry(conversation_id=CHAT, kind="created", number=0)], now_ms=1)
    )
    other = stage.open_door()
    other.apply(frame("x", sender=CAROL, peer=ALICE))
    for user in (ALICE, BOB):
        told = [
            one for one in stage.told(user, "conversation.created") if one["conversation"]["conversation_id"] == CHAT
        ]
        assert len(told) == 2
        assert told[0] == told[1]


def test_an_entry_in_the_outbox_is_told_to_its_user_alone(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    door = stage.doors[0]
    door.apply(frame("a"))
    entry = OutboxEntry(conversation_id=CHAT, kind="entry", number=BOB)
    door.database.transaction(lambda tx: insert_outbox(tx, [entry], now_ms=stage.clock.now_ms()))
    door.announcer.announce_noted([entry])
    assert [one["conversation"]["unread_count"] for one in stage.told(BOB, "conversation.updated")] == [1]
    assert stage.told(ALICE, "conversation.updated") == []
    stage.check_all_announced()


def test_an_entry_noted_again_meanwhile_stays_in_the_outbox(stage: Stage) -> None:
    door = stage.doors[0]
    door.apply(frame("a"))
    entry = OutboxEntry(conversation_id=CHAT, kind="entry", number=BOB)

    def note(now_ms: int) -> None:
        door.database.transaction(lambda tx: insert_outbox(tx, [entry], now_ms=now_ms))

    note(stage.clock.now_ms())
    note(stage.clock.now_ms() + 1)
    door.announcer.announce_noted([entry])
    stage.check_settled(door)
    assert stage.rows("SELECT kind FROM outbox") == [("entry",)]
