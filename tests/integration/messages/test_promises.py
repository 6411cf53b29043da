"""Numbering, once-only and announcing, held against a small model under whatever order of events hypothesis finds."""

from itertools import count

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gochat_aws.kafka_event import IncomingRecord
from gochat_core.errors import ClientMsgIdConflict
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from local_stage.services.redis import RedisCluster
from logic.commands.submission import Submission
from logic.messages.list_messages import list_messages
from logic.upstream.batch import read_submission
from tests.integration.messages.conftest import flush
from tests.integration.messages.frames import PHONE, frame
from tests.integration.messages.stage import Stage

MESSAGES = st.tuples(st.sampled_from([0, 1]), st.sampled_from("abcdef"), st.sampled_from(["hello", "bye"]))
BATCHES = st.lists(MESSAGES, min_size=1, max_size=6)
DOORS = st.sampled_from([0, 1])

_USERS = count(1_000_000, 2)

Message = tuple[int, str, str]
"""Which of the two sends, under which client_msg_id, which text."""


class TwoPeople(RuleBasedStateMachine):
    """Two people write to each other over two containers and both doors, while the cache and the broker fail."""

    stage: Stage
    redis: RedisCluster

    @initialize()
    def meet(self) -> None:
        first = next(_USERS)
        self.people = UserId(first), UserId(first + 1)
        self.chat = single_conversation_id(*self.people)
        self.stage.add_users(*self.people)
        for person in self.people:
            self.stage.connect(person)
        self.stage.producer.records.clear()
        self.stored: dict[tuple[int, str], tuple[int, str]] = {}
        self.batches: list[list[Message]] = []
        self.broker_failed = False

    @rule(batch=BATCHES, door=DOORS)
    def send(self, batch: list[Message], door: int) -> None:
        self.batches.append(batch)
        self.deliver(batch, door)

    @rule(which=st.integers(min_value=0, max_value=99), door=DOORS)
    def deliver_an_old_batch_again(self, which: int, door: int) -> None:
        if self.batches:
            self.deliver(self.batches[which % len(self.batches)], door)

    @rule(batch=BATCHES, door=DOORS, other=DOORS)
    def send_while_the_broker_is_away(self, batch: list[Message], door: int, other: int) -> None:
        self.broker_failed = True
        self.stage.producer.available = False
        verdicts = self.stage.doors[door].apply(*map(self.frame, batch))
        self.stage.producer.available = True
        assert verdicts.failed == frozenset(range(len(batch)))
        self.remember(batch)
        self.deliver(batch, other)

    @rule(message=MESSAGES, door=DOORS)
    def send_over_rest(self, message: Message, door: int) -> None:
        before = self.stored.get(message[:2])
        submission = read_submission(self.frame(message))
        sender = submission.sender
        rest = Submission(
            sender=type(sender)(user_id=sender.user_id, device_id=PHONE, session_id=sender.session_id),
            command=submission.command,
            accepted_at_ms=submission.accepted_at_ms,
        )
        try:
            sent = self.stage.doors[door].rest.send(rest)
        except ClientMsgIdConflict:
            assert before is not None
            assert before[1] != message[2]
            return
        self.remember([message])
        assert (sent.is_new, sent.message.seq) == (before is None, self.stored[message[:2]][0])

    @rule()
    def flush_the_cache(self) -> None:
        flush(self.redis)

    @invariant()
    def the_history_is_the_model(self) -> None:
        expected = sorted((seq, key, text) for key, (seq, text) in self.stored.items())
        assert [seq for seq, _, _ in expected] == list(range(1, len(expected) + 1))
        if not expected:
            return
        for person in self.people:
            page = list_messages(
                self.stage.doors[0].database, person, self.chat, before_seq=None, after_seq=0, limit=100
            )
            assert [
                (one.seq, (self.people.index(one.sender_id), one.client_msg_id), one.content.decode())
                for one in page.messages
            ] == [(seq, key, f'{{"text":"{text}"}}') for seq, key, text in expected]

    @invariant()
    def everybody_was_told_everything(self) -> None:
        for index, person in enumerate(self.people):
            told = [one["seq"] for one in self.stage.told(person, "message.new")]
            theirs = {seq for (sender, _), (seq, _) in self.stored.items() if sender != index}
            assert theirs <= set(told)
            if not self.broker_failed:
                assert len(told) == len(set(told)), "without a failure, once"

    def deliver(self, batch: list[Message], door: int) -> None:
        verdicts = self.stage.doors[door].apply(*map(self.frame, batch))
        outcomes = self.remember(batch)
        assert verdicts.failed == frozenset()
        assert verdicts.counts["stored"] == outcomes.count("stored")
        assert verdicts.counts["duplicate"] == outcomes.count("duplicate")
        assert verdicts.rejected["client_msg_id_conflict"] == outcomes.count("conflict")

    def remember(self, batch: list[Message]) -> list[str]:
        """Do to the model what a batch does, and return what becomes of each message."""
        outcomes = []
        for sender, client_msg_id, text in batch:
            known = self.stored.get((sender, client_msg_id))
            if known is None:
                self.stored[(sender, client_msg_id)] = (len(self.stored) + 1, text)
            outcomes.append("stored" if known is None else "duplicate" if known[1] == text else "conflict")
        return outcomes

    def frame(self, message: Message) -> IncomingRecord:
        sender, client_msg_id, text = message
        return frame(client_msg_id, sender=self.people[sender], peer=self.people[1 - sender], text=text)


def test_whatever_happens_there_is_one_order_without_gaps_or_doubles(stage: Stage, redis_cluster: RedisCluster) -> None:
    stage.open_door()
    TwoPeople.stage, TwoPeople.redis = stage, redis_cluster
    run_state_machine_as_test(
        TwoPeople,
        settings=settings(
            max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    stage.check_all_announced()
