import pytest

from gochat_core.errors import InvalidRequest
from gochat_core.ids import single_conversation_id
from gochat_core.types import ConversationId, UserId
from logic.sync.plan_sync import LIMITS, REACH_BACK_MS, SyncCursor
from tests.integration.messages.frames import ALICE, BOB, CAROL, CHAT
from tests.integration.messages.stage import Stage
from tests.integration.sync.device import Device, Person, history

LONG_MS = REACH_BACK_MS + 1_000


@pytest.fixture
def alice(stage: Stage) -> Person:
    """Alice acts."""
    return Person(door=stage.doors[0], user_id=ALICE)


@pytest.fixture
def bob(stage: Stage) -> Person:
    """Bob acts."""
    return Person(door=stage.doors[0], user_id=BOB)


@pytest.fixture
def phone(stage: Stage) -> Device:
    """Bob's phone, which is to catch up."""
    return Device(door=stage.doors[0], user_id=BOB)


def say(person: Person, count: int, *, first: int = 1, chat: ConversationId = CHAT, to: UserId = BOB) -> None:
    """Send numbered messages."""
    for number in range(first, first + count):
        person.send(chat, f"m{number}", text=f"message {number}", to=to)


def test_a_new_device_gets_everything_newest_first_with_the_latest_messages(
    stage: Stage, alice: Person, phone: Device
) -> None:
    say(alice, LIMITS.latest + 5)
    stage.clock.advance_ms(1)
    carol = Person(door=stage.doors[0], user_id=CAROL)
    carol.send(single_conversation_id(BOB, CAROL), "c1", to=BOB)
    answer = phone.ask()
    assert [one.entry.peer.user_id for one in answer.conversations if one.entry.peer] == [CAROL, ALICE]
    assert [one.seq for one in answer.conversations[1].messages] == list(range(6, LIMITS.latest + 6))
    assert answer.conversations[1].entry.last_message == answer.conversations[1].messages[-1]
    assert (answer.removed, answer.has_more) == ((), False)
    assert not any(one.has_more or one.changed for one in answer.conversations)


def test_a_token_brings_what_changed_since_and_nothing_else(stage: Stage, alice: Person, phone: Device) -> None:
    say(alice, 3)
    phone.sync()
    stage.clock.advance_ms(LONG_MS)
    phone.sync()
    stage.clock.advance_ms(LONG_MS)
    assert phone.ask().conversations == ()
    say(alice, 2, first=4)
    (told,) = phone.ask().conversations
    assert ([one.seq for one in told.messages], told.changed, told.has_more) == ([4, 5], (), False)
    assert told.entry.own.last_seq == 5


def test_mutations_of_what_a_device_holds_come_in_their_order(
    stage: Stage, alice: Person, bob: Person, phone: Device
) -> None:
    say(alice, 4)
    phone.sync()
    stage.clock.advance_ms(LONG_MS)
    phone.sync()
    stage.clock.advance_ms(LONG_MS)
    alice.edit(CHAT, 3, "edited")
    bob.react(CHAT, 1, "👍")
    alice.edit(CHAT, 3, "edited again")
    (told,) = phone.ask().conversations
    assert [(one.seq, one.change) for one in told.changed] == [(1, 2), (3, 3)]
    assert told.messages == ()
    assert told.entry.change == 3
    phone.sync()
    assert phone.held[CHAT] == history(stage.doors[0], BOB, CHAT)
    assert phone.held[CHAT][1].reactions[0].mine


def test_a_hidden_conversation_is_removed_and_comes_back_from_its_new_beginning(
    stage: Stage, alice: Person, bob: Person, phone: Device
) -> None:
    say(alice, 3)
    phone.sync()
    stage.clock.advance_ms(LONG_MS)
    bob.hide(CHAT)
    answer = phone.ask()
    assert (answer.removed, answer.conversations) == ((CHAT,), ())
    say(alice, 2, first=4)
    answer = phone.ask()
    (told,) = answer.conversations
    assert (answer.removed, [one.seq for one in told.messages]) == ((CHAT,), [4, 5])
    phone.sync()
    assert phone.held[CHAT] == history(stage.doors[0], BOB, CHAT)
    other = Device(door=stage.doors[0], user_id=ALICE)
    other.sync()
    assert sorted(other.held[CHAT]) == [1, 2, 3, 4, 5]


