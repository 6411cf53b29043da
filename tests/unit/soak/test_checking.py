import asyncio
import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.model.phone import Phone
from tests.model.reference import Command
from tests.soak.actor import LATEST, Actor
from tests.soak.checking import Problem, TalkCheck
from tests.soak.talks import Sent, Talk
from tests.soak.tally import Latencies, Tally
from tests.soak.wire import Line

ALICE, BOB, CAROL = "1", "2", "3"
CHAT = "c" * 32

Shown = dict[str, Any]


def message(seq: int, sender: str, **other: Any) -> Shown:
    return {
        "seq": seq,
        "sender_id": sender,
        "client_msg_id": f"m{seq}",
        "message_id": f"id{seq}",
        "type": "text",
        "content": {"text": f"text {seq}"},
        "reply_to_seq": None,
        "mentions": [],
        "recalled": False,
        "change": 0,
        "created_at": "2026-11-23T07:00:00.123Z",
        "edited_at": None,
        "reactions": [],
        "conversation_id": CHAT,
        **other,
    }


@dataclass
class Doors:
    """What the two people find at their doors; a test spoils it."""

    stored: list[Shown]
    cursors: dict[str, Shown]
    withheld: set[int] = field(default_factory=set)
    withheld_from: set[str] = field(default_factory=lambda: {ALICE, BOB, CAROL})

    def line(self, user: str) -> Line:
        async def call(method: str, path: str, body: object = None, **_: object) -> Any:
            shown = [one for one in self.stored if one["seq"] > int(path.partition("after_seq=")[2].split("&")[0] or 0)]
            if path == "/sync":
                state = {"conversation_id": CHAT, "peer_delivered_seq": 0, "peer_read_seq": 0, **self.cursors[user]}
                hidden = self.withheld if user in self.withheld_from else set()
                known = [one for one in self.stored if one["seq"] not in hidden]
                entry = {"conversation": {"change": 9, **state}, "messages": known, "changed": [], "has_more": False}
                answer: Shown = {"conversations": [entry], "removed": [], "token": "t", "has_more": False}
            elif "messages" in path:
                answer = {"messages": shown, "has_more": False}
            else:
                answer = {"conversation": self.cursors[user]}
            return SimpleNamespace(status_code=200, json=lambda: answer)

        return cast("Line", SimpleNamespace(call=call))


def a_talk() -> tuple[Talk, Doors]:
    """Two messages of Alice's and one of Bob's, who has read the first; all is well."""
    talk = Talk(CHAT, (ALICE, BOB))
    stored = [message(1, ALICE), message(2, ALICE), message(3, BOB)]
    for one in stored:
        data = {key: one[key] for key in ("client_msg_id", "type", "content")}
        talk.sent[one["client_msg_id"]] = Sent(one["sender_id"], data, 0.0, accepted=True, stored_seq=one["seq"])
    talk.mark(BOB, "message.read", 1)
    cursors = {
        ALICE: {"last_seq": 3, "read_seq": 2, "unread_count": 1, "peer_read_seq": 1},
        BOB: {"last_seq": 3, "read_seq": 3, "unread_count": 0, "peer_read_seq": 0},
    }
    return talk, Doors(stored, cursors)


def a_group_talk() -> tuple[Talk, Doors]:
    """A group that began with a `system` message; each has written, and Carol likes what Bob wrote."""
    talk = Talk(CHAT, (ALICE, BOB, CAROL), is_group=True)
    talk.begin_group({ALICE: 1, BOB: 0, CAROL: 0}, last_seq=1)
    stored = [message(1, ALICE, type="system"), message(2, ALICE), message(3, BOB), message(4, CAROL)]
    for one in stored[1:]:
        data = {key: one[key] for key in ("client_msg_id", "type", "content")}
        talk.sent[one["client_msg_id"]] = Sent(one["sender_id"], data, 0.0, accepted=True, stored_seq=one["seq"])
    talk.changes.append(Command("", "reaction.add", CAROL, {"seq": 3, "emoji": "👍"}, 0))
    stored[2] |= {"change": 1, "reactions": [{"emoji": "👍", "count": 1, "mine": False, "user_ids": [CAROL]}]}
    told = {"last_seq": 4, "peer_read_seq": 0}
    cursors = {
        ALICE: {**told, "read_seq": 2, "unread_count": 2},
        BOB: {**told, "read_seq": 3, "unread_count": 1},
        CAROL: {**told, "read_seq": 4, "unread_count": 0},
    }
    return talk, Doors(stored, cursors)


