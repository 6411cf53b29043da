import msgspec

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import TASK_TOPIC, DownstreamRecord, OfflineTask, TaskRecord, decode
from gochat_core.types import (
    CellId,
    ClientMsgId,
    ConnectionId,
    ConversationId,
    DeviceId,
    MessageId,
    Seq,
    SessionId,
    UserId,
)
from gochat_repo.connections import Connection
from gochat_repo.message_view import encode_message
from gochat_repo.messages import StoredMessage
from gochat_repo.outbox import OutboxEntry
from gochat_repo.reactions import Reaction
from logic.announce.announcement import Announcement, Answer, Event, News, plan_announcement

ALICE, BOB, CAROL, DAVE = UserId(1), UserId(2), UserId(3), UserId(4)
CHAT = ConversationId("ab" * 16)
PHONE, LAPTOP = DeviceId("phone"), DeviceId("laptop")
NOW_MS = 1_795_413_600_000


def connection(user_id: UserId, device_id: DeviceId) -> Connection:
    return Connection(
        user_id=user_id,
        device_id=device_id,
        session_id=SessionId(1),
        cell_id=CellId("g1"),
        connection_id=ConnectionId(f"{device_id}="),
        connected_at_ms=1,
    )


def news(seq: int = 1, *, sender: UserId = ALICE, origin: DeviceId | None = PHONE) -> News:
    message = StoredMessage(
        conversation_id=CHAT,
        seq=Seq(seq),
        message_id=MessageId(50 + seq),
        sender_id=sender,
        client_msg_id=ClientMsgId(f"m{seq}"),
        content_hash=b"",
        type="text",
        content='{"text":"grüße"}'.encode(),
        reply_to_seq=None,
        mentions=("2",),
        created_at_ms=NOW_MS,
    )
    return News(message=message, members=(ALICE, BOB), origin_device_id=origin, accepted_at_ms=NOW_MS - 3)


def answer(event: str = "message.stored") -> Answer:
    return Answer(user_id=ALICE, device_id=PHONE, event=event, data=msgspec.Raw(b"{}"), accepted_at_ms=NOW_MS - 3)


def plan(announcement: Announcement, *connections: Connection) -> list[OutgoingRecord]:
    held = {user: tuple(one for one in connections if one.user_id == user) for user in announcement.audience()}
    return plan_announcement(announcement, held, now_ms=NOW_MS)


def downstream(records: list[OutgoingRecord], user: UserId) -> DownstreamRecord:
    (record,) = [one for one in records if one.key == str(user).encode() and one.topic == "im-downstream-topic-g1"]
    return decode(DownstreamRecord, record.value)


def tasks(records: list[OutgoingRecord]) -> list[TaskRecord]:
    return [decode(TaskRecord, one.value) for one in records if one.topic == TASK_TOPIC]


def test_a_message_goes_to_every_device_but_the_sending_one_which_gets_its_answer() -> None:
    records = plan(
        Announcement(news=(news(),), answers=(answer(),)),
        connection(ALICE, PHONE),
        connection(ALICE, LAPTOP),
        connection(BOB, PHONE),
    )
    own = downstream(records, ALICE)
    assert [(item.event, item.to) for item in own.items] == [("message.stored", (0,)), ("message.new", (1,))]
    assert [(item.event, item.to) for item in downstream(records, BOB).items] == [("message.new", None)]
    assert tasks(records) == []


def test_a_message_sent_by_rest_goes_to_all_devices_of_the_sender() -> None:
    records = plan(Announcement(news=(news(origin=None),)), connection(ALICE, PHONE), connection(BOB, PHONE))
    assert [item.to for item in downstream(records, ALICE).items] == [None]


def test_the_recipient_gets_the_message_as_the_protocol_says() -> None:
    records = plan(Announcement(news=(news(),)), connection(BOB, PHONE))
    (item,) = downstream(records, BOB).items
    assert msgspec.json.decode(item.data) == {
        "message_id": "51",
        "conversation_id": CHAT,
        "seq": 1,
        "sender_id": "1",
        "client_msg_id": "m1",
        "type": "text",
        "content": {"text": "grüße"},
        "reply_to_seq": None,
        "mentions": ["2"],
        "created_at": "2026-11-23T06:00:00.000Z",
        "edited_at": None,
        "recalled": False,
        "reactions": [],
        "change": 0,
    }
    assert "grüße".encode() in bytes(item.data), "UTF-8, never escapes"
    assert item.message is not None
    assert (item.message.conversation_id, item.message.seq) == (CHAT, 1)
    assert item.expires_at_ms == NOW_MS + 120_000


