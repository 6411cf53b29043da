"""Which dead letters may go back, and what becomes of those that do."""

from base64 import b64encode
from collections.abc import Sequence

import msgspec
import pytest

from gochat_aws.kafka_event import IncomingRecord, dead_letter
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_aws.kafka_reader import Held, HeldRecord
from gochat_contracts.commands import (
    AddReaction,
    Command,
    EditMessage,
    MarkDelivered,
    MarkRead,
    RecallMessage,
    RemoveReaction,
    SendMessage,
    Typing,
)
from gochat_contracts.records import (
    DEAD_LETTER_TOPIC,
    PUSH_LIFETIME_MS,
    PUSH_TOPIC,
    TASK_TOPIC,
    UPSTREAM_TOPIC,
    OfflineTask,
    PushRecord,
    Record,
    Sender,
    TaskRecord,
    UpstreamRecord,
    decode,
    encode,
)
from gochat_contracts.redrives import FROM_HEADER, RedriveNote
from gochat_core.errors import InvalidRequest, Unavailable
from gochat_core.types import ClientMsgId, ConversationId, DeviceId, Seq, SessionId, UserId
from task.redrive import may_return
from task.redrive.desk import RedriveDesk
from task.redrive.requests import Filters, Listing, ListLetters, RedriveLetters, Redriven, ShowLetter, Shown
from tests.fakes.clock import SettableClock
from tests.fakes.producer import InMemoryProducer

CHAT = ConversationId("ab" * 16)
DAY_MS = 24 * 3_600_000
EMOJI = "👍"


class Topic(InMemoryProducer):
    """The dead-letter topic as memory: what is produced to it can be read, a partition for each key's first letter."""

    def read(self, topic: str, *, since_ms: int, max_records: int, max_bytes: int) -> Held:
        if not self.available:
            raise Unavailable
        held = [
            HeldRecord(
                partition=0,
                offset=offset,
                timestamp_ms=since_ms,
                key=one.key,
                value=one.value,
                headers=dict(one.headers),
            )
            for offset, one in enumerate(self.of_topic(topic))
        ]
        return Held(records=held[:max_records], complete=len(held) <= max_records)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture
def desk(topic: Topic, clock: SettableClock) -> RedriveDesk:
    return RedriveDesk(reader=topic, producer=topic, clock=clock, retention_ms=7 * DAY_MS)


def give_up(
    topic: Topic,
    clock: SettableClock,
    value: Record | bytes,
    *,
    source: str = UPSTREAM_TOPIC,
    reason: str = "unreadable",
) -> OutgoingRecord:
    record = IncomingRecord(
        topic=source,
        partition=3,
        offset=17,
        timestamp_ms=0,
        key=CHAT.encode(),
        value=value if isinstance(value, bytes) else encode(value),
        headers={"trace": b"1-2-3"},
    )
    letter = dead_letter(record, reason=reason, detail="a secret word", now_ms=clock.now_ms())  # type: ignore[arg-type]
    topic.produce([letter])
    return letter


def upstream(command: Command) -> UpstreamRecord:
    sender = Sender(user_id=UserId(1), device_id=DeviceId("phone"), session_id=SessionId(1))
    return UpstreamRecord(frame_id="1", sender=sender, accepted_at_ms=1, command=command)


SEND = SendMessage(
    conversation_id=CHAT, client_msg_id=ClientMsgId("m"), type="text", content=msgspec.Raw(b'{"text":"a secret word"}')
)
COMMANDS: Sequence[tuple[Command, str | None]] = (
    (SEND, None),
    (MarkRead(conversation_id=CHAT, seq=Seq(1)), None),
    (MarkDelivered(conversation_id=CHAT, seq=Seq(1)), None),
    (RecallMessage(conversation_id=CHAT, seq=Seq(1)), None),
    (EditMessage(conversation_id=CHAT, seq=Seq(1), content=msgspec.Raw(b"{}")), may_return.OVERTAKEN),
    (AddReaction(conversation_id=CHAT, seq=Seq(1), emoji=EMOJI), may_return.OVERTAKEN),
    (RemoveReaction(conversation_id=CHAT, seq=Seq(1), emoji=EMOJI), may_return.OVERTAKEN),
    (Typing(conversation_id=CHAT), may_return.WORTHLESS),
)


def why_not(desk: RedriveDesk) -> list[str | None]:
    listing = desk.answer(ListLetters())
    assert isinstance(listing, Listing)
    return [one.why_not for one in listing.letters]


@pytest.mark.parametrize(("command", "why"), COMMANDS, ids=lambda one: type(one).__name__)
def test_of_commands_that_nobody_could_read_those_go_back_whose_order_does_not_matter(
    desk: RedriveDesk, topic: Topic, clock: SettableClock, command: Command, why: str | None
) -> None:
    give_up(topic, clock, upstream(command))
    assert why_not(desk) == [why]


@pytest.mark.parametrize("reason", ["bad_data", "fault"])
def test_what_was_refused_to_its_sender_is_never_stored_behind_the_senders_back(
    desk: RedriveDesk, topic: Topic, clock: SettableClock, reason: str
) -> None:
    give_up(topic, clock, upstream(SEND), reason=reason)
    assert why_not(desk) == [may_return.TOLD]
    answer = desk.answer(RedriveLetters(places=["0/0"], dry_run=False, again=True))
    assert isinstance(answer, Redriven)
    assert [one.outcome for one in answer.verdicts] == ["refused"]
    assert topic.of_topic(UPSTREAM_TOPIC) == []


def test_what_the_code_still_cannot_read_stays(desk: RedriveDesk, topic: Topic, clock: SettableClock) -> None:
    for source in (UPSTREAM_TOPIC, TASK_TOPIC, PUSH_TOPIC):
        give_up(topic, clock, b"no JSON", source=source)
    assert why_not(desk) == [may_return.UNREADABLE] * 3