def actors_of(talk: Talk, doors: Doors) -> dict[str, list[Actor]]:
    return {
        user: [Actor(doors.line(user), Phone(user, "phone"), {CHAT: talk}, Tally(), random.Random(1))]
        for user in talk.members
    }


def look(talk: Talk, doors: Doors) -> list[Problem]:
    actors = actors_of(talk, doors)

    async def sync_and_look() -> list[Problem]:
        for user in talk.members:
            await actors[user][0].sync()
        return await TalkCheck(talk, actors).look()

    return asyncio.run(sync_and_look())


def kinds(talk: Talk, doors: Doors) -> set[str]:
    return {kind for kind, _ in look(talk, doors)}


def test_a_talk_in_which_all_is_well_has_no_problem() -> None:
    assert look(*a_talk()) == []


def test_a_group_in_which_all_is_well_has_no_problem() -> None:
    assert look(*a_group_talk()) == []


def test_a_message_that_a_group_lost_is_noticed() -> None:
    talk, doors = a_group_talk()
    del doors.stored[3]
    assert "lost" in kinds(talk, doors)


def test_one_member_of_a_group_who_does_not_get_a_message_is_noticed() -> None:
    talk, doors = a_group_talk()
    doors.withheld.add(4)
    doors.withheld_from = {ALICE}
    assert {what.split()[1] for kind, what in look(talk, doors) if kind == "unseen"} == {ALICE}


def test_a_member_of_a_group_whose_count_is_wrong_is_noticed() -> None:
    talk, doors = a_group_talk()
    doors.cursors[CAROL]["unread_count"] = 1
    assert kinds(talk, doors) == {"drifted"}


def test_an_accepted_message_that_is_not_stored_is_lost() -> None:
    talk, doors = a_talk()
    del doors.stored[2]
    assert "lost" in kinds(talk, doors)


def test_a_message_under_two_numbers_is_doubled() -> None:
    talk, doors = a_talk()
    doors.stored.append(message(4, BOB, client_msg_id="m3"))
    assert "doubled" in kinds(talk, doors)


def test_a_gap_is_misnumbered() -> None:
    talk, doors = a_talk()
    doors.stored[2] = message(4, BOB, client_msg_id="m3")
    assert "misnumbered" in kinds(talk, doors)


def test_another_number_than_the_one_that_was_told_is_misnumbered() -> None:
    talk, doors = a_talk()
    talk.sent["m3"].stored_seq = 2
    assert kinds(talk, doors) == {"misnumbered"}


def test_an_unread_count_beside_the_cursors_has_drifted() -> None:
    talk, doors = a_talk()
    doors.cursors[ALICE]["unread_count"] = 2
    assert kinds(talk, doors) == {"drifted"}


@pytest.mark.parametrize("seq", [1, 2])
def test_what_a_device_lacks_after_a_sync_is_unseen(seq: int) -> None:
    talk, doors = a_talk()
    doors.withheld.add(seq)
    assert kinds(talk, doors) == {"unseen"}


def test_what_is_older_than_the_latest_that_a_new_device_is_shown_is_not_due() -> None:
    talk, doors = a_talk()
    for seq in range(4, 4 + LATEST):
        doors.stored.append(message(seq, BOB))
        talk.sent[f"m{seq}"] = Sent(
            BOB, {key: doors.stored[-1][key] for key in ("client_msg_id", "type", "content")}, 0.0
        )
    doors.withheld.update({1, 2, 3})
    doors.cursors[ALICE] |= {"last_seq": 3 + LATEST, "unread_count": 1 + LATEST}
    doors.cursors[BOB] |= {"last_seq": 3 + LATEST, "read_seq": 3 + LATEST}
    actors, tally = actors_of(talk, doors), Tally()

    async def conclude() -> list[Problem]:
        for user in talk.members:
            await actors[user][0].sync()
        check = TalkCheck(talk, actors)
        problems = await check.look()
        check.conclude(tally)
        return problems

    assert asyncio.run(conclude()) == []
    told = tally.messages
    assert (told["due"], told["synced"], told["older"]) == (1 + LATEST + 2, LATEST, 3)


def test_an_edit_that_came_to_nothing_is_noticed() -> None:
    talk, doors = a_talk()
    doors.stored[0]["content"] = {"text": "never asked for"}
    assert kinds(talk, doors) == {"other"}


def test_latencies_are_told_to_four_percent_in_a_size_that_does_not_grow() -> None:
    latencies = Latencies()
    for ms in range(1, 10_001):
        latencies.note(float(ms))
    assert abs(latencies.quantile(0.5) - 5_000) < 200
    assert abs(latencies.quantile(0.99) - 9_900) < 400
    assert latencies.largest_ms == 10_000
    assert len(latencies.buckets) < 300
