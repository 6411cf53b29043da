from dataclasses import dataclass

import msgspec

from gochat_contracts.downstream import RECIPIENTS, Notice, plan_downstream, plan_shared
from gochat_contracts.records import MAX_RECORD_BYTES, DownstreamItem, DownstreamRecord, Recipient, encode
from gochat_core.types import CellId, ConnectionId, DeviceId, UserId

ALICE, BOB = UserId(1), UserId(2)
ANY_CONNECTION = ConnectionId("c=")
G1, G2 = CellId("g1"), CellId("g2")


@dataclass(frozen=True, kw_only=True)
class Open:
    device_id: DeviceId
    cell_id: CellId = G1
    connection_id: ConnectionId = ANY_CONNECTION
    connected_at_ms: int = 5


PHONE, LAPTOP = Open(device_id=DeviceId("phone")), Open(device_id=DeviceId("laptop"))
ABROAD = Open(device_id=DeviceId("tablet"), cell_id=G2)


def notice(user_id: UserId = ALICE, *, text: str = "hi", only: str | None = None, but: str | None = None) -> Notice:
    return Notice(
        user_id=user_id,
        event="message.new",
        data=msgspec.Raw(msgspec.json.encode(text)),
        expires_at_ms=9,
        only_device=DeviceId(only) if only else None,
        except_device=DeviceId(but) if but else None,
    )


def plan(*notices: Notice, **connections: tuple[Open, ...]) -> list[tuple[CellId, DownstreamRecord]]:
    held = {ALICE: connections.get("alice", ()), BOB: connections.get("bob", ())}
    return list(plan_downstream(notices, held))


def targets(record: DownstreamRecord) -> list[tuple[int, ...] | None]:
    return [item.to for item in record.items]


def test_one_record_carries_all_that_a_batch_has_for_a_user() -> None:
    ((cell, record),) = plan(notice(text="a"), notice(text="b"), alice=(PHONE, LAPTOP))
    assert (cell, record.user_id) == (G1, ALICE)
    assert [connection.device_id for connection in record.connections] == ["phone", "laptop"]
    assert [bytes(item.data) for item in record.items] == [b'"a"', b'"b"']
    assert targets(record) == [None, None]


def test_each_user_and_each_cell_has_a_record_of_its_own() -> None:
    records = plan(notice(), notice(BOB), alice=(PHONE, ABROAD), bob=(LAPTOP,))
    assert [(cell, record.user_id, len(record.connections)) for cell, record in records] == [
        (G1, ALICE, 1),
        (G2, ALICE, 1),
        (G1, BOB, 1),
    ]


def test_a_notice_for_one_device_names_it_alone() -> None:
    ((_, record),) = plan(notice(only="laptop"), alice=(PHONE, LAPTOP))
    assert targets(record) == [(1,)]


def test_a_notice_for_all_but_one_device_leaves_it_out() -> None:
    ((_, record),) = plan(notice(but="phone"), alice=(PHONE, LAPTOP))
    assert targets(record) == [(1,)]


def test_where_nobody_is_concerned_there_is_no_record() -> None:
    assert plan(notice(but="phone"), notice(only="tablet"), notice(BOB), alice=(PHONE,)) == []


def test_a_device_without_a_connection_changes_nothing_for_the_others() -> None:
    ((_, record),) = plan(notice(but="tablet"), alice=(PHONE, LAPTOP))
    assert targets(record) == [None]


def test_a_record_never_grows_beyond_its_limit_and_keeps_the_order() -> None:
    texts = [f"{number:03d}" + "x" * 30_000 for number in range(40)]
    records = plan(*(notice(text=text) for text in texts), alice=(PHONE,))
    assert len(records) > 1
    assert all(len(encode(record)) <= MAX_RECORD_BYTES for _, record in records)
    assert [msgspec.json.decode(item.data) for _, record in records for item in record.items] == texts


def items(*texts: str) -> list[DownstreamItem]:
    return [
        DownstreamItem(event="message.new", data=msgspec.Raw(msgspec.json.encode(text)), expires_at_ms=9)
        for text in texts
    ]


def told_of(record: DownstreamRecord) -> dict[UserId, list[str]]:
    first = Recipient(user_id=record.user_id, connections=record.connections)
    return {one.user_id: [str(ref.device_id) for ref in one.connections] for one in (first, *record.also)}


def test_users_who_are_told_the_same_share_a_record_in_each_cell() -> None:
    carol = UserId(3)
    held = {ALICE: (PHONE, ABROAD), BOB: (LAPTOP,), carol: ()}
    records = list(plan_shared(items("a", "b"), [ALICE, BOB, carol], held))
    assert [(cell, told_of(record)) for cell, record in records] == [
        (G1, {ALICE: ["phone"], BOB: ["laptop"]}),
        (G2, {ALICE: ["tablet"]}),
    ]
    assert all([bytes(item.data) for item in record.items] == [b'"a"', b'"b"'] for _, record in records)


def test_shared_records_are_bounded_in_users_and_in_bytes() -> None:
    users = [UserId(number) for number in range(1, 2 * RECIPIENTS + 2)]
    half = "x" * (MAX_RECORD_BYTES // 2)
    records = [record for _, record in plan_shared(items(half, half), users, dict.fromkeys(users, (PHONE,)))]
    assert [(len(told_of(record)), len(record.items)) for record in records] == [
        (size, 1) for size in (RECIPIENTS, RECIPIENTS, 1) for _ in range(2)
    ]
    assert {user for record in records for user in told_of(record)} == set(users)
    assert all(len(encode(record)) <= MAX_RECORD_BYTES for record in records)
