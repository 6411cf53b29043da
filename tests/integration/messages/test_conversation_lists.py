import pytest

from gochat_core.ids import single_conversation_id
from gochat_core.types import ConversationId, UserId
from logic.conversations.list_conversations import list_conversations
from logic.messages.list_messages import list_messages
from tests.integration.messages.frames import ALICE, CHAT, frame
from tests.integration.messages.stage import Stage

CHATS = 1000


@pytest.fixture
def busy(stage: Stage) -> Stage:
    """Alice has a thousand chats, one message in each."""
    peers = [UserId(10_000 + number) for number in range(CHATS)]
    stage.add_users(*peers)
    for start in range(0, CHATS, 200):
        stage.clock.advance_ms(1)
        stage.doors[0].apply(*(frame("m", peer=peer) for peer in peers[start : start + 200]))
    stage.rows("ANALYZE TABLE conversation_participants, conversations, messages")
    return stage


def test_a_thousand_conversations_are_listed_in_one_round_trip_a_page(busy: Stage) -> None:
    database = busy.doors[0].database
    before = database.round_trips
    page = list_conversations(database, ALICE, limit=50, cursor=None)
    assert database.round_trips - before == 1
    assert len(page.entries) == 50
    assert all(entry.last_message is not None and entry.peer is not None for entry in page.entries)
    seen: set[ConversationId] = {entry.conversation_id for entry in page.entries}
    while page.next_cursor is not None:
        page = list_conversations(database, ALICE, limit=100, cursor=page.next_cursor)
        seen |= {entry.conversation_id for entry in page.entries}
    assert seen == {single_conversation_id(ALICE, UserId(10_000 + number)) for number in range(CHATS)}


def test_a_page_reads_what_it_shows_and_not_the_whole_list(busy: Stage) -> None:
    database = busy.doors[0].database
    first = list_conversations(database, ALICE, limit=50, cursor=None)
    for cursor in (None, first.next_cursor):

        def reads(cursor: str | None = cursor) -> int:
            before = handler_reads(busy)
            list_conversations(database, ALICE, limit=50, cursor=cursor)
            return handler_reads(busy) - before

        assert reads() < 13 * 51, "rows of five tables for fifty entries, two of them twice, and the page's keys"


def test_a_page_of_the_history_costs_the_same_at_every_seq(stage: Stage) -> None:
    door = stage.doors[0]
    for start in range(0, 2000, 400):
        door.apply(*(frame(f"m{number}") for number in range(start, start + 400)))
    costs = []
    for before_seq in (100, 1000, 2000):
        before = handler_reads(stage)
        page = list_messages(door.database, ALICE, CHAT, before_seq=before_seq, after_seq=None, limit=50)
        costs.append(handler_reads(stage) - before)
        assert [message.seq for message in page.messages] == list(range(before_seq - 50, before_seq))
    assert max(costs) - min(costs) <= 2


def handler_reads(stage: Stage) -> int:
    """Return how many rows the storage engine handed out on this connection."""
    rows = stage.rows("SHOW SESSION STATUS LIKE 'Handler_read%%'")
    return sum(int(value) for name, value in rows if name != "Handler_read_rnd_next")
