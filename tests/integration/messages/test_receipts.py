from typing import Any

import msgspec
import pytest

from gochat_contracts.commands import MarkRead
from gochat_contracts.records import Sender
from gochat_core.errors import ConversationNotFound
from gochat_core.types import ConversationId, DeviceId, Seq, SessionId, UserId
from gochat_repo.participants import get_participation
from logic.commands.submission import Submission
from tests.integration.messages.frames import (
    ALICE,
    BOB,
    CAROL,
    CHAT,
    LAPTOP,
    PHONE,
    act,
    command,
    delivered,
    frame,
    read,
    typing,
)
from tests.integration.messages.stage import Stage

CURSORS = "SELECT read_seq, delivered_seq FROM conversation_participants WHERE user_id = %s"


@pytest.fixture
def chat(stage: Stage) -> Stage:
    """Alice and Bob, he on two devices, with three messages of hers."""
    stage.connect(ALICE)
    stage.connect(BOB, PHONE)
    stage.connect(BOB, LAPTOP)
    stage.doors[0].apply(frame("a"), frame("b"), frame("c"))
    stage.producer.records.clear()
    return stage


def receipt(*, delivered_seq: int, read_seq: int, user_id: UserId = BOB, chat: ConversationId = CHAT) -> dict[str, Any]:
    return {
        "conversation_id": chat,
        "user_id": str(user_id),
        "delivered_seq": delivered_seq,
        "read_seq": read_seq,
    }


def test_a_sender_hears_how_far_the_other_has_come_and_so_do_the_readers_other_devices(chat: Stage) -> None:
    assert chat.doors[0].apply(read(2)).counts["marked"] == 1
    assert chat.rows(CURSORS, BOB) == [(2, 0)]
    expected = receipt(delivered_seq=2, read_seq=2)
    assert chat.told(ALICE, "receipt") == [expected]
    assert chat.told(BOB, "receipt") == [expected]
    assert chat.devices(BOB, "receipt") == [{LAPTOP}], "not the phone, which has told"
    assert chat.outbox() == 0


def test_receipts_of_a_batch_are_one(chat: Stage) -> None:
    chat.doors[0].apply(delivered(1), delivered(3), read(1), read(2), read(1))
    assert chat.told(ALICE, "receipt") == [receipt(delivered_seq=3, read_seq=2)]
    assert chat.rows(CURSORS, BOB) == [(2, 3)]


def test_two_devices_that_told_of_different_places_both_hear_of_the_end(chat: Stage) -> None:
    chat.doors[0].apply(read(1), read(3, device=LAPTOP))
    assert chat.devices(BOB, "receipt") == [{PHONE, LAPTOP}]


def test_cursors_never_go_back_and_nothing_is_said_of_what_did_not_move(chat: Stage) -> None:
    chat.doors[0].apply(read(3))
    chat.producer.records.clear()
    verdicts = chat.doors[0].apply(read(2), delivered(3), read(3))
    assert verdicts.counts["marked"] == 3
    assert chat.rows(CURSORS, BOB) == [(3, 0)]
    assert chat.producer.records == []


def test_beyond_the_end_counts_as_the_end(chat: Stage) -> None:
    chat.doors[0].apply(read(2**63 - 1), delivered(2**63 - 1, by=ALICE))
    assert chat.rows(CURSORS, BOB) == [(3, 0)]
    chat.doors[0].apply(frame("d"))
    own = chat.doors[0].database.read(lambda tx: get_participation(tx, CHAT, BOB))
    assert own is not None
    assert own.unread_count == 1


def test_a_mark_reaches_what_was_stored_before_it_in_its_batch(chat: Stage) -> None:
    chat.doors[0].apply(read(9), frame("d"), read(9), frame("e"))
    assert chat.rows(CURSORS, BOB) == [(4, 0)]


def test_outsiders_mark_nothing(chat: Stage) -> None:
    chat.connect(CAROL)
    assert chat.doors[0].apply(read(1, by=CAROL), delivered(1, by=CAROL)).rejected == {"conversation_not_found": 2}
    assert [one["action"] for one in chat.told(CAROL, "request.rejected")] == ["message.read", "message.delivered"]
    assert chat.told(ALICE, "receipt") == []


def test_only_members_who_sent_something_since_are_told(stage: Stage) -> None:
    group = stage.add_group([ALICE, BOB, CAROL])
    for user in (ALICE, BOB, CAROL):
        stage.connect(user)
    door = stage.doors[0]
    door.apply(act(command("a", conversation_id=group)), read(1, chat=group))
    door.apply(act(command("c", conversation_id=group), sender=CAROL))
    stage.producer.records.clear()
    door.apply(read(2, chat=group))
    assert stage.told(CAROL, "receipt") == [receipt(delivered_seq=2, read_seq=2, chat=group)]
    assert stage.told(ALICE, "receipt") == [], "nothing of hers was read now"


