"""What the terminal client sends when, and what it sends again."""

import itertools

import pytest

from dev_cli.chat.outbox import RESEND_AFTER_S, Draft, Outbox


@pytest.fixture
def outbox() -> Outbox:
    numbers = itertools.count(1)
    return Outbox(lambda: f"id-{next(numbers)}")


def sent(outbox: Outbox, now_s: float) -> Draft:
    draft = outbox.take_next(now_s)
    assert draft is not None
    return draft


def test_messages_go_out_one_unacknowledged_at_a_time_in_the_order_typed(outbox: Outbox) -> None:
    outbox.compose("first", 0.0)
    outbox.compose("second", 0.1)
    assert sent(outbox, 0.2).text == "first"
    assert outbox.take_next(0.3) is None
    outbox.on_ack("id-1", 0.4)
    assert sent(outbox, 0.5).text == "second"


def test_a_message_stored_before_its_ack_also_makes_room_for_the_next(outbox: Outbox) -> None:
    outbox.compose("first", 0.0)
    outbox.compose("second", 0.0)
    sent(outbox, 0.1)
    assert outbox.on_settled("id-1") is not None
    outbox.on_ack("id-1", 0.2)
    assert sent(outbox, 0.3).text == "second"


def test_after_a_disconnect_everything_unstored_goes_out_again_under_its_old_id(outbox: Outbox) -> None:
    outbox.compose("accepted", 0.0)
    outbox.compose("sent", 0.0)
    sent(outbox, 0.1)
    outbox.on_ack("id-1", 0.2)
    sent(outbox, 0.3)
    outbox.on_disconnect(0.4)
    first = sent(outbox, 1.0)
    assert (first.client_msg_id, first.text) == ("id-1", "accepted")
    outbox.on_ack("id-1", 1.1)
    assert sent(outbox, 1.2).client_msg_id == "id-2"


def test_a_message_without_an_answer_goes_out_again_after_a_while(outbox: Outbox) -> None:
    outbox.compose("lost", 0.0)
    sent(outbox, 0.0)
    outbox.requeue_overdue(RESEND_AFTER_S - 0.1)
    assert outbox.take_next(RESEND_AFTER_S - 0.1) is None
    outbox.requeue_overdue(RESEND_AFTER_S)
    assert sent(outbox, RESEND_AFTER_S).client_msg_id == "id-1"


def test_a_retryable_error_puts_the_message_back_before_later_ones(outbox: Outbox) -> None:
    outbox.compose("first", 0.0)
    outbox.compose("second", 0.0)
    sent(outbox, 0.1)
    outbox.on_retryable_error("id-1", 0.2)
    assert sent(outbox, 0.3).text == "first"


def test_a_settled_message_is_settled_once(outbox: Outbox) -> None:
    outbox.compose("text", 0.0)
    sent(outbox, 0.1)
    assert outbox.on_settled("id-1") is not None
    assert outbox.on_settled("id-1") is None
    assert outbox.unstored == ()
