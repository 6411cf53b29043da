"""From the task that says who was away to the provider: the worker, RepoService and `push` over real stores."""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from gochat_contracts.records import PUSH_LIFETIME_MS, PUSH_TOPIC, encode
from gochat_core.clock import SystemClock
from gochat_core.sweeps import TimeLimit
from gochat_core.types import DeviceId
from gochat_repo.push_checks import Asked, PushChecks
from gochat_repo.push_log import PushPlace, PushResult
from gochat_repo.push_tokens import PushToken, list_push_tokens, save_push_token
from task.push.providers.provider import Refused, TokenDead, TryAgain
from task.sweep.deferred_pushes import DeferredPushSweep
from tests.integration.messages.frames import ALICE, BOB, CAROL, PHONE, frame, read, recall
from tests.integration.messages.push_stage import FOREVER_MS, Phones, PushStage, incoming, make_push_stage
from tests.integration.messages.stage import Stage


@pytest.fixture
def phones() -> Phones:
    return Phones()


@pytest.fixture
def pushes(stage: Stage, phones: Phones) -> PushStage:
    return make_push_stage(stage, phones)


def test_who_is_away_is_told_once_with_the_exact_badge(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a", text="how are you?"))
    stage.doors[0].apply(frame("b", sender=CAROL, peer=BOB, text="and you?"))
    decided = pushes.work_off()
    assert [(one.user_id, one.kind, one.title, one.body) for one in decided] == [
        (BOB, "alert", f"User {sender}", text) for sender, text in ((ALICE, "how are you?"), (CAROL, "and you?"))
    ]
    pushes.push()
    assert [(one.badge, one.token, one.record.seq) for one in pushes.phones.sent] == [(2, "2-phone", 1)] * 2
    assert {one.collapse_id for one in pushes.phones.sent} == {one.conversation_id for one in decided}
    pushes.push()
    assert len(pushes.phones.sent) == 2, "what was sent is not sent again"
    assert pushes.fates() == [(BOB, 1, "sent", "")] * 2


def test_messages_of_one_batch_come_as_one_push_to_each_device(stage: Stage, pushes: PushStage) -> None:
    pushes.log_in(BOB, DeviceId("tablet"))
    stage.doors[0].apply(*(frame(str(number)) for number in range(3)))
    decided = pushes.work_off()
    assert [(one.device_id, one.seq, one.count, one.body) for one in decided] == [
        (device, 3, 3, "3 new messages") for device in ("phone", "tablet")
    ]


@pytest.mark.needs_redis
def test_in_a_storm_one_push_sounds_and_later_ones_replace_it(stage: Stage, pushes: PushStage) -> None:
    kinds = []
    for name in "abc":
        stage.doors[0].apply(frame(name))
        kinds += [(one.kind, one.body) for one in pushes.work_off()]
    assert kinds == [("alert", "hello"), ("silent", "2 new messages"), ("silent", "3 new messages")]


@pytest.mark.needs_redis
def test_a_push_that_comes_again_with_more_sounds_again(stage: Stage, pushes: PushStage) -> None:
    """The worker that claimed the window may have died before anybody was told."""
    stage.doors[0].apply(frame("a"))
    tasks = [one for one in stage.producer.records if one.topic == "im-task-topic"]
    assert [one.kind for one in pushes.work_off()] == ["alert"]
    stage.doors[0].apply(frame("b"))
    stage.producer.records = [*tasks, *stage.producer.records]
    assert [(one.kind, one.seq, one.count) for one in pushes.work_off()] == [("alert", 2, 2)]


def test_what_was_read_elsewhere_meanwhile_is_not_pushed(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    assert len(pushes.work_off()) == 1
    stage.doors[0].apply(read(1))
    assert pushes.push().counts == {"suppressed_read": 1}
    assert (pushes.phones.sent, pushes.fates()) == ([], [(BOB, 1, "suppressed", "read")])


def test_what_was_recalled_meanwhile_is_not_pushed(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    stage.doors[0].apply(recall(1))
    assert pushes.push().counts == {"suppressed_recalled": 1}


def test_of_a_muted_chat_only_a_mention_is_pushed(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    pushes.mute(BOB)
    assert pushes.work_off() == []
    assert pushes.fates() == [(BOB, 1, "suppressed", "muted")]


def test_a_device_that_was_logged_out_meanwhile_is_not_reached(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    stage.doors[0].database.transaction(lambda tx: tx.execute("UPDATE sessions SET revoked_at_ms = 1"))
    assert pushes.push().counts == {"suppressed_no_token": 1}


def test_a_token_that_its_provider_calls_dead_is_forgotten(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    pushes.phones.answers = [TokenDead(reason="unregistered")]
    pushes.push()
    assert stage.doors[0].database.read(lambda tx: list_push_tokens(tx, [BOB], now_ms=1)) == {}
    assert pushes.fates() == [(BOB, 1, "failed", "unregistered")]


def test_a_token_that_was_registered_anew_meanwhile_is_not_the_dead_one(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    database = stage.doors[0].database
    new = PushToken(user_id=BOB, device_id=PHONE, provider="fcm", token="new", updated_at_ms=8)
    pushes.phones.before = lambda: database.transaction(lambda tx: save_push_token(tx, new, identity="new"))
    pushes.phones.answers = [TokenDead(reason="unregistered")]
    pushes.push()
    assert database.read(lambda tx: list_push_tokens(tx, [BOB], now_ms=1)) == {BOB: (new,)}


def test_a_push_whose_outcome_nobody_told_is_sent_once_more_and_no_oftener(stage: Stage, pushes: PushStage) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    pushes.phones.before = die
    for _ in range(2):
        with pytest.raises(Killed):
            pushes.push()
    pushes.phones.before = lambda: None
    assert pushes.push().counts == {"suppressed_outcome_unknown": 1}
    assert pushes.fates() == [(BOB, 1, "failed", "outcome_unknown")]


def test_a_push_whose_provider_is_away_rests_and_is_sent_later(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    pushes.phones.answers = [TryAgain(reason="http_500")] * 3
    verdicts = pushes.push()
    assert (verdicts.counts, verdicts.failed) == ({"deferred_http_500": 1}, set())
    stage.producer.records.clear()
    stage.clock.now = SystemClock().now_ms() + 120_000
    sweep = DeferredPushSweep(database=stage.doors[0].database, producer=stage.producer, clock=stage.clock)
    limit = TimeLimit(clock=stage.clock, ends_at_ms=FOREVER_MS)
    assert sweep.produce_due(limit) == {"PushesProducedAgain": 1}
    assert sweep.produce_due(limit) == {"PushesProducedAgain": 0}
    assert pushes.push().counts == {"sent_alert": 1}
    assert (len(pushes.phones.sent), pushes.fates()) == (4, [(BOB, 1, "sent", "")])


def test_what_a_provider_refuses_for_good_is_given_up_with_its_reason(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    pushes.phones.answers = [Refused(reason="payload_too_large")]
    verdicts = pushes.push()
    assert [(one.reason, one.detail) for one in verdicts.letters] == [("push_refused", "payload_too_large")]
    assert (len(pushes.phones.sent), verdicts.failed) == (1, set())


def test_a_fault_of_ours_gives_up_its_push_and_no_other(stage: Stage, pushes: PushStage) -> None:
    pushes.log_in(BOB, DeviceId("tablet"))
    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    faults = iter([KeyError("x")])

    def fail_once() -> None:
        for fault in faults:
            raise fault

    pushes.phones.before = fail_once
    verdicts = pushes.push()
    assert verdicts.counts == {"sent_alert": 1, "failed_fault_KeyError": 1}
    assert [(one.reason, one.detail) for one in verdicts.letters] == [("push_refused", "fault_KeyError")]


def test_an_unreadable_record_is_given_up_alone(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    good = stage.producer.of_topic(PUSH_TOPIC)[0].value
    verdicts = pushes.batches.apply([incoming(PUSH_TOPIC, 0, b"?"), incoming(PUSH_TOPIC, 1, good)])
    assert ([one.reason for one in verdicts.letters], verdicts.counts) == (["unreadable"], {"sent_alert": 1})


def test_what_stands_in_a_batch_twice_is_sent_once(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    pushes.work_off()
    stage.producer.records *= 2
    assert pushes.push().counts == {"sent_alert": 1, "suppressed_done": 1}
    assert len(pushes.phones.sent) == 1


def test_what_was_not_sent_within_a_day_is_sent_no_more(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    (record,) = pushes.work_off()
    assert record.expires_at_ms == record.created_at_ms + PUSH_LIFETIME_MS
    old = msgspec.structs.replace(record, expires_at_ms=1)
    verdicts = pushes.batches.apply([incoming(PUSH_TOPIC, 0, encode(old))])
    assert (verdicts.counts, verdicts.letters) == ({"suppressed_expired": 1}, [])
    assert (pushes.phones.sent, pushes.fates()) == ([], [(BOB, 1, "suppressed", "expired")])


def test_the_outcomes_of_a_batch_are_written_in_one_statement(stage: Stage, pushes: PushStage) -> None:
    database = stage.doors[0].database
    for number in range(30):
        pushes.log_in(BOB, DeviceId(f"device-{number}"))
    stage.doors[0].apply(frame("a"))
    records = pushes.work_off()
    places = [(one.user_id, one.device_id, one.conversation_id, one.seq) for one in records]
    checks = PushChecks(database)

    def trips(act: Callable[[], object]) -> int:
        before = database.round_trips
        act()
        return database.round_trips - before

    def ask(some: Sequence[PushPlace]) -> int:
        asked = [Asked(place=place, task_id="t") for place in some]
        return trips(lambda: checks.recheck(asked, now_ms=stage.clock.now_ms()))

    def tell(some: Sequence[PushPlace]) -> int:
        results = [PushResult(place=place, outcome="sent") for place in some]
        dead = [PushToken(user_id=BOB, device_id=DeviceId("none"), provider="")]
        return trips(lambda: checks.log_results(results, dead, now_ms=1))

    assert (ask(places[:1]), tell(places[:1])) == (ask(places[1:]), tell(places[1:]))
    assert [outcome for *_, outcome, _ in pushes.fates()] == ["sent"] * 31
    tell(places)
    assert [outcome for *_, outcome, _ in pushes.fates()] == ["sent"] * 31


def test_a_batch_that_dies_before_the_log_and_comes_again_pushes_once(stage: Stage, pushes: PushStage) -> None:
    stage.doors[0].apply(frame("a"))
    tasks = list(stage.producer.records)
    pushes.work_off()
    pushes.push()
    stage.producer.records[:] = tasks
    pushes.work_off()
    assert pushes.push().counts == {"suppressed_done": 1}
    assert len(pushes.phones.sent) == 1
