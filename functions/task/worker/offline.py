"""Handles messages that reached none of a user's devices: whoever came back gets them now, who did not a push."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gochat_aws.kafka_event import dead_letter
from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.downstream import Notice, plan_downstream
from gochat_contracts.records import (
    MESSAGE_LIFETIME_MS,
    MessageRef,
    OfflineTask,
    downstream_topic,
    encode,
)
from gochat_core.clock import Clock
from gochat_core.types import ConversationId, UserId
from gochat_repo.cached_conversations import MESSAGES, Place
from gochat_repo.connections import Connection, get_connections, group_by_user
from gochat_repo.member_pages import get_spans
from gochat_repo.message_view import encode_message, find_unlisted_viewers
from gochat_repo.messages import StoredMessage
from gochat_repo.mysql import Database, Transaction
from gochat_repo.participants import MemberSpan
from gochat_repo.reactions import ReactionKey
from gochat_repo.read_through import ReadThrough
from gochat_repo.user_status import UserStatus, UserStatuses
from task.worker.pushes import Pushes
from task.worker.tasks import TaskVerdicts, Work

PIECE_USERS = 1_000
"""How many users' connections and pushes are dealt with at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OfflineState:
    """What the stores say about a piece of tasks; who is connected, from the writer.

    `spans` are of those who are connected.
    """

    messages: dict[Place, StoredMessage]
    connections: dict[UserId, tuple[Connection, ...]]
    spans: dict[ConversationId, dict[UserId, MemberSpan]] = field(default_factory=dict)
    unlisted: frozenset[ReactionKey] = frozenset()


class OfflineTasks:
    """Applies offline tasks; one for the life of a container."""

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

    def pieces(self, works: Sequence[Work[OfflineTask]]) -> list[list[Work[OfflineTask]]]:
        """Part tasks, in order, so that a piece names at most PIECE_USERS; more only where one task does."""
        pieces: list[list[Work[OfflineTask]]] = []
        room = 0
        for one in works:
            users = len(one.task.user_ids)
            if not pieces or users > room:
                pieces.append([])
                room = PIECE_USERS
            pieces[-1].append(one)
            room -= users
        return pieces

    def apply(self, works: Sequence[Work[OfflineTask]], verdicts: TaskVerdicts) -> None:
        """Apply tasks; safe to repeat: clients know a message by its seq. Raises Unavailable.

        One database round trip, one more if somebody is back, and one for what decides on pushes if somebody is away
        (one more if a message has more reactions than are listed, or if pushes are suppressed; one for what the cache
        does not know); two to the cache, or up to five; one to the broker: whatever the number of tasks.
        """
        now_ms = self._clock.now_ms()
        state = self._load(works)
        unknown = _find_unknown(works, state, now_ms)
        notices = plan_redelivery(works, state, now_ms=now_ms)
        downstream = [
            OutgoingRecord(topic=downstream_topic(cell_id), key=str(one.user_id).encode(), value=encode(one))
            for cell_id, one in plan_downstream(notices, state.connections)
        ]
        named = {user_id for one in works for user_id in one.task.user_ids}
        absent = {user_id for user_id in named if not state.connections.get(user_id)}
        pushes = self._pushes.plan(works, state.messages, absent, now_ms=now_ms)
        self._producer.produce([*downstream, *pushes.records, *unknown])
        self._pushes.note(pushes)
        self._statuses.save({user_id: UserStatus(online=False, last_seen_ms=now_ms) for user_id in absent})
        verdicts.redelivered += len(notices)
        verdicts.offline += len(absent)
        verdicts.dead_letters += len(unknown)
        verdicts.pushes += len(pushes.records)
        verdicts.decisions += pushes.counts

    def _load(self, works: Sequence[Work[OfflineTask]]) -> OfflineState:
        places = {(one.task.conversation_id, seq) for one in works for seq in one.task.seqs}
        users = {user_id for one in works for user_id in one.task.user_ids}
        (messages,) = self._values.get_each([(MESSAGES, places)])

        def work(tx: Transaction) -> OfflineState:
            # The truth, not the cache: a user who came back a moment ago must not be missed twice.
            connections = group_by_user(get_connections(tx, users))
            back = {
                (one.task.conversation_id, user_id)
                for one in works
                for user_id in one.task.user_ids
                if user_id in connections
            }
            return OfflineState(
                messages=messages,
                connections=connections,
                spans=get_spans(tx, back),
                unlisted=find_unlisted_viewers(tx, ((message, connections) for message in messages.values())),
            )

        return self._database.read(work)


def plan_redelivery(works: Sequence[Work[OfflineTask]], state: OfflineState, *, now_ms: int) -> list[Notice]:
    """Return `message.new` for every user of the tasks who is connected again and a member at that seq. Pure."""
    return [
        Notice(
            user_id=user_id,
            event="message.new",
            data=data,
            expires_at_ms=now_ms + MESSAGE_LIFETIME_MS,
            message=MessageRef(conversation_id=message.conversation_id, seq=message.seq),
            accepted_at_ms=message.created_at_ms,
            trace=one.record.trace,
        )
        for one in works
        for seq in one.task.seqs
        if (message := state.messages.get((one.task.conversation_id, seq))) is not None
        for data, viewers in encode_message(message, _present(one.task, message, state), state.unlisted)
        for user_id in viewers
    ]


def _present(task: OfflineTask, message: StoredMessage, state: OfflineState) -> list[UserId]:
    """Name those of a task's users who are connected again and belong to the conversation at this message."""
    spans = state.spans.get(task.conversation_id, {})
    return [
        user_id for user_id in task.user_ids if (span := spans.get(user_id)) is not None and span.contains(message.seq)
    ]


def _find_unknown(works: Sequence[Work[OfflineTask]], state: OfflineState, now_ms: int) -> list[OutgoingRecord]:
    """A task is written after its message was committed: one that names a message that isn't there is at fault."""
    return [
        dead_letter(one.source, reason="bad_data", detail="names a message that is not stored", now_ms=now_ms)
        for one in works
        if any((one.task.conversation_id, seq) not in state.messages for seq in one.task.seqs)
    ]