def test_members_without_a_connection_take_the_offline_path_once_for_all_their_messages() -> None:
    records = plan(Announcement(news=(news(1), news(2), news(3, sender=BOB))), connection(ALICE, PHONE))
    (task,) = tasks(records)
    assert task.task == OfflineTask(conversation_id=CHAT, seqs=(Seq(1), Seq(2)), user_ids=(BOB,))


def test_a_sender_who_went_offline_misses_nothing_of_the_own_messages() -> None:
    records = plan(Announcement(news=(news(1),), answers=(answer(),)), connection(BOB, PHONE))
    assert tasks(records) == []
    assert [one.key for one in records] == [b"2"]


def test_the_same_work_has_the_same_task_id() -> None:
    first, again = (tasks(plan(Announcement(news=(news(1), news(2)))))[0].task_id for _ in range(2))
    other = tasks(plan(Announcement(news=(news(1),))))[0].task_id
    assert first == again != other


def test_openings_come_before_messages_and_other_events_behind_them() -> None:
    opening = Event(event="conversation.created", data=msgspec.Raw(b"{}"), user_ids=(BOB,))
    edited = Event(event="message.edited", data=msgspec.Raw(b"{}"), user_ids=(ALICE, BOB))
    announcement = Announcement(events=(edited,), news=(news(),), openings=(opening,))
    records = plan(announcement, connection(ALICE, LAPTOP), connection(BOB, PHONE))
    assert [item.event for item in downstream(records, BOB).items] == [
        "conversation.created",
        "message.new",
        "message.edited",
    ]
    assert [item.event for item in downstream(records, ALICE).items] == ["message.new", "message.edited"]
    assert tasks(records) == [], "events take no offline path"


def test_an_event_spares_the_device_that_caused_it() -> None:
    receipt = Event(event="receipt", data=msgspec.Raw(b"{}"), user_ids=(BOB,), except_device=PHONE)
    records = plan(Announcement(events=(receipt,)), connection(BOB, PHONE), connection(BOB, LAPTOP))
    assert [item.to for item in downstream(records, BOB).items] == [(1,)]


def test_what_expires_is_not_said_late_and_other_events_live_as_long_as_messages() -> None:
    def typing(expires_at_ms: int | None) -> Event:
        return Event(event="typing", data=msgspec.Raw(b"{}"), user_ids=(BOB,), expires_at_ms=expires_at_ms)

    held = connection(BOB, PHONE)
    assert plan(Announcement(events=(typing(NOW_MS),)), held) == []
    (soon,) = downstream(plan(Announcement(events=(typing(NOW_MS + 1),)), held), BOB).items
    (later,) = downstream(plan(Announcement(events=(typing(None),)), held), BOB).items
    assert (soon.expires_at_ms, later.expires_at_ms) == (NOW_MS + 1, NOW_MS + 120_000)


def test_a_message_with_reactions_is_encoded_once_for_all_who_see_the_same() -> None:
    one = news()
    reacted = msgspec.structs.replace(
        one.message, reactions=(Reaction("👍", 22, (ALICE,)), Reaction("🎉", 1, (CAROL,)))
    )
    told = msgspec.structs.replace(
        one,
        message=reacted,
        members=(ALICE, BOB, CAROL, DAVE),
        unlisted=frozenset({(CHAT, Seq(1), "👍", DAVE)}),
    )
    seen = {
        viewers: [one["mine"] for one in msgspec.json.decode(data)["reactions"]]
        for data, viewers in encode_message(told.message, told.members, told.unlisted)
    }
    assert seen == {(ALICE, DAVE): [True, False], (BOB,): [False, False], (CAROL,): [False, True]}


def test_announcements_are_joined_one_after_the_other() -> None:
    entry = OutboxEntry(conversation_id=CHAT, kind="message", number=1)
    first = Announcement(news=(news(1),), answers=(answer(),), noted=(entry,))
    assert first + Announcement() == Announcement() + first == first
    assert [one.message.seq for one in (Announcement(news=(news(2),)) + first).news] == [2, 1]