def test_a_large_group_hears_of_no_receipts_and_no_typing(stage: Stage) -> None:
    members = [UserId(3000 + number) for number in range(100)]
    stage.add_users(*members)
    group = stage.add_group(members, is_large=True)
    stage.connect(members[0])
    stage.connect(members[1])
    stage.doors[0].apply(act(command("a", conversation_id=group), sender=members[0]))
    stage.producer.records.clear()
    stage.doors[0].apply(read(1, by=members[1], chat=group), typing(by=members[1], chat=group))
    assert stage.told(members[0], "receipt") == []
    assert stage.told(members[0], "typing") == []
    changed = stage.rows("SELECT user_id FROM conversation_participants WHERE changed_at_ms > 0")
    assert changed == [(members[1],)], "rows of those who did nothing are not touched"


def test_marks_change_what_both_see_of_a_single_chat_and_messages_do_not(chat: Stage) -> None:
    rows = "SELECT user_id, changed_at_ms, activity_at_ms FROM conversation_participants ORDER BY user_id"
    began_ms = chat.clock.now_ms()
    assert chat.rows(rows) == [(ALICE, 0, began_ms), (BOB, 0, began_ms)]
    chat.clock.advance_ms(1000)
    now_ms = chat.clock.now_ms()
    chat.doors[0].apply(read(3))
    assert chat.rows(rows) == [(ALICE, now_ms, began_ms), (BOB, now_ms, began_ms)]


def test_marks_of_a_group_change_it_for_their_member_alone(stage: Stage) -> None:
    group = stage.add_group([ALICE, BOB])
    stage.doors[0].apply(act(command("a", conversation_id=group)))
    stage.doors[0].apply(read(1, chat=group))
    assert stage.rows("SELECT user_id FROM conversation_participants WHERE changed_at_ms > 0") == [(BOB,)]


def test_reading_over_rest_is_the_same_and_answers_with_the_cursors(chat: Stage) -> None:
    def over_rest(seq: int, reader: UserId = BOB, device: DeviceId = PHONE) -> Any:
        return chat.doors[0].rest.mark_read(
            Submission(
                sender=Sender(user_id=reader, device_id=device, session_id=SessionId(1)),
                command=MarkRead(conversation_id=CHAT, seq=Seq(seq)),
                accepted_at_ms=chat.clock.now_ms(),
            )
        )

    own = over_rest(2)
    assert (own.read_seq, own.unread_count) == (2, 1)
    assert chat.told(ALICE, "receipt") == [receipt(delivered_seq=2, read_seq=2)]
    assert chat.devices(BOB, "receipt") == [{LAPTOP}]
    assert over_rest(1) == own
    with pytest.raises(ConversationNotFound):
        over_rest(1, reader=CAROL)
    chat.producer.available = False
    assert over_rest(3).unread_count == 0, "a receipt that can't be told holds nobody up"


def test_typing_reaches_the_others_for_a_moment(chat: Stage) -> None:
    accepted_at_ms = chat.clock.now_ms()
    chat.clock.advance_ms(4_999)
    assert chat.doors[0].apply(typing(at_ms=accepted_at_ms)).counts["shown"] == 1
    (item,) = chat.items(ALICE, "typing")
    assert msgspec.json.decode(item.data) == {"conversation_id": CHAT, "user_id": "2"}
    assert item.expires_at_ms == accepted_at_ms + 5_000
    assert chat.told(BOB, "typing") == []
    chat.clock.advance_ms(1)
    chat.doors[0].apply(typing(at_ms=accepted_at_ms))
    assert len(chat.items(ALICE, "typing")) == 1, "too late to be worth saying"


def test_typing_of_an_outsider_is_dropped_without_a_word(chat: Stage) -> None:
    chat.connect(CAROL)
    assert chat.doors[0].apply(typing(by=CAROL)).rejected == {"conversation_not_found": 1}
    assert chat.producer.records == []


def test_typing_waits_for_nobody(chat: Stage) -> None:
    other = chat.open_door()
    key = bytes.fromhex(CHAT)

    def while_the_chat_is_locked(tx: Any) -> None:
        tx.query("SELECT 1 FROM conversations WHERE conversation_id = %s FOR UPDATE", (key,))
        other.apply(typing())

    chat.doors[0].database.transaction(while_the_chat_is_locked)
    assert len(chat.told(ALICE, "typing")) == 1
