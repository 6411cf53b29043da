"""Who hears a message in a large group, how often, and what happens when functions die on the way."""

import json
from collections import Counter

import msgspec
import pytest

from gochat_contracts.records import DEAD_LETTER_TOPIC, DeadLetter, FanOutEvent, FanOutPage, decode
from gochat_core.types import Seq, UserId
from tests.fixtures.large_groups import PHONE, LargeGroup, fan_out_record, give_push_tokens
from tests.integration.fan_out.conftest import PAGE_MEMBERS
from tests.integration.fan_out.machinery import Machinery

TEN_THOUSAND = 10_000


def away(group: LargeGroup) -> set[UserId]:
    return set(group.members) - set(group.online)


def test_each_online_device_of_ten_thousand_members_hears_a_message_once_and_the_others_are_pushed_to(
    machinery: Machinery,
) -> None:
    group = machinery.add_group(TEN_THOUSAND)
    reachable = sorted(away(group))[::100]
    give_push_tokens(machinery.database, reachable)

    machinery.say(group, 1)
    machinery.run()

    assert machinery.frames(group) == {user_id: [[1]] for user_id in group.online}
    missed = Counter(user_id for task in machinery.offline_tasks() for user_id in task.user_ids)
    assert missed == dict.fromkeys(away(group), 1)
    assert sorted(machinery.pushed()) == reachable
    pages = [task for task in machinery.tasks() if isinstance(task, FanOutPage)]
    assert len(pages) == TEN_THOUSAND // PAGE_MEMBERS
    assert all(len(task.user_ids) <= PAGE_MEMBERS for task in machinery.offline_tasks())


def test_each_of_ten_thousand_members_is_told_though_every_function_dies_at_every_step(machinery: Machinery) -> None:
    group = machinery.add_group(TEN_THOUSAND)
    reachable = sorted(away(group))[::100]
    give_push_tokens(machinery.database, reachable)

    machinery.say(group, 1)
    for mapping in ("worker", "bulk"):
        machinery.run_dying_at_every_step(mapping)
    machinery.run()

    assert machinery.deaths > 10 * TEN_THOUSAND // PAGE_MEMBERS
    heard = machinery.frames(group)
    assert heard.keys() == set(group.online)
    assert all(frame == [1] for frames in heard.values() for frame in frames)
    assert set(machinery.pushed()) == set(reachable)


def test_the_sender_hears_it_on_every_device_but_the_one_that_sent_it_and_misses_nothing(machinery: Machinery) -> None:
    group = machinery.add_group(150)
    machinery.change(_CONNECT, group.sender, "laptop", "laptop=", machinery.clock.now_ms())

    machinery.say(group, 1, origin=PHONE)
    machinery.run()

    heard = machinery.frames(group)
    assert group.sender not in heard
    assert set(heard) == set(group.online) - {group.sender}
    assert len(machinery.posts.posted["laptop="]) == 1

    machinery.change("DELETE FROM connections WHERE user_id = %s", group.sender)
    machinery.flush_cache()
    machinery.say(group, 2)
    machinery.run()
    assert not any(group.sender in task.user_ids for task in machinery.offline_tasks())


def test_what_fits_into_one_page_needs_no_further_task(machinery: Machinery) -> None:
    group = machinery.add_group(PAGE_MEMBERS)
    machinery.say(group, 1)
    machinery.run()
    assert not any(isinstance(task, FanOutPage) for task in machinery.tasks())
    assert machinery.frames(group) == {user_id: [[1]] for user_id in group.online}


def test_a_burst_reaches_each_member_in_order_and_in_few_frames(machinery: Machinery) -> None:
    group = machinery.add_group(3 * PAGE_MEMBERS)
    for seq in range(1, 11):
        machinery.say(group, seq)
    machinery.run(size=100)
    for frames in machinery.frames(group).values():
        assert [seq for frame in frames for seq in frame] == list(range(1, 11))
        assert len(frames) <= 2
    missed = Counter(
        (user_id, seq) for one in machinery.offline_tasks() for user_id in one.user_ids for seq in one.seqs
    )
    assert missed == {(user_id, seq): 1 for user_id in away(group) for seq in range(1, 11)}


def test_who_was_a_member_at_the_messages_seq_hears_it_whatever_changes_on_the_way(machinery: Machinery) -> None:
    group = machinery.add_group(4 * PAGE_MEMBERS, online_every=1)
    leaves, left_before, joins_after, last = group.members[10], group.members[20], group.members[30], group.members[-1]
    # Who left is in the table still; who joins later is not yet.
    _leave(machinery, group, left_before, at_seq=1)
    machinery.change(
        "DELETE FROM conversation_participants WHERE conversation_id = %s AND user_id = %s", _key(group), joins_after
    )
    machinery.say(group, 1, members_version=2)
    machinery.step("worker")  # the pages are cut now
    machinery.step("worker")  # and one is told

    for member in (leaves, last):
        _leave(machinery, group, member, at_seq=2)
    machinery.change(
        "INSERT INTO conversation_participants (conversation_id, user_id, join_seq, activity_at_ms)"
        " VALUES (%s, %s, 2, 1)",
        _key(group),
        joins_after,
    )
    machinery.run()
    machinery.say(group, 3, members_version=5)
    machinery.run()

    heard = {user_id: [seq for frame in frames for seq in frame] for user_id, frames in machinery.frames(group).items()}
    assert (heard.pop(leaves), heard.pop(last), heard.pop(joins_after)) == ([1], [1], [3])
    assert left_before not in heard
    assert len(heard) == len(group.members) - 4
    assert set(map(tuple, heard.values())) == {(1, 3)}


