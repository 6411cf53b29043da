"""Handles messages that reached none of a user's devices: whoever came back gets them now, who did not a push."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from gochat_aws.kafka_event import IncomingRecord, dead_letter
from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.downstream import Notice, plan_downstream
from gochat_contracts.records import (
    MESSAGE_LIFETIME_MS,
    MessageRef,
    OfflineTask,
    TaskRecord,
    UnreadableRecordError,
    decode,
    downstream_topic,
    encode,
)
from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.cached_conversations import CONVERSATION_MEMBERS, MESSAGES
from gochat_repo.connections import Connection, get_connections, group_by_user
from gochat_repo.message_view import encode_message, find_unlisted_viewers
from gochat_repo.messages import StoredMessage
from gochat_repo.mysql import Database, Transaction
from gochat_repo.participants import MemberSpan
from gochat_repo.reactions import ReactionKey
from gochat_repo.read_through import ReadThrough
from gochat_repo.user_status import UserStatus, UserStatuses
from task.worker.pushes import Pushes

Place = tuple[ConversationId, Seq]


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskVerdicts:
    """What became of a batch of tasks."""

    failed: frozenset[int] = frozenset()
    redelivered: int = 0
    offline: int = 0
    dead_letters: int = 0
    pushes: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    outage: Unavailable | None = None

    @property
    def suppressed(self) -> int:
        """How often somebody who was away was not told; `decisions` says why."""
        return sum(count for name, count in self.decisions.items() if not name.startswith(("alert", "silent")))


@dataclass(frozen=True, kw_only=True, slots=True)
class OfflineState:
    """What the stores say about a batch of tasks; who is connected, from the writer."""

    messages: dict[Place, StoredMessage]
    members: dict[ConversationId, dict[UserId, MemberSpan]]
    connections: dict[UserId, tuple[Connection, ...]]
    unlisted: frozenset[ReactionKey] = frozenset()


@dataclass(slots=True)
class _Read:
    tasks: list[TaskRecord] = field(default_factory=list)
    sources: list[IncomingRecord] = field(default_factory=list)
    letters: list[OutgoingRecord] = field(default_factory=list)


class OfflineTasks:
    """Applies batches of tasks; one for the life of a container."""

    def __init__(
        self,
        database: Database,
        values: ReadThrough,
        statuses: UserStatuses,
        producer: RecordProducer,
        clock: Clock,
        pushes: Pushes,
    ) -> None:
        self._database = database
        self._values = values
        self._statuses = statuses
        self._producer = producer
        self._clock = clock
        self._pushes = pushes

    def apply(self, records: Sequence[IncomingRecord]) -> TaskVerdicts:
        """Apply tasks; safe to repeat: clients know a message by its seq. All fail together when a store is away.

        One database round trip, and one for what decides on pushes if somebody is away (one more if a message has more
        reactions than are listed, or if pushes are suppressed; two more for what the cache does not know); two to the
        cache, or up to five; one to the broker: whatever the batch's size.
        """
        now_ms = self._clock.now_ms()
        read = self._read(records, now_ms)
        try:
            state = self._load(read.tasks)
            unknown = _find_unknown(read, state, now_ms)
            notices = plan_redelivery(read.tasks, state, now_ms=now_ms)
            downstream = [
                OutgoingRecord(topic=downstream_topic(cell_id), key=str(one.user_id).encode(), value=encode(one))
                for cell_id, one in plan_downstream(notices, state.connections)
            ]
            named = {user_id for one in read.tasks for user_id in one.task.user_ids}
            absent = {user_id for user_id in named if not state.connections.get(user_id)}
            pushes = self._pushes.plan(read.tasks, state.messages, absent, now_ms=now_ms)
            self._producer.produce([*downstream, *pushes.records, *read.letters, *unknown])
            self._pushes.note(pushes)
        except Unavailable as outage:
            return TaskVerdicts(failed=frozenset(range(len(records))), outage=outage)
        self._statuses.save({user_id: UserStatus(online=False, last_seen_ms=now_ms) for user_id in absent})
        return TaskVerdicts(
            redelivered=len(notices),
            offline=len(absent),
            dead_letters=len(read.letters) + len(unknown),
            pushes=len(pushes.records),
            decisions=pushes.counts,
        )

    def _read(self, records: Sequence[IncomingRecord], now_ms: int) -> _Read:
        read = _Read()
        for record in records:
            try:
                read.tasks.append(decode(TaskRecord, record.value or b""))
                read.sources.append(record)
            except UnreadableRecordError as fault:
                read.letters.append(dead_letter(record, reason="unreadable", detail=str(fault), now_ms=now_ms))
        return read

    def _load(self, tasks: Sequence[TaskRecord]) -> OfflineState:
        places = {(one.task.conversation_id, seq) for one in tasks for seq in one.task.seqs}
        users = {user_id for one in tasks for user_id in one.task.user_ids}
        conversations = {one.task.conversation_id for one in tasks}

        messages, members = self._values.get_each([(MESSAGES, places), (CONVERSATION_MEMBERS, conversations)])

        def work(tx: Transaction) -> OfflineState:
            return OfflineState(
                messages=messages,
                members=members,
                # The truth, not the cache: a user who came back a moment ago must not be missed twice.
                connections=group_by_user(get_connections(tx, users)),
                unlisted=find_unlisted_viewers(tx, ((message, users) for message in messages.values())),
            )

        return self._database.read(work)


def plan_redelivery(tasks: Sequence[TaskRecord], state: OfflineState, *, now_ms: int) -> list[Notice]:
    """Return `message.new` for every user of the tasks who is connected again and a member at that seq. Pure."""
    return [
        Notice(
            user_id=user_id,
            event="message.new",
            data=data,
            expires_at_ms=now_ms + MESSAGE_LIFETIME_MS,
            message=MessageRef(conversation_id=message.conversation_id, seq=message.seq),
            accepted_at_ms=message.created_at_ms,
            trace=one.trace,
        )
        for one in tasks
        for seq in one.task.seqs
        if (message := state.messages.get((one.task.conversation_id, seq))) is not None
        for data, viewers in encode_message(message, _present(one.task, message, state), state.unlisted)
        for user_id in viewers
    ]


def _present(task: OfflineTask, message: StoredMessage, state: OfflineState) -> list[UserId]:
    """Name those of a task's users who are connected again and belong to the conversation at this message."""
    spans = state.members.get(message.conversation_id, {})
    return [
        user_id
        for user_id in task.user_ids
        if state.connections.get(user_id) and (span := spans.get(user_id)) is not None and span.contains(message.seq)
    ]


def _find_unknown(read: _Read, state: OfflineState, now_ms: int) -> list[OutgoingRecord]:
    """A task is written after its message was committed: one that names a message that isn't there is at fault."""
    return [
        dead_letter(source, reason="bad_data", detail="names a message that is not stored", now_ms=now_ms)
        for source, one in zip(read.sources, read.tasks, strict=True)
        if any((one.task.conversation_id, seq) not in state.messages for seq in one.task.seqs)
    ]