def test_more_messages_than_fit_come_from_the_history(stage: Stage, alice: Person, phone: Device) -> None:
    say(alice, 1)
    phone.sync()
    stage.clock.advance_ms(LONG_MS)
    say(alice, LIMITS.messages + 20, first=2)
    (told,) = phone.ask().conversations
    assert [one.seq for one in told.messages] == list(range(2, LIMITS.messages + 2))
    assert told.has_more
    (told,) = phone.ask(named=()).conversations
    assert [one.seq for one in told.messages] == list(range(1, LIMITS.messages + 1)), (
        "the token reaches back to the first"
    )
    assert told.has_more
    phone.sync()
    assert phone.held[CHAT] == history(stage.doors[0], BOB, CHAT)


def test_without_a_cursor_come_the_messages_since_the_token(stage: Stage, alice: Person, phone: Device) -> None:
    say(alice, 300)
    phone.sync()
    stage.clock.advance_ms(LONG_MS)
    phone.sync()
    stage.clock.advance_ms(LONG_MS)
    say(alice, 150, first=301)
    (told,) = phone.ask(named=()).conversations
    assert [one.seq for one in told.messages] == list(range(301, 401))
    assert (told.has_more, told.changed) == (True, ())


def test_more_mutations_than_fit_go_on_with_the_token_whatever_the_cursors_say(
    stage: Stage, alice: Person, phone: Device
) -> None:
    count = 2 * LIMITS.messages + 20
    say(alice, count)
    phone.sync()
    phone.scroll_up(CHAT)
    stage.clock.advance_ms(LONG_MS)
    for seq in range(1, count + 1):
        alice.edit(CHAT, seq, f"edited {seq}")
    answers = [phone.ask()]
    while answers[-1].has_more:
        answers.append(phone.ask(token=answers[-1].token))
    assert [len(answer.conversations[0].changed) for answer in answers] == [LIMITS.messages, LIMITS.messages, 20]
    assert [answer.conversations[0].entry.change for answer in answers] == [LIMITS.messages, 2 * LIMITS.messages, count]
    assert phone.sync() == 3
    assert phone.held[CHAT] == history(stage.doors[0], BOB, CHAT)


def test_cursors_from_the_future_of_strangers_and_of_nobody_break_nothing(
    stage: Stage, alice: Person, phone: Device
) -> None:
    say(alice, 3)
    carol = Person(door=stage.doors[0], user_id=CAROL)
    foreign = single_conversation_id(ALICE, CAROL)
    carol.send(foreign, "c1", to=ALICE)
    most = (1 << 63) - 1
    phone.cursors = {
        CHAT: SyncCursor(seq=most, change=most),
        foreign: SyncCursor(seq=0, change=0),
        ConversationId("0" * 32): SyncCursor(seq=0, change=0),
        ConversationId("nonsense"): SyncCursor(seq=0, change=0),
    }
    answer = phone.ask()
    (told,) = answer.conversations
    assert (told.messages, told.changed, told.has_more) == ((), (), False)
    assert answer.removed == ()


def test_a_token_of_somebody_else_or_tampered_with_is_refused(stage: Stage, alice: Person, phone: Device) -> None:
    say(alice, 1)
    phone.sync()
    token = phone.token or ""
    other = Device(door=stage.doors[0], user_id=ALICE)
    for bad in (token[:-1], token + "A", token[::-1], "", "x", "é", "A" * 10_000):
        phone.token = bad
        with pytest.raises(InvalidRequest):
            phone.ask()
    other.token = token
    with pytest.raises(InvalidRequest):
        other.ask()


def test_a_walk_over_many_conversations_tells_of_what_moves_meanwhile(stage: Stage, phone: Device) -> None:
    peers = [UserId(10_000 + number) for number in range(2 * LIMITS.conversations + 10)]
    stage.add_users(*peers)
    people = [Person(door=stage.doors[0], user_id=peer) for peer in peers]
    for person in people:
        person.send(single_conversation_id(person.user_id, BOB), "m1", to=BOB)
        stage.clock.advance_ms(1)
    stage.clock.advance_ms(LONG_MS)
    first = phone.ask()
    phone.apply(first)
    assert len(first.conversations) == LIMITS.conversations
    late = people[0]
    late.send(single_conversation_id(late.user_id, BOB), "m2")
    pages = 1 + phone.sync()
    assert pages == 4, "three newest first, and one for what moved meanwhile"
    for person in people:
        chat = single_conversation_id(person.user_id, BOB)
        if phone.cursors[chat].seq:
            phone.scroll_up(chat)
        assert phone.held[chat] == history(stage.doors[0], BOB, chat)
