"""What becomes of items whose time is over, or runs out while they are posted."""

import pytest

from gochat_aws.connections_api import Outcome
from tests.fakes.connections import InMemoryConnections
from tests.unit.gateway.batches import LAPTOP, NOW_MS, PHONE, deliver, event, frames, in_memory_api, message, record


@pytest.fixture
def api() -> InMemoryConnections:
    return in_memory_api()


def test_typing_is_dropped_once_its_time_is_over(api: InMemoryConnections) -> None:
    verdict = deliver(api, record(event("typing", expires_in_ms=0), message(1)))

    assert frames(api, PHONE) == [("message.new", [1])]
    assert verdict.dead == []


def test_typing_whose_time_runs_out_on_the_way_is_not_posted_late(api: InMemoryConnections) -> None:
    api.now_s = lambda: NOW_MS / 1000 + 6

    verdict = deliver(api, record(event("typing"), message(1), event("message.stored", expires_in_ms=120_000)))

    assert frames(api, PHONE) == [("message.new", [1]), ("message.stored", [])]
    assert (verdict.failed, verdict.dead) == (set(), [])
    assert verdict.posts["too_late"] == 1


def test_a_message_whose_time_is_over_takes_the_offline_path_and_its_connection_ends(api: InMemoryConnections) -> None:
    verdict = deliver(api, record(message(1, expires_in_ms=0), message(2)))

    assert frames(api, PHONE) == []
    assert api.deleted == [PHONE.connection_id], "its client connects again and catches up"
    assert [ref.seq for ref in verdict.dead[0].missed_by.missed] == [1, 2]


@pytest.mark.parametrize("outcome", [Outcome.RETRY_LATER, Outcome.REFUSED])
def test_a_connection_that_cannot_be_ended_now_is_not_taken_for_dead(
    api: InMemoryConnections, outcome: Outcome
) -> None:
    api.outcomes[PHONE.connection_id].append(outcome)

    verdict = deliver(api, record(message(1, expires_in_ms=0)))

    assert (verdict.failed, verdict.dead) == ({0}, []), "open and registered no more, it would never hear anything"


@pytest.mark.parametrize("name", ["message.recalled", "message.edited", "reaction", "receipt", "conversation.updated"])
def test_a_change_whose_time_is_over_ends_its_connection_so_that_its_client_catches_up(
    api: InMemoryConnections, name: str
) -> None:
    late = event(name, expires_in_ms=0, to=(0,))

    verdict = deliver(api, record(late, message(1), connections=(PHONE, LAPTOP)))

    assert frames(api, PHONE) == []
    assert frames(api, LAPTOP) == [("message.new", [1])]
    assert api.deleted == [PHONE.connection_id]
    assert [ref.seq for ref in verdict.dead[0].missed_by.missed] == [1]


def test_a_late_answer_to_a_frame_is_dropped(api: InMemoryConnections) -> None:
    verdict = deliver(api, record(event("reply", expires_in_ms=0, is_frame=True)))

    assert (api.calls, verdict.dead) == ([], [])


def test_a_change_is_posted_however_long_the_posts_before_it_took(api: InMemoryConnections) -> None:
    api.now_s = lambda: NOW_MS / 1000 + 6

    deliver(api, record(event("reaction"), event("typing")))

    assert frames(api, PHONE) == [("reaction", [])]
