from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from gochat_contracts.commands import MarkDelivered, MarkRead, SendMessage
from gochat_core.errors import ConversationNotFound
from gochat_core.types import ClientMsgId, ConversationId, Seq, UserId
from gochat_repo.command_context import Member
from logic.commands.outcomes import Mark, Outcome
from logic.commands.submission import Submission
from tests.unit.logic.ledgers import (
    ALICE,
    BOB,
    CAROL,
    CHAT,
    MEMBER,
    asked,
    content,
    elsewhere,
    error_of,
    ledger_of,
    plan,
)

GONE = Member(join_seq=Seq(1), left_seq=Seq(3), is_alive=True)


def read(seq: int, *, chat: ConversationId = CHAT, **who: Any) -> Submission:
    return asked(MarkRead(conversation_id=chat, seq=Seq(seq)), **{"by": BOB, **who})


def delivered(seq: int, *, chat: ConversationId = CHAT, **who: Any) -> Submission:
    return asked(MarkDelivered(conversation_id=chat, seq=Seq(seq)), **{"by": BOB, **who})


def marks(outcomes: list[Outcome]) -> list[tuple[int, int, bool]]:
    """Return the cursors after each mark, and whether it moved them."""
    told = []
    for one in outcomes:
        assert isinstance(one, Mark)
        told.append((one.member.read_seq, one.member.delivered_seq, one.moved))
    return told


def test_cursors_move_forward_and_never_back() -> None:
    outcomes = plan(ledger_of(), [read(2), read(1), delivered(3), delivered(2), read(3)])
    assert marks(outcomes) == [(2, 0, True), (2, 0, False), (2, 3, True), (2, 3, False), (3, 3, True)]


def test_who_has_read_has_it() -> None:
    outcomes = plan(ledger_of(), [read(3), delivered(3), delivered(4)])
    assert marks(outcomes) == [(3, 0, True), (3, 0, False), (3, 4, True)]


@pytest.mark.parametrize("seq", [4, 5, 2**63 - 1])
def test_beyond_the_end_counts_as_the_end(seq: int) -> None:
    assert marks(plan(ledger_of(), [read(seq)])) == [(4, 0, True)]
    assert marks(plan(ledger_of(), [delivered(seq)])) == [(0, 4, True)]


def test_nothing_marks_an_empty_conversation() -> None:
    assert marks(plan(ledger_of(last_seq=Seq(0)), [read(1), delivered(1)])) == [(0, 0, False), (0, 0, False)]


def test_a_mark_tells_the_unread_count_afterwards() -> None:
    late = Member(join_seq=Seq(2), left_seq=None, is_alive=True, sent_seq=3)
    (early, end) = plan(ledger_of(members={BOB: late, ALICE: MEMBER}), [read(1), read(4)])
    assert isinstance(early, Mark)
    assert isinstance(end, Mark)
    assert (early.own.unread_count, end.own.unread_count) == (1, 0)


@pytest.mark.parametrize("make", [read, delivered])
def test_outsiders_mark_nothing(make: Any) -> None:
    for one, members in (
        (make(1, by=CAROL), {ALICE: MEMBER}),
        (make(1), {BOB: GONE, ALICE: MEMBER}),
        (make(1, chat=elsewhere()), {BOB: MEMBER}),
    ):
        ledger = ledger_of(members=members)
        (outcome,) = plan(ledger, [one])
        assert error_of(outcome) is ConversationNotFound
        assert ledger.progress == {}


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.sampled_from([ALICE, BOB]), st.just(0)),
            st.tuples(st.sampled_from(["read", "delivered"]), st.sampled_from([ALICE, BOB]), st.integers(1, 12)),
        ),
        max_size=30,
    ),
    st.integers(1, 5),
    st.integers(0, 4),
)
def test_unread_is_what_was_neither_read_nor_sent_nor_out_of_sight(
    events: list[tuple[str, UserId, int]], join_seq: int, cleared_seq: int
) -> None:
    late = Member(join_seq=Seq(join_seq), left_seq=None, is_alive=True, cleared_seq=cleared_seq)
    ledger = ledger_of(members={ALICE: MEMBER, BOB: late})
    read_up_to, last_seq, sent_up_to = 0, 4, 0
    for number, (kind, user, seq) in enumerate(events):
        if kind == "send":
            command = SendMessage(
                conversation_id=CHAT, client_msg_id=ClientMsgId(str(number)), type="text", content=content("x")
            )
            plan(ledger, [asked(command, by=user)])
            last_seq += 1
            sent_up_to = last_seq if user == BOB else sent_up_to
        else:
            (outcome,) = plan(ledger, [read(seq, by=user) if kind == "read" else delivered(seq, by=user)])
            read_up_to = max(read_up_to, min(seq, last_seq)) if (kind, user) == ("read", BOB) else read_up_to
            assert isinstance(outcome, Mark)
    # Who writes or reads has seen what came before: whatever is unread lies behind all of it.
    unread = [
        seq
        for seq in range(1, last_seq + 1)
        if seq > read_up_to and seq > sent_up_to and seq >= join_seq and seq > cleared_seq
    ]
    (outcome,) = plan(ledger, [delivered(1)])
    assert isinstance(outcome, Mark)
    assert outcome.own.unread_count == len(unread)
