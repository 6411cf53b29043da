"""What a batch becomes at each connection, and what becomes of whom it does not reach; over the in-memory API."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.lanes import COALESCED_BYTES
from gateway.deliver.reports import hand_back, report_dead
from gateway.websocket.dead_connections import plan_offline_tasks
from gochat_aws.connections_api import Outcome
from gochat_aws.function_invoke import MAX_EVENT_BYTES, EventRefusedError
from gochat_contracts.deliver_reports import DeadConnections, HandedBack, MissedBy
from gochat_contracts.records import DownstreamRecord, MessageRef, Recipient, decode
from gochat_core.types import ConnectionId, ConversationId, DeviceId, Seq, UserId
from tests.fakes.connections import InMemoryConnections
from tests.unit.gateway.batches import (
    ALICE,
    BOB,
    CHAT,
    LAPTOP,
    NEW_PHONE,
    PHONE,
    connection,
    deliver,
    event,
    frames,
    in_memory_api,
    message,
    record,
)


@pytest.fixture
def api() -> InMemoryConnections:
    return in_memory_api()


def test_the_messages_of_a_batch_share_a_frame_and_other_events_keep_their_place(api: InMemoryConnections) -> None:
    deliver(api, record(message(1), message(2), event("message.stored"), message(3)), record(message(4)))

    assert frames(api, PHONE) == [("message.new", [1, 2]), ("message.stored", []), ("message.new", [3, 4])]


def test_an_item_goes_to_the_devices_it_names(api: InMemoryConnections) -> None:
    both = (PHONE, LAPTOP)

    deliver(api, record(message(1, to=(1,)), event("message.stored", to=(0,)), message(2), connections=both))

    assert frames(api, PHONE) == [("message.stored", []), ("message.new", [2])]
    assert frames(api, LAPTOP) == [("message.new", [1, 2])]


def test_users_who_share_a_record_are_each_told_and_each_judged(api: InMemoryConnections) -> None:
    api.gone.add(LAPTOP.connection_id)
    shared = msgspec.structs.replace(
        record(message(1), message(2)), also=(Recipient(user_id=BOB, connections=(LAPTOP, NEW_PHONE)),)
    )

    verdict = deliver(api, shared, record(message(3), user=BOB, connections=(NEW_PHONE,)))

    assert frames(api, PHONE) == [("message.new", [1, 2])]
    assert frames(api, NEW_PHONE) == [("message.new", [1, 2, 3])]
    (dead,) = verdict.dead
    assert (dead.missed_by.user_id, dead.missed_by.connection_id) == (BOB, LAPTOP.connection_id)
    assert [one.seq for one in dead.missed_by.missed] == [1, 2]


@given(st.lists(st.integers(0, 20_000), max_size=30))
def test_frames_keep_every_message_in_order_and_stay_below_the_billing_unit(sizes: list[int]) -> None:
    api = in_memory_api()
    items = [message(seq, size=size) for seq, size in enumerate(sizes, start=1)]

    verdict = deliver(api, record(*items))

    posted = frames(api, PHONE)
    assert [seq for _, seqs in posted for seq in seqs] == list(range(1, len(sizes) + 1))
    for body, (_, seqs) in zip(api.posted[PHONE.connection_id], posted, strict=True):
        assert len(body) <= COALESCED_BYTES or len(seqs) == 1
    assert len(verdict.delivered) == len(sizes)


def test_one_message_over_the_billing_unit_goes_alone(api: InMemoryConnections) -> None:
    deliver(api, record(message(1), message(2, size=COALESCED_BYTES), message(3)))

    assert frames(api, PHONE) == [("message.new", [1]), ("message.new", [2]), ("message.new", [3])]


def test_a_dead_connection_is_reported_with_what_it_missed_and_harms_nobody(api: InMemoryConnections) -> None:
    api.gone.add(PHONE.connection_id)

    verdict = deliver(
        api,
        record(message(1), event("message.stored"), message(2), connections=(PHONE, LAPTOP)),
        record(message(3), user=BOB, connections=(NEW_PHONE,)),
    )

    (dead,) = verdict.dead
    assert dead.missed_by.connection_id == PHONE.connection_id
    assert [ref.seq for ref in dead.missed_by.missed] == [1, 2]
    assert verdict.failed == set()
    assert frames(api, LAPTOP) == [("message.new", [1]), ("message.stored", []), ("message.new", [2])]
    assert frames(api, NEW_PHONE) == [("message.new", [3])]


def test_a_connection_that_dies_on_the_way_missed_only_the_rest(api: InMemoryConnections) -> None:
    api.outcomes[PHONE.connection_id].extend([Outcome.DELIVERED, Outcome.GONE])

    verdict = deliver(api, record(message(1), event("message.stored"), message(2)))

    assert [ref.seq for ref in verdict.dead[0].missed_by.missed] == [2]


def test_what_is_throttled_to_the_end_fails_its_record_alone(api: InMemoryConnections) -> None:
    api.outcomes[PHONE.connection_id].append(Outcome.RETRY_LATER)

    verdict = deliver(api, record(message(1)), record(message(2), user=BOB, connections=(LAPTOP,)))

    assert verdict.failed == {0}
    assert verdict.dead == []


def test_a_refusal_of_the_platform_fails_the_record_and_kills_nobody(api: InMemoryConnections) -> None:
    api.outcomes[PHONE.connection_id].append(Outcome.REFUSED)

    verdict = deliver(api, record(message(1)))

    assert (verdict.failed, verdict.dead) == ({0}, [])


YOUNG = connection("young", age_ms=9_999)
AGED = connection("aged", age_ms=10_000)


def test_what_a_young_connection_can_not_take_yet_is_handed_back_in_its_order_and_nobody_is_called_dead(
    api: InMemoryConnections,
) -> None:
    api.outcomes[YOUNG.connection_id].extend([Outcome.DELIVERED, Outcome.GONE])
    api.gone.add(AGED.connection_id)

    verdict = deliver(
        api,
        record(message(1), event("message.stored"), connections=(YOUNG, PHONE)),
        record(message(2), event("session.revoked", close=True), connections=(YOUNG,)),
        record(message(3), connections=(AGED,)),
    )

    (early,) = verdict.early
    assert early.lane.connection == YOUNG
    assert [placed.item.event for placed in early.items] == ["message.stored", "message.new", "session.revoked"]
    assert early.records == {0, 1}
    assert [dead.missed_by.connection_id for dead in verdict.dead] == [AGED.connection_id]
    assert verdict.failed == set()
    assert api.deleted == []
    assert frames(api, PHONE) == [("message.new", [1]), ("message.stored", [])]


def test_an_ending_waits_elsewhere_while_the_successor_may_still_come(api: InMemoryConnections) -> None:
    api.gone.update({YOUNG.connection_id, AGED.connection_id})
    endings = [event("session.replaced", close=True, once_usable=one) for one in (YOUNG, AGED)]

    verdict = deliver(api, record(message(1), endings[0], message(2)), record(endings[1], connections=(LAPTOP,)))

    (early,) = verdict.early
    assert early.lane.connection == PHONE
    assert [placed.item for placed in early.items] == [endings[0], message(2)]
    assert frames(api, PHONE) == [("message.new", [1])]
    assert api.deleted == [LAPTOP.connection_id]


def test_a_connection_that_is_replaced_during_its_own_handshake_is_ended_after_it(api: InMemoryConnections) -> None:
    api.gone.add(YOUNG.connection_id)
    ending = event("session.replaced", close=True, once_usable=NEW_PHONE)

    (early,) = deliver(api, record(ending, connections=(YOUNG,))).early
    api.gone.clear()
    again = deliver(api, record(*(placed.item for placed in early.items), connections=(YOUNG,)))

    assert again.early == []
    assert frames(api, YOUNG) == [("session.replaced", [])]
    assert api.deleted == [YOUNG.connection_id]


def test_an_answer_to_a_frame_is_posted_as_it_is(api: InMemoryConnections) -> None:
    frame = msgspec.Raw(b'{"event":"error","id":"f-1","error":{"code":"rate_limited"}}')

    deliver(api, record(event("reply", data=frame, is_frame=True)))

    assert api.posted[PHONE.connection_id] == [bytes(frame)]


def test_a_replaced_connection_is_told_and_closed_once_the_new_one_is_usable(api: InMemoryConnections) -> None:
    ending = event("session.replaced", close=True, once_usable=NEW_PHONE)

    verdict = deliver(api, record(message(1), ending, message(2)), record(ending))

    methods = [(call.method, call.connection_id) for call in api.calls]
    assert methods == [
        ("POST", PHONE.connection_id),
        ("GET", NEW_PHONE.connection_id),
        ("POST", PHONE.connection_id),
        ("DELETE", PHONE.connection_id),
    ]
    assert frames(api, PHONE) == [("message.new", [1]), ("session.replaced", [])]
    assert [ref.seq for dead in verdict.dead for ref in dead.missed_by.missed] == [2], "its user may be nowhere else"


def test_when_the_new_connection_never_came_the_old_one_is_closed_so_that_its_client_returns(
    api: InMemoryConnections,
) -> None:
    api.gone.add(NEW_PHONE.connection_id)

    deliver(api, record(event("session.replaced", close=True, once_usable=NEW_PHONE)))

    assert frames(api, PHONE) == []
    assert api.deleted == [PHONE.connection_id]


def test_a_revoked_connection_is_closed_however_late(api: InMemoryConnections) -> None:
    deliver(api, record(event("session.revoked", close=True, expires_in_ms=-1)))

    assert frames(api, PHONE) == [("session.revoked", [])]
    assert api.deleted == [PHONE.connection_id]


def test_ending_a_connection_that_is_gone_is_no_failure(api: InMemoryConnections) -> None:
    api.gone.add(PHONE.connection_id)

    verdict = deliver(api, record(event("session.revoked", close=True)))

    assert (verdict.failed, verdict.dead) == (set(), [])


class Invoker:
    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.payloads: list[bytes] = []

    @property
    def reports(self) -> list[DeadConnections]:
        return [msgspec.json.decode(payload, type=DeadConnections) for payload in self.payloads]

    def invoke_event(self, payload: bytes) -> None:
        if self.refuses:
            raise EventRefusedError
        self.payloads.append(payload)


def test_reports_are_split_and_a_refused_one_fails_its_records(api: InMemoryConnections) -> None:
    many = [connection(f"device-{number}") for number in range(40)]
    api.gone.update(ref.connection_id for ref in many)
    items = [message(seq) for seq in range(1, 101)]
    verdict = deliver(api, *(record(*items, user=UserId(n), connections=(ref,)) for n, ref in enumerate(many, start=1)))

    taken = Invoker()
    assert report_dead(taken, verdict.dead) == set()
    assert len(taken.reports) > 1
    assert [one.connection_id for report in taken.reports for one in report.connections] == [
        ref.connection_id for ref in many
    ]
    assert report_dead(Invoker(refuses=True), verdict.dead) == set(range(40))


def test_what_is_handed_back_is_split_and_fails_its_records_when_it_is_refused(api: InMemoryConnections) -> None:
    both = [YOUNG, connection("younger", age_ms=1)]
    api.gone.update(ref.connection_id for ref in both)
    items = [message(seq, size=10_000, to=(0, 1)) for seq in range(1, 41)]
    verdict = deliver(api, record(*items[:20], connections=both), record(*items[20:], connections=both))

    taken = Invoker()
    assert hand_back(taken, verdict.early) == set()
    assert len(taken.payloads) > 2
    assert max(map(len, taken.payloads)) < MAX_EVENT_BYTES
    reports = [msgspec.json.decode(payload, type=HandedBack) for payload in taken.payloads]
    told = [decode(DownstreamRecord, text.encode()) for report in reports for text in report.records]
    again = in_memory_api()
    deliver(again, *told)
    for ref in both:
        assert [seq for _, seqs in frames(again, ref) for seq in seqs] == list(range(1, 41))
    assert hand_back(Invoker(refuses=True), verdict.early) == {0, 1}


def test_offline_tasks_gather_the_users_who_missed_the_same() -> None:
    def missed(user: UserId, *seqs: int, chat: ConversationId = CHAT) -> MissedBy:
        return MissedBy(
            user_id=user,
            device_id=DeviceId("phone"),
            connection_id=ConnectionId("x="),
            missed=tuple(MessageRef(conversation_id=chat, seq=Seq(seq)) for seq in seqs),
        )

    tasks = plan_offline_tasks(
        [missed(BOB, 1, 2), missed(ALICE, 2), missed(ALICE, 1), missed(BOB, 7, chat=ConversationId("d"))]
    )

    assert [(task.conversation_id, task.seqs, task.user_ids) for task in tasks] == [
        (CHAT, (1, 2), (ALICE, BOB)),
        ("d", (7,), (BOB,)),
    ]
