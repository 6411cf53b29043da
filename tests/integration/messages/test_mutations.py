from collections.abc import Callable
from itertools import permutations
from typing import Any

import msgspec
import pytest

from gochat_contracts.commands import AddReaction
from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.message_view import find_unlisted_viewers, view_message
from gochat_repo.outbox import OVERDUE_MS
from logic.announce.announcer import OVERDUE_CHECK_MS
from tests.integration.messages.frames import (
    ALICE,
    BOB,
    CAROL,
    CHAT,
    LAPTOP,
    PHONE,
    act,
    command,
    edit,
    frame,
    react,
    recall,
    unreact,
)
from tests.integration.messages.stage import Stage

CROWD = [UserId(2000 + number) for number in range(25)]


@pytest.fixture
def chat(stage: Stage) -> Stage:
    """Alice on two devices and Bob on one, with two messages of hers between them."""
    stage.connect(ALICE, PHONE)
    stage.connect(ALICE, LAPTOP)
    stage.connect(BOB)
    stage.doors[0].apply(frame("a"), frame("b"))
    stage.producer.records.clear()
    return stage


def test_a_recalled_message_loses_its_content_for_good_and_everybody_hears_of_it(chat: Stage) -> None:
    chat.doors[0].apply(react(1))
    assert chat.doors[0].apply(recall(1)).counts["changed"] == 1
    message = chat.message(1)
    assert (message.content, message.mentions, message.reactions) == (b"{}", (), ())
    assert message.recalled_at_ms == chat.clock.now_ms()
    assert chat.rows("SELECT content, reactions FROM messages WHERE seq = 1") == [("{}", None)]
    assert chat.rows("SELECT is_removed FROM message_reactions") == [(1,)]
    told = {
        "conversation_id": CHAT,
        "seq": 1,
        "change": 2,
        "sender_id": "1",
        "recalled_at": "2026-11-23T06:00:00.000Z",
    }
    assert chat.told(BOB, "message.recalled") == [told]
    assert chat.told(ALICE, "message.recalled") == [told]
    assert chat.devices(ALICE, "message.recalled") == [{PHONE, LAPTOP}], "the acting device too"
    chat.check_all_announced()


def test_an_edit_replaces_the_text_and_keeps_what_the_message_is_known_by(chat: Stage) -> None:
    chat.doors[0].apply(edit(1, "grüße 👋"))
    message = chat.message(1)
    assert message.content == '{"text":"grüße 👋"}'.encode()
    assert (message.edited_at_ms, message.change) == (chat.clock.now_ms(), 1)
    (told,) = chat.told(BOB, "message.edited")
    assert (told["content"], told["change"], told["edited_at"]) == (
        {"text": "grüße 👋"},
        1,
        "2026-11-23T06:00:00.000Z",
    )
    assert chat.doors[0].apply(frame("a")).counts["duplicate"] == 1, "a resend of the first text is known"
    assert chat.doors[0].send_over_rest("a").message.content == message.content


def test_the_answer_to_a_resend_of_a_recalled_message_is_the_first_one(chat: Stage) -> None:
    chat.doors[0].apply(recall(1))
    assert chat.doors[0].apply(frame("a")).counts["duplicate"] == 1
    (stored,) = chat.told(ALICE, "message.stored")
    assert (stored["client_msg_id"], stored["seq"]) == ("a", 1)
    assert chat.doors[0].apply(frame("a", text="other")).rejected == {"client_msg_id_conflict": 1}
    assert chat.message(1).content == b"{}"


def test_reactions_are_counted_listed_and_taken_back(chat: Stage) -> None:
    chat.doors[0].apply(react(1), react(1, by=ALICE), react(1, "🎉", by=ALICE))
    chat.doors[0].apply(unreact(1))
    message = chat.message(1)
    assert [(one.emoji, one.count, one.user_ids) for one in message.reactions] == [("👍", 1, (1,)), ("🎉", 1, (1,))]
    assert [
        (one["change"], one["action"], one["emoji"], one["count"], one["user_ids"])
        for one in chat.told(BOB, "reaction")
    ] == [
        (1, "add", "👍", 1, ["2"]),
        (2, "add", "👍", 2, ["2", "1"]),
        (3, "add", "🎉", 1, ["1"]),
        (4, "remove", "👍", 1, ["1"]),
    ]
    assert view_message(message, ALICE).reactions[0].mine
    assert not view_message(message, BOB).reactions[0].mine
    assert chat.rows("SELECT last_change FROM conversations") == [(4,)]


