"""What a crash left unannounced is announced by the sweep, though nobody ever writes again."""

import pytest

from gochat_core.errors import Unavailable
from gochat_repo.outbox import OVERDUE_MS
from logic.announce.announcer import Announcer
from logic.sweep.redrive import OutboxSweep
from tests.integration.messages.frames import ALICE, BOB, frame
from tests.integration.messages.stage import Stage
from tests.integration.sweeps.conftest import in_time, too_late


@pytest.fixture
def left_behind(stage: Stage) -> OutboxSweep:
    """Have a message stored and not announced; return the sweep of another container."""
    stage.connect(ALICE)
    stage.connect(BOB)
    stage.producer.available = False
    stage.doors[0].apply(frame("m-1"))
    stage.producer.available = True
    # The first message of a chat, which is news too.
    assert (stage.stored(), stage.outbox(), stage.told(BOB, "message.new")) == ([(1, "m-1")], 2, [])
    other = stage.open_door()
    announcer = Announcer(other.database, other.connections, stage.producer, stage.clock)
    return OutboxSweep(database=other.database, announcer=announcer, clock=stage.clock)


def test_an_overdue_announcement_is_made_by_the_sweep(stage: Stage, left_behind: OutboxSweep) -> None:
    assert left_behind.redrive_overdue(in_time(stage)) == {"OutboxRedriven": 0}
    stage.clock.advance_ms(OVERDUE_MS + 1)
    assert left_behind.redrive_overdue(in_time(stage)) == {"OutboxRedriven": 2}
    assert [message["client_msg_id"] for message in stage.told(BOB, "message.new")] == ["m-1"]
    assert len(stage.told(BOB, "conversation.created")) == 1
    stage.check_all_announced()


def test_a_sweep_that_fails_or_has_no_time_leaves_it_to_the_next(stage: Stage, left_behind: OutboxSweep) -> None:
    stage.clock.advance_ms(OVERDUE_MS + 1)
    assert left_behind.redrive_overdue(too_late(stage)) == {"OutboxRedriven": 0}
    stage.producer.available = False
    with pytest.raises(Unavailable):
        left_behind.redrive_overdue(in_time(stage))
    stage.producer.available = True
    assert stage.outbox() == 2
    stage.clock.advance_ms(OVERDUE_MS + 1)
    assert left_behind.redrive_overdue(in_time(stage)) == {"OutboxRedriven": 2}