def test_what_is_worth_nothing_any_more_stays(desk: RedriveDesk, topic: Topic, clock: SettableClock) -> None:
    now_ms = clock.now_ms()
    task = TaskRecord(
        task_id="t",
        created_at_ms=now_ms,
        task=OfflineTask(conversation_id=CHAT, seqs=(Seq(1),), user_ids=(UserId(2),)),
    )
    push = PushRecord(
        task_id="t",
        user_id=UserId(2),
        device_id=DeviceId("phone"),
        conversation_id=CHAT,
        seq=Seq(1),
        kind="alert",
        title="",
        body="",
        created_at_ms=now_ms,
        expires_at_ms=now_ms + PUSH_LIFETIME_MS,
    )
    give_up(topic, clock, task, source=TASK_TOPIC, reason="bad_data")
    give_up(topic, clock, push, source=PUSH_TOPIC)
    give_up(topic, clock, push, source=PUSH_TOPIC, reason="push_refused")
    give_up(topic, clock, b"{}", source="im-downstream-topic-g1")
    assert why_not(desk) == [None, None, may_return.LOGGED, may_return.DOWNSTREAM]
    clock.advance_ms(PUSH_LIFETIME_MS)
    assert why_not(desk)[:2] == [may_return.ANNOUNCED, may_return.EXPIRED]


def test_a_letter_goes_back_as_it_came_and_says_so_the_second_time(
    desk: RedriveDesk, topic: Topic, clock: SettableClock
) -> None:
    give_up(topic, clock, upstream(SEND))
    asked = RedriveLetters(places=["0/0", "0/9"])

    def outcomes(request: RedriveLetters) -> list[str]:
        answer = desk.answer(request)
        assert isinstance(answer, Redriven)
        return [one.outcome for one in answer.verdicts]

    assert outcomes(asked) == ["ready", "missing"]
    assert topic.of_topic(UPSTREAM_TOPIC) == [], "nothing is done unless it is asked for"
    done = msgspec.structs.replace(asked, dry_run=False)
    assert outcomes(done) == ["redriven", "missing"]
    (back,) = topic.of_topic(UPSTREAM_TOPIC)
    assert (back.key, back.value) == (CHAT.encode(), encode(upstream(SEND)))
    assert dict(back.headers) == {"trace": b"1-2-3", FROM_HEADER: b"0/0"}
    note = decode(RedriveNote, topic.of_topic(DEAD_LETTER_TOPIC)[-1].value)
    assert (note.partition, note.offset, note.redriven_at_ms) == (0, 0, clock.now_ms())
    assert outcomes(done) == ["already", "missing"]
    assert outcomes(msgspec.structs.replace(done, again=True)) == ["redriven", "missing"]
    assert len(topic.of_topic(UPSTREAM_TOPIC)) == 2


def test_who_dies_before_the_note_brings_it_back_again(desk: RedriveDesk, topic: Topic, clock: SettableClock) -> None:
    give_up(topic, clock, upstream(SEND))
    request = RedriveLetters(places=["0/0"], dry_run=False)

    class Dying(Topic):
        def produce(self, records: Sequence[OutgoingRecord]) -> None:
            if any(one.topic == DEAD_LETTER_TOPIC for one in records):
                raise Unavailable
            topic.produce(records)

    mortal = RedriveDesk(reader=topic, producer=Dying(), clock=clock, retention_ms=1)
    with pytest.raises(Unavailable):
        mortal.answer(request)
    answer = desk.answer(request)
    assert isinstance(answer, Redriven)
    assert [one.outcome for one in answer.verdicts] == ["redriven"]
    assert len(topic.of_topic(UPSTREAM_TOPIC)) == 2, "its client_msg_id is stored once"


def test_a_list_is_narrowed_and_tells_nothing_that_anybody_wrote(
    desk: RedriveDesk, topic: Topic, clock: SettableClock
) -> None:
    give_up(topic, clock, upstream(SEND))
    clock.advance_ms(60_000)
    give_up(topic, clock, b"x", source="im-downstream-bulk-topic-g1")
    topic.produce([OutgoingRecord(topic=DEAD_LETTER_TOPIC, key=b"", value=b"somebody else's")])

    def places(**filters: object) -> list[str]:
        answer = desk.answer(ListLetters(filters=msgspec.convert(filters, Filters)))
        assert isinstance(answer, Listing)
        assert (answer.unreadable, answer.complete, answer.matched) == (1, True, len(answer.letters))
        assert b"secret" not in msgspec.json.encode(answer)
        return [one.place for one in answer.letters]

    assert places() == ["0/0", "0/1"]
    assert places(topic=UPSTREAM_TOPIC) == places(function="logic-upstream") == ["0/0"]
    assert places(until_ms=clock.now_ms()) == ["0/0"]
    assert places(since_ms=clock.now_ms()) == places(function="gateway-deliver-bulk") == ["0/1"]
    assert places(reason="fault") == []


def test_one_letter_is_shown_with_everything(desk: RedriveDesk, topic: Topic, clock: SettableClock) -> None:
    give_up(topic, clock, upstream(SEND))
    shown = desk.answer(ShowLetter(place="0/0"))
    assert isinstance(shown, Shown)
    assert (shown.partition, shown.offset, shown.detail) == (3, 17, "a secret word")
    assert shown.value == b64encode(encode(upstream(SEND))).decode()
    assert shown.headers == {"trace": b64encode(b"1-2-3").decode()}
    assert shown.listed.expires_at_ms == clock.now_ms() + 7 * DAY_MS
    for nowhere in ("0/5", "first"):
        with pytest.raises(InvalidRequest):
            desk.answer(ShowLetter(place=nowhere))