@pytest.mark.parametrize("order", list(permutations(["send", "edit", "react", "recall"])), ids="-".join)
def test_whatever_the_order_within_a_batch_one_at_a_time_gives_the_same(stage: Stage, order: tuple[str, ...]) -> None:
    first, second = stage.open_door(), stage.open_door()
    group = [stage.add_group([ALICE, BOB]) for _ in range(2)]
    for door, chat in zip((first, second), group, strict=True):
        door.apply(act(command("before", conversation_id=chat)))

    def frames(chat: ConversationId) -> list[Any]:
        made: dict[str, Callable[[], Any]] = {
            "send": lambda: act(command("x", conversation_id=chat, text="first")),
            "edit": lambda: edit(2, "second", chat=chat),
            "react": lambda: react(2, chat=chat),
            "recall": lambda: recall(2, chat=chat),
        }
        return [made[name]() for name in order]

    together = first.apply(*frames(group[0]))
    apart = [second.apply(one) for one in frames(group[1])]
    assert together.counts == sum((one.counts for one in apart), start=type(together.counts)())
    assert together.rejected == sum((one.rejected for one in apart), start=type(together.rejected)())
    ours, theirs = (
        [
            msgspec.structs.replace(one, conversation_id=ConversationId(""), message_id=0)
            for one in (stage.message(1, chat), stage.message(2, chat))
        ]
        for chat in group
    )
    assert ours == theirs


def test_a_message_recalled_in_its_own_batch_is_never_shown(stage: Stage) -> None:
    stage.connect(BOB)
    stage.doors[0].apply(frame("a", text="oops"), recall(1))
    assert b"oops" not in b"".join(record.value for record in stage.producer.records)
    (new,) = stage.told(BOB, "message.new")
    assert (new["recalled"], new["content"], new["change"]) == (True, {}, 1)
    assert [one["seq"] for one in stage.told(BOB, "message.recalled")] == [1]


def test_refusals_reach_the_device_that_asked(chat: Stage) -> None:
    late_ms = chat.clock.now_ms() + 120_001
    verdicts = chat.doors[0].apply(
        recall(1, by=BOB), edit(1, "x", by=BOB), recall(2, at_ms=late_ms), react(3), edit(1, "x", by=CAROL)
    )
    assert verdicts.rejected == {"forbidden": 3, "message_not_found": 1, "conversation_not_found": 1}
    assert [(one["id"], one["action"], one["code"]) for one in chat.told(BOB, "request.rejected")] == [
        ("f1", "message.recall", "forbidden"),
        ("f1", "message.edit", "forbidden"),
        ("f1", "reaction.add", "message_not_found"),
    ]
    assert chat.devices(ALICE, "request.rejected") == [{PHONE}]
    assert chat.rows("SELECT last_change FROM conversations") == [(0,)]
    assert chat.dead_letters() == []


def test_what_is_asked_for_again_changes_nothing_and_is_not_said_again(chat: Stage) -> None:
    batch = [edit(1, "x"), react(1), recall(2)]
    assert chat.doors[0].apply(*batch).counts["changed"] == 3
    chat.check_all_announced()
    assert chat.open_door().apply(*batch).counts["unchanged"] == 3
    assert chat.rows("SELECT last_change FROM conversations") == [(3,)]
    for event in ("message.edited", "reaction", "message.recalled"):
        assert len(chat.told(BOB, event)) == 1


def test_a_redelivered_pair_of_edits_comes_to_the_same_end(chat: Stage) -> None:
    batch = [edit(1, "x"), edit(1, "y")]
    chat.doors[0].apply(*batch)
    chat.doors[0].apply(*batch)
    assert chat.message(1).content == b'{"text":"y"}'
    told = chat.told(BOB, "message.edited")
    assert max(told, key=lambda one: int(one["change"]))["content"] == {"text": "y"}


def test_while_the_broker_is_away_changes_come_again_and_are_announced_at_once(chat: Stage) -> None:
    batch = [edit(1, "x"), recall(2)]
    chat.producer.available = False
    assert chat.doors[0].apply(*batch).failed == {0, 1}
    assert chat.outbox() == 2
    chat.producer.available = True
    assert chat.doors[0].apply(*batch).counts["unchanged"] == 2
    assert [one["content"] for one in chat.told(BOB, "message.edited")] == [{"text": "x"}]
    assert [one["seq"] for one in chat.told(BOB, "message.recalled")] == [2]
    chat.check_all_announced()