def test_events_go_to_those_who_may_see_what_they_are_about(machinery: Machinery) -> None:
    group = machinery.add_group(200, online_every=1)
    newcomer = group.members[7]
    machinery.change(
        "UPDATE conversation_participants SET join_seq = 5 WHERE conversation_id = %s AND user_id = %s",
        _key(group),
        newcomer,
    )
    data = msgspec.Raw(b'{"messages":[]}')
    about_old = FanOutEvent(event="message.recalled", data=data, at_seq=Seq(6), about_seq=Seq(4))
    about_all = FanOutEvent(event="group.updated", data=data, at_seq=Seq(6))
    over = FanOutEvent(event="group.updated", data=data, at_seq=Seq(6), expires_at_ms=machinery.clock.now_ms())
    machinery.tell(group, about_old, about_all, over)
    machinery.run()

    def told(user_id: UserId) -> list[str]:
        return [json.loads(body)["event"] for body in machinery.posts.posted[group.connection_of(user_id)]]

    assert told(newcomer) == ["group.updated"]
    assert all(told(other) == ["message.recalled", "group.updated"] for other in group.members if other != newcomer)
    assert machinery.offline_tasks() == []


@pytest.mark.needs_redis
def test_a_page_that_is_done_is_passed_over_when_its_record_comes_again(machinery: Machinery) -> None:
    group = machinery.add_group(3 * PAGE_MEMBERS)
    machinery.say(group, 1)
    machinery.run()
    before = len(machinery.log.records)

    machinery.mappings["worker"].done = [set(), set()]
    machinery.run()
    again = machinery.log.records[before:]
    assert not [record for record in again if record.topic.startswith("im-downstream")]

    machinery.flush_cache()
    machinery.mappings["worker"].done = [set(), set()]
    machinery.run()
    heard = machinery.frames(group)
    assert heard.keys() == set(group.online)
    assert {seq for frames in heard.values() for frame in frames for seq in frame} == {1}, "known by its seq"
    assert all(sum(map(len, frames)) > 1 for frames in heard.values())


def test_who_comes_back_in_between_gets_the_message_instead_of_a_push(machinery: Machinery) -> None:
    group = machinery.add_group(300)
    back = sorted(away(group))[0]
    give_push_tokens(machinery.database, [back])
    machinery.say(group, 1)
    machinery.step("worker")  # finds that one away
    machinery.change(_CONNECT, back, PHONE, group.connection_of(back), machinery.clock.now_ms())
    machinery.run()
    assert machinery.frames(group)[back] == [[1]]
    assert machinery.pushed() == []


def test_a_task_that_names_no_stored_message_is_given_up_and_the_others_are_done(machinery: Machinery) -> None:
    group, other = machinery.add_group(120), machinery.add_group(120)
    now_ms = machinery.clock.now_ms()
    machinery.log.produce([fan_out_record(group, [9], at_ms=now_ms)])
    machinery.say(other, 1)
    machinery.run()
    (letter,) = machinery.log.of_topic(DEAD_LETTER_TOPIC)
    assert decode(DeadLetter, letter.value).reason == "bad_data"
    assert machinery.frames(other).keys() == set(other.online)


def test_while_the_broker_is_away_pages_come_again(machinery: Machinery) -> None:
    group = machinery.add_group(2 * PAGE_MEMBERS)
    machinery.say(group, 1)
    machinery.log.available = False
    for _ in range(3):
        machinery.step("worker")
    machinery.log.available = True
    machinery.run()
    assert machinery.frames(group) == {user_id: [[1]] for user_id in group.online}


def test_without_redis_everybody_is_told_all_the_same(machinery: Machinery) -> None:
    group = machinery.add_group(2 * PAGE_MEMBERS)
    machinery.fleet.away.add("cache")
    machinery.say(group, 1)
    machinery.run()
    assert machinery.frames(group) == {user_id: [[1]] for user_id in group.online}


_CONNECT = (
    "INSERT INTO connections (user_id, device_id, session_id, cell_id, connection_id, connected_at_ms)"
    " VALUES (%s, %s, 1, 'g1', %s, %s)"
)


def _key(group: LargeGroup) -> bytes:
    return bytes.fromhex(group.conversation_id)


def _leave(machinery: Machinery, group: LargeGroup, user_id: UserId, *, at_seq: int) -> None:
    machinery.change(
        "UPDATE conversation_participants SET left_seq = %s WHERE conversation_id = %s AND user_id = %s",
        at_seq,
        _key(group),
        user_id,
    )