def test_changes_that_nobody_repeats_are_announced_by_whoever_comes_by(chat: Stage) -> None:
    other = chat.open_door()
    chat.producer.available = False
    chat.doors[0].apply(edit(1, "x"), react(1))
    chat.producer.available = True
    chat.clock.advance_ms(OVERDUE_MS + OVERDUE_CHECK_MS)
    other.apply(frame("later", sender=CAROL, peer=ALICE))
    assert [one["content"] for one in chat.told(BOB, "message.edited")] == [{"text": "x"}]
    assert [one["count"] for one in chat.told(BOB, "reaction")] == [1]
    chat.check_all_announced()


def test_who_joined_later_hears_nothing_of_what_came_before(stage: Stage) -> None:
    group = stage.add_group([ALICE, BOB, CAROL], join_seqs={CAROL: 2})
    for user in (ALICE, BOB, CAROL):
        stage.connect(user)
    door = stage.doors[0]
    door.apply(act(command("a", conversation_id=group)), act(command("b", conversation_id=group)))
    assert door.apply(react(1, by=CAROL, chat=group)).rejected == {"message_not_found": 1}
    door.apply(edit(1, "secret", chat=group), edit(2, "for all", chat=group))
    assert [one["seq"] for one in stage.told(BOB, "message.edited")] == [1, 2]
    assert [one["seq"] for one in stage.told(CAROL, "message.edited")] == [2]


def test_a_list_of_the_first_twenty_is_filled_again_when_one_of_them_goes(stage: Stage) -> None:
    stage.add_users(*CROWD)
    group = stage.add_group([ALICE, *CROWD])
    stage.connect(ALICE)
    door = stage.doors[0]
    door.apply(act(command("a", conversation_id=group)), *(react(1, by=user, chat=group) for user in CROWD))
    (held,) = stage.message(1, group).reactions
    assert (held.count, held.user_ids) == (25, tuple(CROWD[:20]))
    seen = stage.message(1, group)
    unlisted = door.database.read(lambda tx: find_unlisted_viewers(tx, [(seen, [CROWD[0], CROWD[24], ALICE])]))
    assert [view_message(seen, user, unlisted).reactions[0].mine for user in (CROWD[0], CROWD[24], ALICE)] == [
        True,
        True,
        False,
    ]
    door.apply(unreact(1, by=CROWD[3], chat=group), react(1, by=ALICE, chat=group))
    (held,) = stage.message(1, group).reactions
    expected = [*CROWD[:3], *CROWD[4:21]]
    assert (held.count, list(held.user_ids)) == (25, expected)
    assert stage.told(ALICE, "reaction")[-1]["user_ids"] == [str(user) for user in expected]
    for user in [*CROWD[:3], *CROWD[4:]]:
        door.apply(unreact(1, by=user, chat=group))
    (held,) = stage.message(1, group).reactions
    assert (held.count, held.user_ids) == (1, (ALICE,))


def test_a_message_takes_twenty_different_emoji(chat: Stage) -> None:
    emoji = [chr(0x1F600 + number) for number in range(21)]
    verdicts = chat.doors[0].apply(*(react(1, one) for one in emoji))
    assert (verdicts.counts["changed"], verdicts.rejected) == (20, {"invalid_request": 1})
    assert chat.doors[0].apply(react(1, emoji[0], by=ALICE)).counts["changed"] == 1, "one of them, by another"
    chat.doors[0].apply(unreact(1, emoji[5]))
    assert chat.doors[0].apply(react(1, emoji[20])).counts["changed"] == 1, "there is room again"


def test_a_reaction_that_cannot_be_stored_is_found_by_halving(chat: Stage) -> None:
    bad = act(AddReaction(conversation_id=CHAT, seq=Seq(1), emoji="👍" * 33), sender=BOB)
    verdicts = chat.doors[0].apply(react(1), bad, edit(1, "x"))
    assert (verdicts.counts["changed"], verdicts.rejected) == (2, {"internal_error": 1})
    assert [(letter.offset, letter.reason) for letter in chat.dead_letters()] == [(bad.offset, "bad_data")]
    assert [(one["id"], one["code"]) for one in chat.told(BOB, "request.rejected")] == [("f1", "internal_error")]
